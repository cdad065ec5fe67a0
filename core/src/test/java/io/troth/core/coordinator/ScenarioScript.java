package io.troth.core.coordinator;

import io.troth.core.Between;
import io.troth.core.BranchId;
import io.troth.core.BranchWork;
import io.troth.core.Decision;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.ProtocolViolation;
import io.troth.core.Reason;
import io.troth.core.ScenarioWords;
import io.troth.core.SessionKey;
import io.troth.core.Vote;
import io.troth.core.coordinator.AgentHello.AgentResource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Runs the commands of a scenario script against the real machine. */
final class ScenarioScript {

    private final Between between;
    private final ActionText text = new ActionText();
    private final SimulatedLog log = new SimulatedLog();
    private final Map<String, StreamId> streams = new HashMap<>();
    /** Resource and identity of each agent, as {@code name=identity}. */
    private final Map<String, List<String>> resources = new HashMap<>();

    private final List<GlobalTxId> fetches = new ArrayList<>();
    private CoordinatorLimits limits = CoordinatorLimits.DEFAULTS;
    private CoordinatorStateMachine machine = new CoordinatorStateMachine(0, limits);
    private long epoch;
    private long nextStream = 1;
    private long nextCorrelation = 1;
    private final List<String> output = new ArrayList<>();

    ScenarioScript(Between between) {
        this.between = between;
    }

    /** What the command makes the machine say, a line each. */
    List<String> run(String line) {
        output.clear();
        Words words = new Words(line);
        if (!runLog(words) && !runPeers(words) && !runTransaction(words) && !runRest(words)) {
            throw new IllegalArgumentException("no such command: " + line);
        }
        words.end();
        return List.copyOf(output);
    }

    CoordinatorStateMachine machine() {
        return machine;
    }

    /** What the machine holds of a transaction; null when nothing. */
    @Nullable
    TransactionView find(String tx) {
        return machine.find(new Words("find " + tx).tx());
    }

    private boolean runLog(Words words) {
        switch (words.command) {
            case "start" -> {
                List.of("lead 1", "apply", "agent a accounts", "agent b audit", "client c")
                        .forEach(this::run);
                output.clear();
            }
            case "limit" -> limits = words.limits();
            case "lead" -> lead(words);
            case "apply" -> {
                while (log.hasHanded()) {
                    applyNext();
                }
            }
            case "apply-one" -> applyNext();
            case "durable" -> log.flush();
            case "crash" -> {
                log.crash();
                machine = new CoordinatorStateMachine(0, limits);
                fetches.clear();
            }
            case "plant" -> plant(words);
            case "reproposed" ->
                apply(new LogEntry(epoch, new LogRecord.Commit(words.tx(), List.of(words.yes(words.next())))));
            case "fetch" -> {
                List<GlobalTxId> asked = List.copyOf(fetches);
                fetches.clear();
                asked.forEach(tx -> step(new Event.CommitFetched(tx, log.find(tx))));
            }
            case "applied-commit" -> {
                GlobalTxId tx = words.tx();
                List<String> branches = words.isEmpty() ? List.of("a1", "b1") : words.rest();
                apply(new LogEntry(
                        epoch,
                        new LogRecord.Commit(
                                tx, branches.stream().map(words::yes).toList())));
            }
            case "applied-end" -> apply(new LogEntry(epoch, new LogRecord.End(words.tx())));
            case "lost" -> step(new Event.LeadershipLost());
            default -> {
                return false;
            }
        }
        return true;
    }

    private void lead(Words words) {
        epoch = words.number();
        long batch = words.option("batch", 0);
        machine = new CoordinatorStateMachine(0, limits);
        for (LogEntry entry : log.recovered()) {
            output.add("recovered " + entry.record().accept(text));
            apply(entry);
        }
        step(new Event.LeadershipStarted(own(), batch));
    }

    private void show(int limit) {
        LeaderView view = machine.view();
        TreeMap<TransactionState, Integer> open = new TreeMap<>(view.open());
        open.values().removeIf(count -> count == 0);
        output.add((view.epoch() == null ? "no epoch" : "epoch " + view.epoch().number())
                + (view.ready() ? " ready" : "") + (view.distrusted() ? " distrusted" : "")
                + (view.accepting() ? " accepting" : "") + ", open " + open + ", unended " + view.unended()
                + ", left alone " + view.leftAlone() + ", sessions " + view.sessions() + ", agents " + view.agents()
                + ", held " + view.held() + ", excluded " + view.excluded());
        machine.transactions(limit).forEach(transaction -> {
            output.add(ActionText.of(transaction));
            if (!transaction.equals(machine.find(transaction.tx()))) {
                throw new AssertionError("found is " + machine.find(transaction.tx()));
            }
        });
    }

