package io.troth.core.participant;

import io.troth.core.Between;
import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Proof;
import io.troth.core.ProtocolViolation;
import io.troth.core.Reason;
import io.troth.core.ScenarioWords;
import io.troth.core.SessionKey;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.Fate;
import io.troth.core.coordinator.OnePhaseFate;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Runs the commands of a scenario script against the real machine of agent {@code a}, which wraps {@code accounts} and
 * {@code books}.
 */
final class AgentScript {

    private static final List<String> RESOURCES = List.of("accounts", "books");

    private final Between between;
    private AgentLimits limits = AgentLimits.DEFAULTS;
    private AgentStateMachine machine = new AgentStateMachine('a', RESOURCES, limits);
    private long ticket;
    private final List<String> output = new ArrayList<>();

    AgentScript(Between between) {
        this.between = between;
    }

    /** The machine as it is now. */
    AgentStateMachine machine() {
        return machine;
    }

    /** What the command makes the machine say, a line each. */
    List<String> run(String line) {
        output.clear();
        Words words = new Words(line);
        if (!runProcess(words) && !runCalls(words) && !runOrders(words) && !runDatabase(words)) {
            throw new IllegalArgumentException("no such command: " + line);
        }
        words.end();
        return List.copyOf(output);
    }

    private boolean runProcess(Words words) {
        switch (words.command) {
            case "start" -> {
                List.of(
                                "cluster 7",
                                "listed accounts",
                                "listed books",
                                "heard 3",
                                "welcome 3",
                                "listed accounts",
                                "listed books")
                        .forEach(this::run);
                output.clear();
            }
            case "limit" -> {
                limits = words.limits();
                machine = new AgentStateMachine('a', RESOURCES, limits);
            }
            case "show" -> show();
            case "cluster" -> step(new AgentEvent.ClusterHeard(new ClusterId(words.number())));
            case "heard" -> step(new AgentEvent.Heard(words.epoch(), words.option("batch", 0)));
            case "broken" -> step(new AgentEvent.StreamBroken(words.reason(ErrorCode.STREAM_BROKEN)));
            case "drain" -> step(new AgentEvent.DrainStarted());
            case "stop" -> step(new AgentEvent.Stopped(Reason.of(ErrorCode.DRAINING)));
            case "timer" -> step(new AgentEvent.TimerFired(words.timer()));
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean runCalls(Words words) {
        switch (words.command) {
            case "join" -> {
                GlobalTxId tx = words.tx();
                String resource = words.next();
                long call = words.option("call", 1);
                step(new AgentEvent.CallJoins(
                        ++ticket,
                        new ClusterId(words.option("cluster", 7)),
                        tx,
                        new SessionKey(7, words.flag("wrong-key") ? 8 : 7),
                        call,
                        words.option("scope", call),
                        resource,
                        words.option("remaining", 60_000),
                        words.flag("in-place")));
            }
            case "announced" -> step(new AgentEvent.Announced(words.branch(), words.option("remaining", 60_000)));
            case "commit-in-place" -> step(new AgentEvent.CommitInPlace(words.tx(), words.branch()));
            case "prepare-in-place" -> step(new AgentEvent.PrepareInPlace(words.tx(), words.branch()));
            case "commit-prepared-in-place" -> step(new AgentEvent.CommitPreparedInPlace(words.tx(), words.branch()));
            case "rollback-in-place" ->
                step(new AgentEvent.RollbackInPlace(words.tx(), words.reason(ErrorCode.ROLLED_BACK_BY_CLIENT)));
            case "close-scope" -> step(new AgentEvent.ScopeClosed(words.tx(), words.number()));
            case "statement" -> step(new AgentEvent.StatementBegins(words.branch(), words.number()));
            case "statement-ended" -> {
                BranchId branch = words.branch();
                StatementEnd.Kind kind = StatementEnd.Kind.valueOf(words.next());
                step(new AgentEvent.StatementEnded(branch, new StatementEnd(kind, words.reasonOrNull())));
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    /** Orders come from the leader of the transaction's epoch, or from {@code by=}. */
    private boolean runOrders(Words words) {
        if (words.command.equals("welcome")) {
            EpochId epoch = words.epoch();
            step(new AgentEvent.Ordered(epoch, new AgentMessage.Welcome(epoch)));
            return true;
        }
        if (words.command.equals("session-closed")) {
            EpochId epoch = words.epoch();
            order(words, epoch, new AgentMessage.SessionClosed(epoch, words.number()));
            return true;
        }
        if (!List.of(
                        "prepare",
                        "commit-one",
                        "ask-one",
                        "commit",
                        "rollback",
                        "enlist-refused",
                        "inquiry-answer",
                        "ask-fate")
                .contains(words.command)) {
            return false;
        }
        GlobalTxId tx = words.tx();
        BranchId branch = words.branch();
        AgentMessage message = switch (words.command) {
            case "prepare" -> new AgentMessage.Prepare(tx, branch, (int) words.option("calls", 1));
            case "commit-one" -> new AgentMessage.CommitOnePhase(tx, branch, (int) words.option("calls", 1));
            case "ask-one" -> new AgentMessage.AskOnePhase(tx, branch);
            case "commit" ->
                new AgentMessage.CommitBranch(tx, branch, words.resource(), words.proof(), !words.flag("again"));
            case "rollback" -> new AgentMessage.RollbackBranch(tx, branch, words.resource(), words.flag("forced"));
            case "enlist-refused" ->
                new AgentMessage.EnlistRefused(tx, branch, words.reason(ErrorCode.TRANSACTION_ENDED));
            case "inquiry-answer" -> new AgentMessage.InquiryAnswer(tx, branch, Outcome.valueOf(words.next()));
            default -> new AgentMessage.AskFate(tx, branch, words.resource(), Proof.of(new byte[] {1}));
        };
        order(words, tx.epoch(), message);
        return true;
    }

    private void order(Words words, EpochId epoch, AgentMessage message) {
        step(new AgentEvent.Ordered(words.has("by") ? epoch(words.value("by")) : epoch, message));
    }

    private boolean runDatabase(Words words) {
        switch (words.command) {
            case "listed" -> {
                String resource = words.next();
                int others = (int) words.option("others", 0);
                List<PreparedXid> xids = new ArrayList<>();
                while (!words.isEmpty()) {
                    xids.add(new PreparedXid(words.tx(), words.branch()));
                }
                step(new AgentEvent.ScanCompleted(resource, ScanCompletion.listed(xids, others)));
            }
            case "list-failed" ->
                step(new AgentEvent.ScanCompleted(
                        words.next(), ScanCompletion.failed(Reason.of(ErrorCode.CONNECTION_LOST))));
            case "connection-lost" -> step(new AgentEvent.DatabaseConnectionLost(words.next()));
            case "prepared" -> {
                BranchId branch = words.branch();
                PrepareResult.Kind kind = PrepareResult.Kind.valueOf(words.next());
                step(new AgentEvent.PrepareCompleted(
                        branch, new PrepareResult(kind, words.proof(), words.reasonOrNull())));
            }
            case "proof" -> step(new AgentEvent.OnePhaseProofKnown(words.branch(), Proof.of(new byte[] {1})));
            case "committed-one" -> {
                BranchId branch = words.branch();
                OnePhaseFate fate = OnePhaseFate.valueOf(words.next());
                step(new AgentEvent.OnePhaseCompleted(branch, new OnePhaseCompletion(fate, words.reasonOrNull())));
            }
            case "rolled-back" -> step(new AgentEvent.RollbackCompleted(words.branch()));
            case "phase-two" -> {
                BranchId branch = words.branch();
                PhaseTwoCompletion.Kind kind = PhaseTwoCompletion.Kind.valueOf(words.next());
                step(new AgentEvent.PhaseTwoCompleted(
                        branch, new PhaseTwoCompletion(kind, "so says the database", words.reasonOrNull())));
            }
            case "fate" -> step(new AgentEvent.FateKnown(words.tx(), words.branch(), Fate.valueOf(words.next())));
            default -> {
                return false;
            }
        }
        return true;
    }

    private void show() {
        output.add("cluster " + AgentText.of(machine.cluster()) + ", ready " + AgentText.of(machine.ready())
                + ", highest epoch " + AgentText.of(machine.highestEpoch()) + " batch " + machine.highestBatch());
        output.add(machine.unfinished() + " unfinished, " + machine.unprepared() + " unprepared");
        for (long counter = 1; counter <= machine.branchCounter; counter++) {
            BranchId branch = new BranchId('a', counter);
            output.add(AgentText.of(branch) + " " + machine.stateOf(branch)
                    + (machine.stateOf(branch) == BranchState.ACTIVE ? ", takes work" : ""));
        }
    }

    private void step(AgentEvent event) {
        try {
            machine.step(event).forEach(action -> output.add(AgentText.of(action)));
        } catch (ProtocolViolation violation) {
            output.add("VIOLATION " + violation.invariant());
            return;
        }
        machine = between.next(
                machine,
                AgentStateMachine::encode,
                AgentStateMachine::encodeFolded,
                bytes -> AgentStateMachine.decode(bytes, limits));
    }

    /** A number; with an x after it the nonce is another. */
    private static EpochId epoch(String word) {
        boolean other = word.endsWith("x");
        long number = Long.parseLong(other ? word.substring(0, word.length() - 1) : word);
        return new EpochId(number, 0x1000 + number + (other ? 99 : 0));
    }

    private static final class Words extends ScenarioWords {

        Words(String line) {
            super(line);
        }

        EpochId epoch() {
            return AgentScript.epoch(next());
        }

        /** {@code epoch.session.sequence}, in shard 0 unless a shard and a colon stand before it. */
        GlobalTxId tx() {
            String[] shard = next().split(":", -1);
            String[] parts = shard[shard.length - 1].split("\\.", -1);
            return new GlobalTxId(
                    shard.length == 1 ? 0 : Integer.parseInt(shard[0]),
                    AgentScript.epoch(parts[0]),
                    Long.parseLong(parts[1]),
                    Long.parseLong(parts[2]));
        }

        BranchId branch() {
            String name = next();
            return new BranchId(name.charAt(0), Long.parseLong(name.substring(1)));
        }

        /** The resource that {@code at=} names, else the first one. */
        String resource() {
            return has("at") ? value("at") : RESOURCES.get(0);
        }

        @Nullable
        Proof proof() {
            return flag("proof") ? Proof.of(new byte[] {1}) : null;
        }

        @Nullable
        Reason reasonOrNull() {
            return isEmpty() ? null : Reason.of(ErrorCode.valueOf(next()));
        }

        Reason reason(ErrorCode otherwise) {
            Reason reason = reasonOrNull();
            return reason == null ? Reason.of(otherwise) : reason;
        }

        AgentTimerKey timer() {
            String kind = next();
            return switch (kind) {
                case "deadline" -> new AgentTimerKey.Deadline(tx());
                case "retry" -> new AgentTimerKey.PhaseTwoRetry(branch());
                case "scan" -> new AgentTimerKey.Scan(next());
                case "sweep" -> new AgentTimerKey.KeptSweep();
                default -> throw new IllegalArgumentException("no such timer: " + kind);
            };
        }

        AgentLimits limits() {
            AgentLimits d = AgentLimits.DEFAULTS;
            return new AgentLimits(
                    (int) option("branches", d.branchesMax()),
                    (int) option("perTransaction", d.branchesPerTransactionMax()),
                    (int) option("calls", d.callsPerTransactionMax()),
                    (int) option("kept", d.keptResultsMax()),
                    d.keptSweepMillis(),
                    (int) option("sweeps", d.keptSweeps()),
                    d.scanIntervalMillis(),
                    d.phaseTwoRetryMillis(),
                    d.phaseTwoRetryMaxMillis());
        }
    }
}
