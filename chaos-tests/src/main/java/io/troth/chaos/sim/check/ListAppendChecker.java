package io.troth.chaos.sim.check;

import io.troth.chaos.sim.check.BranchFacts.State;
import io.troth.core.GlobalTxId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Lists that are only ever appended to, each value once in a run. The list tells the order of its writers; whoever read
 * it tells what came before and after. From that come the dependencies of Adya: write-write, write-read and, for reads
 * under lock, read-write. A cycle among committed transactions is an order that cannot have been. Values must moreover be
 * neither lost nor doubled nor out of nowhere. The idea is Elle's.
 *
 * <p>Reads without a lock are no promise of a serial order, only of committed data: they count for what they saw, not for
 * what they did not see. A database that was restored has no one order, and is passed over.
 */
public final class ListAppendChecker implements Checker {

    /** What the key of a list begins with. */
    public static final String LIST = "list";

    /** One list, and who has appended what to it. */
    private static final class Log {
        final String name;
        final List<Long> order;
        final Map<Long, BranchFacts> writers = new TreeMap<>();
        final List<Reading> readings = new ArrayList<>();

        Log(String name, List<Long> order) {
            this.name = name;
            this.order = order;
        }
    }

    /** A committed transaction saw a list. */
    private record Reading(GlobalTxId tx, List<Long> seen, boolean locked) {}

    @Override
    public List<String> complaints(History history) {
        List<String> complaints = new ArrayList<>();
        Map<String, Log> logs = logs(history, complaints);
        DependencyGraph graph = new DependencyGraph();
        for (Log log : logs.values()) {
            checkValues(log, complaints);
            addDependencies(log, graph, complaints);
        }
        String cycle = graph.cycle();
        if (cycle != null) {
            complaints.add("list-append: a cycle: " + cycle);
        }
        return complaints;
    }

    private static Map<String, Log> logs(History history, List<String> complaints) {
        Map<String, Log> logs = new TreeMap<>();
        Map<GlobalTxId, List<BranchFacts>> transactions = history.byTransaction();
        for (BranchFacts branch : history.branches()) {
            if (history.isTouched(branch.resource())) {
                continue;
            }
            boolean readerCounts =
                    history.isListed(branch) && history.isCommitted(transactions.getOrDefault(branch.tx(), List.of()));
            for (Step step : branch.steps()) {
                if (!step.key().startsWith(LIST)) {
                    continue;
                }
                Log log = logs.computeIfAbsent(
                        branch.resource() + "/" + step.key(),
                        name -> new Log(name, finalList(history, branch.resource(), step.key())));
                if (step.kind() == Step.Kind.APPEND) {
                    addWriter(log, step.argument(), branch, complaints);
                }
                if (readerCounts) {
                    log.readings.add(new Reading(branch.tx(), step.seen(), step.kind() != Step.Kind.READ));
                }
            }
        }
        return logs;
    }

    /** A call that was delivered twice may have appended twice, but not for good. */
    private static void addWriter(Log log, long value, BranchFacts branch, List<String> complaints) {
        BranchFacts other = log.writers.get(value);
        if (other == null || other.state() != State.COMMITTED) {
            log.writers.put(value, branch);
        } else if (branch.state() == State.COMMITTED) {
            complaints.add("list-append: " + value + " was appended to " + log.name + " by " + other.tx()
                    + " and again by " + branch.tx());
        }
    }

    private static List<Long> finalList(History history, String resource, String key) {
        return history.rows().getOrDefault(resource, Map.of()).getOrDefault(key, List.of());
    }

    private static void checkValues(Log log, List<String> complaints) {
        Map<Long, Integer> times = new TreeMap<>();
        log.order.forEach(value -> times.merge(value, 1, Integer::sum));
        times.forEach((value, count) -> {
            BranchFacts writer = log.writers.get(value);
            if (count > 1) {
                complaints.add("list-append: " + value + " is " + count + " times in " + log.name);
            }
            if (writer == null || writer.state() != State.COMMITTED) {
                complaints.add("list-append: " + value + " in " + log.name + " is a ghost: "
                        + (writer == null ? "nobody appended it" : AtomicityChecker.named(writer)));
            }
        });
        log.writers.forEach((value, writer) -> {
            if (writer.state() == State.COMMITTED && !times.containsKey(value)) {
                complaints.add("list-append: " + value + " of " + writer.tx() + " is lost from " + log.name);
            }
        });
    }

    private static void addDependencies(Log log, DependencyGraph graph, List<String> complaints) {
        for (int i = 1; i < log.order.size(); i++) {
            depend(graph, writer(log, i - 1), writer(log, i), "ww " + log.name + " " + log.order.get(i));
        }
        for (Reading reading : log.readings) {
            int length = reading.seen().size();
            if (length > log.order.size() || !log.order.subList(0, length).equals(reading.seen())) {
                complaints.add("list-append: " + reading.tx() + " saw " + reading.seen() + " in " + log.name
                        + ", which never was: in the end it is " + log.order);
                continue;
            }
            if (length > 0) {
                depend(graph, writer(log, length - 1), reading.tx(), "wr " + log.name + " " + reading.seen());
            }
            if (reading.locked() && length < log.order.size()) {
                depend(graph, reading.tx(), writer(log, length), "rw " + log.name + " " + reading.seen());
            }
        }
    }

    private static void depend(DependencyGraph graph, @Nullable GlobalTxId from, @Nullable GlobalTxId to, String why) {
        if (from != null && to != null && !from.equals(to)) {
            graph.add(from, to, why);
        }
    }

    private static @Nullable GlobalTxId writer(Log log, int index) {
        BranchFacts writer = log.writers.get(log.order.get(index));
        return writer == null ? null : writer.tx();
    }
}