    private void plant(Words words) {
        String kind = words.next();
        long number = words.number();
        long entry = words.option("entry", number);
        LogRecord record =
                kind.equals("DISTRUST") ? new LogRecord.Distrust(number) : new LogRecord.Epoch(epoch(number));
        log.plant(new LogEntry(entry, record));
    }

    private boolean runPeers(Words words) {
        switch (words.command) {
            case "agent" -> agent(words);
            case "drop" -> step(new Event.AgentDisconnected(words.stream()));
            case "client" -> {
                String name = words.next();
                RequestId request = new RequestId(streams.computeIfAbsent(name, this::newStream), nextCorrelation++);
                step(new Event.OpenSession(request, key(), "client " + name, words.flag("in-place")));
            }
            case "resume" -> {
                String name = words.next();
                RequestId request = new RequestId(newStream(name), nextCorrelation++);
                streams.put(name, request.stream());
                step(new Event.ResumeSession(request, own(), words.number(), words.key()));
            }
            case "close" -> step(new Event.CloseSession(words.stream(), own(), words.number(), words.key()));
            case "progress" ->
                step(new Event.Progress(words.stream(), own(), words.number(), words.key(), words.number()));
            case "gone" -> step(new Event.ClientDisconnected(words.stream()));
            default -> {
                return false;
            }
        }
        return true;
    }

    private void agent(Words words) {
        String name = words.next();
        EpochId heard = words.has("heard") ? Words.epochOf(words.value("heard")) : null;
        long batch = words.option("batch", 0);
        boolean again = words.flag("same-stream");
        List<AgentResource> offered = new ArrayList<>();
        List<String> all = words.rest();
        for (String each : all) {
            String[] parts = (each + "=db-" + each).split("=", -1);
            offered.add(new AgentResource(parts[0], "postgresql", parts[1], "troth", null));
        }
        resources.put(name, all.stream().map(each -> each.split("=", -1)[0]).toList());
        StreamId before = streams.get(name);
        StreamId stream = again && before != null ? before : newStream(name);
        streams.put(name, stream);
        if (before != null && !before.equals(stream)) {
            text.name(before, name + " (old)");
        }
        step(new Event.AgentConnected(stream, new AgentHello(name.charAt(0), heard, batch, offered)));
    }

