package io.troth.coordinator.cli;

import io.troth.coordinator.admin.ClusterStatus;
import io.troth.coordinator.admin.CoordinatorStatus;
import io.troth.coordinator.admin.Listing;
import io.troth.core.ClusterId;
import io.troth.core.Decision;
import io.troth.core.Outcome;
import io.troth.core.coordinator.AgentHello;
import io.troth.core.coordinator.InDoubtView;
import io.troth.core.coordinator.LeaderView;
import io.troth.core.coordinator.TransactionState;
import io.troth.core.coordinator.TransactionView;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Tables for people, or one JSON object a line for programs. */
final class AdminPrinter {

    private static final String NOTHING = "-";

    private final PrintWriter out;
    private final boolean json;

    AdminPrinter(PrintWriter out, boolean json) {
        this.out = out;
        this.json = json;
    }

    void status(CoordinatorStatus status) {
        LeaderView leader = status.leader();
        String epoch = leader.epoch() == null ? null : leader.epoch().toString();
        if (json) {
            JsonLine open = new JsonLine();
            for (TransactionState state : TransactionState.values()) {
                open.add(state.name(), leader.open().getOrDefault(state, 0));
            }
            out.println(new JsonLine()
                    .add("cluster", status.cluster().toString())
                    .add("epoch", epoch)
                    .add("ready", leader.ready())
                    .add("distrusted", leader.distrusted())
                    .add("accepting", leader.accepting())
                    .add("durableBatch", status.durableBatch())
                    .add("sessions", leader.sessions())
                    .add("agents", leader.agents())
                    .add("open", open)
                    .add("unended", leader.unended())
                    .add("leftAlone", leader.leftAlone())
                    .addTexts("held", leader.held())
                    .addTexts("excluded", leader.excluded()));
            return;
        }
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("cluster", status.cluster().toString()));
        rows.add(List.of("epoch", epoch == null ? NOTHING : epoch));
        rows.add(List.of("ready", yes(leader.ready()) + (leader.distrusted() ? ", the log is distrusted" : "")));
        rows.add(List.of("accepting new transactions", yes(leader.accepting())));
        rows.add(List.of("durable batch", Long.toString(status.durableBatch())));
        rows.add(List.of("client sessions", Integer.toString(leader.sessions())));
        rows.add(List.of("agents", Integer.toString(leader.agents())));
        rows.add(List.of("open transactions", open(leader)));
        rows.add(List.of("committed, not ended", Integer.toString(leader.unended())));
        rows.add(List.of("branches left alone", Integer.toString(leader.leftAlone())));
        rows.add(List.of("resources on hold", joined(leader.held())));
        rows.add(List.of("resources excluded", joined(leader.excluded())));
        table(rows);
    }

    void cluster(ClusterStatus status) {
        if (json) {
            for (ClusterStatus.Line line : status.members()) {
                out.println(new JsonLine()
                        .add("cluster", status.cluster().toString())
                        .add("leader", status.leader())
                        .add("node", line.node())
                        .add("address", line.address())
                        .add("endpoint", line.endpoint())
                        .add("reachable", line.reachable())
                        .add("role", line.role() == null ? null : line.role().name())
                        .add("term", line.term())
                        .add("applied", line.appliedIndex())
                        .add("lag", line.lag())
                        .add("version", line.version()));
            }
            return;
        }
        out.println("cluster " + status.cluster() + ", leader " + or(status.leader()));
        out.println();
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("NODE", "ROLE", "TERM", "APPLIED", "LAG", "REACHABLE", "VERSION", "ADDRESS", "ENDPOINT"));
        for (ClusterStatus.Line line : status.members()) {
            rows.add(List.of(
                    line.node(),
                    or(line.role()),
                    or(line.term()),
                    or(line.appliedIndex()),
                    or(line.lag()),
                    yes(line.reachable()),
                    or(line.version()),
                    text(line.address()),
                    or(line.endpoint())));
        }
        table(rows);
    }

    private static String open(LeaderView leader) {
        String counts = leader.open().entrySet().stream()
                .filter(entry -> entry.getValue() > 0)
                .sorted(Map.Entry.comparingByKey())
                .map(entry -> entry.getValue() + " " + entry.getKey())
                .collect(Collectors.joining(", "));
        return counts.isEmpty() ? "0" : counts;
    }

    void transactions(Listing<TransactionView> list) {
        list(
                list,
                List.of("TX", "STATE", "OUTCOME", "BRANCHES", "CLIENT"),
                view -> List.of(
                        view.tx().toString(),
                        view.state().name(),
                        or(view.outcome()),
                        Integer.toString(view.branches().size()),
                        text(view.clientName())),
                AdminPrinter::json);
    }

    void transaction(TransactionView view) {
        if (json) {
            out.println(json(view));
            return;
        }
        table(List.of(
                List.of("transaction", view.tx().toString()),
                List.of("state", view.state().name()),
                List.of("outcome", or(view.outcome())),
                List.of("reason", or(view.reason())),
                List.of("client", text(view.clientName()))));
        out.println();
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("BRANCH", "RESOURCE", "VOTE", "DONE"));
        for (TransactionView.BranchView branch : view.branches()) {
            rows.add(List.of(branch.branch().toString(), branch.resource(), or(branch.vote()), yes(branch.done())));
        }
        table(rows);
    }

    private static JsonLine json(TransactionView view) {
        return new JsonLine()
                .add("tx", view.tx().toString())
                .add("state", view.state().name())
                .add("outcome", view.outcome() == null ? null : view.outcome().name())
                .add(
                        "reason",
                        view.reason() == null ? null : view.reason().code().name())
                .add("detail", view.reason() == null ? null : view.reason().detail())
                .add("client", view.clientName())
                .addObjects(
                        "branches",
                        view.branches().stream()
                                .map(branch -> new JsonLine()
                                        .add("branch", branch.branch().toString())
                                        .add("resource", branch.resource())
                                        .add(
                                                "vote",
                                                branch.vote() == null
                                                        ? null
                                                        : branch.vote().name())
                                        .add("done", branch.done()))
                                .toList());
    }

    void agents(Listing<AgentHello> list) {
        if (json) {
            list.items().forEach(agent -> out.println(json(agent)));
            more(list.truncated());
        } else {
            List<List<String>> rows = new ArrayList<>();
            rows.add(List.of("INSTANCE", "RESOURCE", "KIND", "ROLE", "SQL ADDRESS", "IDENTITY"));
            for (AgentHello agent : list.items()) {
                for (AgentHello.AgentResource resource : agent.resources()) {
                    rows.add(List.of(
                            instance(agent),
                            resource.name(),
                            resource.kind(),
                            text(resource.role()),
                            or(resource.sqlAddress()),
                            resource.identity()));
                }
            }
            table(rows);
            more(list.truncated());
        }
    }

    private static JsonLine json(AgentHello agent) {
        return new JsonLine()
                .add("instance", instance(agent))
                .addObjects(
                        "resources",
                        agent.resources().stream()
                                .map(resource -> new JsonLine()
                                        .add("name", resource.name())
                                        .add("kind", resource.kind())
                                        .add("identity", resource.identity())
                                        .add("role", resource.role())
                                        .add("sqlAddress", resource.sqlAddress()))
                                .toList());
    }

    private static String instance(AgentHello agent) {
        return new ClusterId(agent.instance()).toString();
    }

    void inDoubt(Listing<InDoubtView> list) {
        list(
                list,
                List.of("TX", "BRANCH", "RESOURCE", "OUTCOME", "HELD"),
                view -> List.of(
                        view.tx().toString(),
                        view.branch().toString(),
                        view.resource(),
                        view.outcome().name(),
                        yes(view.held())),
                view -> new JsonLine()
                        .add("tx", view.tx().toString())
                        .add("branch", view.branch().toString())
                        .add("resource", view.resource())
                        .add("outcome", view.outcome().name())
                        .add("held", view.held()));
    }

    void forced(String tx, @Nullable String branch, Decision decision, Outcome outcome) {
        if (json) {
            out.println(new JsonLine()
                    .add("tx", tx)
                    .add("branch", branch)
                    .add("decision", decision.name())
                    .add("outcome", outcome.name()));
        } else if (branch == null) {
            out.println("closed " + tx + "; it is " + outcome);
        } else {
            out.println("forced " + decision + " of branch " + branch + "; its transaction is " + outcome);
        }
    }

    void changed(String node, String what) {
        out.println(json ? new JsonLine().add("node", node).add("done", what).toString() : what + " " + node);
    }

    /** Held, released and the like. A misspelt name is taken, too: an agent of it may come; so it has to be said. */
    void done(String resource, String what, boolean known) {
        String doubt = known ? "" : "; no agent of it has connected to this leader: is the name right?";
        out.println(
                json
                        ? new JsonLine()
                                .add("resource", resource)
                                .add("done", what)
                                .add("known", known)
                                .toString()
                        : what + " " + resource + doubt);
    }

    private <T> void list(
            Listing<T> list, List<String> titles, Function<T, List<String>> row, Function<T, JsonLine> line) {
        if (json) {
            list.items().forEach(item -> out.println(line.apply(item)));
            more(list.truncated());
            return;
        }
        List<List<String>> rows = new ArrayList<>();
        rows.add(titles);
        list.items().forEach(item -> rows.add(row.apply(item)));
        table(rows);
        more(list.truncated());
    }

    private void more(boolean truncated) {
        if (truncated) {
            out.println(json ? new JsonLine().add("truncated", true).toString() : "... and more: raise --limit");
        }
    }

    private void table(List<List<String>> rows) {
        int columns = rows.get(0).size();
        int[] widths = new int[columns];
        for (List<String> row : rows) {
            for (int i = 0; i < columns; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < columns; i++) {
                String cell = row.get(i);
                line.append(plain(cell));
                if (i + 1 < columns) {
                    line.append(" ".repeat(widths[i] - cell.length() + 2));
                }
            }
            out.println(line);
        }
    }

    /** What peers call themselves must not steer a terminal. */
    private static String plain(String cell) {
        return cell.replaceAll("\\p{Cntrl}", "?");
    }

    private static String or(@Nullable Object value) {
        return value == null ? NOTHING : value.toString();
    }

    private static String text(String text) {
        return text.isEmpty() ? NOTHING : text;
    }

    private static String yes(boolean value) {
        return value ? "yes" : "no";
    }

    private static String joined(List<String> names) {
        return names.isEmpty() ? NOTHING : String.join(", ", names);
    }
}