    private boolean runTransaction(Words words) {
        switch (words.command) {
            case "enlist" -> {
                StreamId stream = words.stream();
                String branch = words.next();
                GlobalTxId tx = words.tx();
                step(new Event.Enlist(
                        stream, tx, words.key(), branch(branch), resource(branch), words.option("left", 60_000)));
            }
            case "commit" -> {
                RequestId request = words.request();
                SessionKey key = words.key();
                long lowest = words.option("lowest", 1);
                long left = words.option("left", 60_000);
                boolean wait = !words.flag("decided");
                List<Event.CommitRequested.BranchVote> votes = InPlaceVotes.of(words);
                step(new Event.CommitRequested(request, words.tx(), key, lowest, words.content(), votes, wait, left));
            }
            case "rollback" -> {
                RequestId request = words.request();
                GlobalTxId tx = words.tx();
                SessionKey key = words.key();
                long lowest = words.option("lowest", 1);
                List<BranchWork> works = words.works();
                step(new Event.RollbackRequested(
                        request, tx, key, lowest, works, Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT)));
            }
            case "ask" -> {
                RequestId request = words.request();
                GlobalTxId tx = words.tx();
                step(new Event.OutcomeInquiry(request, tx, words.isEmpty() ? null : words.content()));
            }
            case "vote" -> {
                StreamId stream = words.stream();
                BranchId branch = branch(words.next());
                GlobalTxId tx = words.tx();
                Vote vote = Vote.valueOf(words.next());
                Reason reason = vote == Vote.NO ? Reason.of(ErrorCode.valueOf(words.next())) : null;
                Proof proof = words.flag("proof") ? Proof.of(new byte[] {1}) : null;
                step(new Event.VoteReceived(stream, tx, branch, vote, proof, reason));
            }
            case "done" -> {
                StreamId stream = words.stream();
                BranchId branch = branch(words.next());
                GlobalTxId tx = words.tx();
                PhaseTwoResult result =
                        words.isEmpty() ? PhaseTwoResult.COMMITTED : PhaseTwoResult.valueOf(words.next());
                step(new Event.BranchDone(stream, tx, branch, result, "so says the database"));
            }
            case "inquire" -> {
                StreamId stream = words.stream();
                String branch = words.next();
                step(new Event.BranchInquiry(stream, words.tx(), branch(branch), resource(branch)));
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean runRest(Words words) {
        switch (words.command) {
            case "proof" -> {
                StreamId stream = words.stream();
                BranchId branch = branch(words.next());
                step(new Event.OnePhaseProof(stream, words.tx(), branch, Proof.of(new byte[] {1})));
            }
            case "result" -> {
                StreamId stream = words.stream();
                BranchId branch = branch(words.next());
                step(new Event.OnePhaseResult(
                        stream, words.tx(), branch, OnePhaseFate.valueOf(words.next()), words.reason()));
            }
            case "fate" -> {
                StreamId stream = words.stream();
                BranchId branch = branch(words.next());
                step(new Event.FateReported(stream, words.tx(), branch, Fate.valueOf(words.next())));
            }
            case "scan" -> {
                StreamId stream = words.stream();
                String resource = words.next();
                boolean empty = words.isEmpty();
                EpochId lowest = empty ? null : epoch(words.number());
                step(new Event.ScanReported(stream, resource, lowest, empty ? 0 : words.number()));
            }
            case "timer" -> step(new Event.TimerFired(words.timer()));
            case "accepting" -> step(AcceptingWords.event(words));
            case "force" -> {
                RequestId request = words.request();
                GlobalTxId tx = words.tx();
                String branch = words.next();
                Decision decision = Decision.valueOf(words.next());
                BranchId id = branch.equals("-") ? null : branch(branch);
                step(new Event.OperatorForces(request, tx, id, decision, "operator"));
            }
            case "exclude" -> step(new Event.ResourceExcluded(words.next(), true));
            case "hold" -> step(new Event.ResourceHeld(words.next(), true));
            case "release" -> step(new Event.ResourceHeld(words.next(), false));
            case "include" -> step(new Event.ResourceExcluded(words.next(), false));
            case "show" -> show((int) words.option("limit", 100));
            case "agents" ->
                machine.agents((int) words.option("limit", 100))
                        .forEach(hello -> output.add((char) hello.instance() + " offers "
                                + hello.resources().stream()
                                        .map(AgentResource::name)
                                        .toList()));
            case "in-doubt" ->
                machine.inDoubt((int) words.option("limit", 100))
                        .forEach(view -> output.add(ActionText.of(view.tx()) + " " + ActionText.of(view.branch())
                                + " at " + view.resource() + " " + view.outcome() + (view.held() ? " held" : "")));
            default -> {
                return false;
            }
        }
        return true;
    }

    private void applyNext() {
        LogEntry entry = log.next();
        output.add("applied " + entry.record().accept(text));
        apply(entry);
    }

    private void step(Event event) {
        take(() -> machine.step(event));
    }

    private void apply(LogEntry entry) {
        take(() -> machine.apply(entry));
    }

    private void take(Supplier<List<Action>> does) {
        List<Action> actions;
        try {
            actions = does.get();
        } catch (ProtocolViolation violation) {
            output.add("VIOLATION " + violation.invariant());
            return;
        }
        for (Action action : actions) {
            if (action instanceof Action.Append append) {
                log.append(epoch, append.record(), append.forced());
            } else if (action instanceof Action.FetchCommit fetch) {
                fetches.add(fetch.tx());
            } else if (action instanceof Action.Purge purge) {
                log.purge(purge.horizon());
            }
            output.add(action.accept(text));
        }
        machine = between.next(
                machine,
                CoordinatorStateMachine::encode,
                CoordinatorStateMachine::encodeFolded,
                bytes -> CoordinatorStateMachine.decode(bytes, limits));
    }

    private StreamId newStream(String name) {
        StreamId stream = new StreamId(nextStream++);
        text.name(stream, name);
        return stream;
    }

    private EpochId own() {
        return epoch(epoch);
    }

    private static EpochId epoch(long number) {
        return new EpochId(number, nonce(number));
    }

    private static long nonce(long number) {
        return 0x1000 + number;
    }

    private static SessionKey key() {
        return new SessionKey(7, 7);
    }

    private static BranchId branch(String name) {
        return new BranchId(name.charAt(0), Long.parseLong(name.substring(1).split("@", -1)[0]));
    }

    /** The resource after the @, else the first one of the agent with that letter. */
    private String resource(String branch) {
        int at = branch.indexOf('@');
        if (at >= 0) {
            return branch.substring(at + 1);
        }
        List<String> offered = resources.get(branch.substring(0, 1));
        if (offered == null) {
            throw new IllegalArgumentException("say the resource, as in " + branch + "@accounts");
        }
        return offered.get(0);
    }

    private final class Words extends ScenarioWords {

        Words(String line) {
            super(line);
        }

        /** An epoch number; with an x after it the nonce is another. */
        private static EpochId epochOf(String word) {
            boolean other = word.endsWith("x");
            EpochId epoch = epoch(Long.parseLong(other ? word.substring(0, word.length() - 1) : word));
            return other ? new EpochId(epoch.number(), epoch.nonce() + 99) : epoch;
        }

        StreamId stream() {
            String name = next();
            return streams.computeIfAbsent(name, ScenarioScript.this::newStream);
        }

        RequestId request() {
            return new RequestId(stream(), nextCorrelation++);
        }

        SessionKey key() {
            return flag("wrong-key") ? new SessionKey(6, 6) : ScenarioScript.key();
        }

        /** {@code epoch.session.sequence}, after a shard and a colon; with an x after the epoch its nonce is another. */
        GlobalTxId tx() {
            String[] shard = next().split(":", -1);
            String[] parts = shard[shard.length - 1].split("\\.", -1);
            return new GlobalTxId(
                    shard.length == 1 ? 0 : Integer.parseInt(shard[0]),
                    epochOf(parts[0]),
                    Long.parseLong(parts[1]),
                    Long.parseLong(parts[2]));
        }

        LogRecord.YesBranch yes(String branch) {
            return new LogRecord.YesBranch(branch(branch), resource(branch), null);
        }

        CommitContent content() {
            boolean onePhase = !flag("two-phase");
            return new CommitContent(works(), onePhase);
        }

        /** Branches with one call each, or as many as an asterisk says: {@code a1*2}. */
        List<BranchWork> works() {
            List<BranchWork> works = new ArrayList<>();
            for (String word : rest()) {
                String[] parts = (word + "*1").split("\\*", -1);
                works.add(new BranchWork(branch(parts[0]), resource(parts[0]), Integer.parseInt(parts[1])));
            }
            return works;
        }

        @Nullable
        Reason reason() {
            return isEmpty() ? null : Reason.of(ErrorCode.valueOf(next()));
        }

        CoordinatorLimits limits() {
            CoordinatorLimits d = CoordinatorLimits.DEFAULTS;
            return new CoordinatorLimits(
                    (int) option("open", d.openTransactionsMax()),
                    (int) option("openPerSession", d.openTransactionsPerSessionMax()),
                    (int) option("window", d.sequenceWindowMax()),
                    (int) option("branches", d.branchesPerTransactionMax()),
                    (int) option("sessions", d.sessionsMax()),
                    (int) option("agents", d.agentStreamsMax()),
                    d.transactionTimeoutMaxMillis(),
                    d.completionLimitMillis(),
                    d.phaseTwoRetryMillis(),
                    d.instanceGoneMillis(),
                    d.fateRetryMillis(),
                    d.sessionGraceMillis(),
                    d.sessionAgeMaxMillis(),
                    d.outcomeRetentionMillis());
        }

        TimerKey timer() {
            String kind = next().toLowerCase(Locale.ROOT);
            return switch (kind) {
                case "deadline" -> new TimerKey.Deadline(tx());
                case "completion" -> new TimerKey.CompletionLimit(tx());
                case "retry" -> new TimerKey.PhaseTwoRetry(tx());
                case "gone" -> new TimerKey.InstanceGone(tx());
                case "fate" -> new TimerKey.FateRetry(tx());
                case "grace" -> new TimerKey.SessionGrace(number());
                case "age" -> new TimerKey.SessionAge(number());
                case "retention" -> {
                    String[] parts = next().split("\\.", -1);
                    long number = Long.parseLong(parts[0]);
                    long session = parts[1].equals("*") ? Long.MAX_VALUE : Long.parseLong(parts[1]);
                    yield new TimerKey.Retention(epoch(number), session);
                }
                default -> throw new IllegalArgumentException("no such timer: " + kind);
            };
        }
    }
}
