package io.troth.core.participant;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.troth.core.ErrorCode;
import io.troth.core.ProtocolViolation;
import io.troth.core.Reason;
import io.troth.core.coordinator.AgentMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/**
 * Goal: every (state, event) pair of one branch is decided on purpose (protocol 14, agent table). Method: the real
 * machine is driven into each state, takes each event, and what it does is compared with a golden file;
 * {@code -Dtransitions.rewrite=true} writes it anew.
 */
class BranchTransitionsTest {

    private static final Path GOLDEN = Path.of("src/test/resources/branch-transitions.txt");
    private static final PreparedXid XID = new PreparedXid(AgentHarness.TX, AgentHarness.BRANCH);

    @Test
    void everyCellOfTheMatrixIsAsWritten() throws IOException {
        String actual = matrix();
        if (Boolean.getBoolean("transitions.rewrite")) {
            Files.writeString(GOLDEN, actual);
        }
        assertEquals(Files.readString(GOLDEN), actual);
    }

    @Test
    void everyStateIsReachedAndLeft() {
        EnumMap<BranchState, Integer> visits = new EnumMap<>(BranchState.class);
        for (Map.Entry<BranchState, Supplier<AgentHarness>> start : states().entrySet()) {
            assertEquals(start.getKey(), start.getValue().get().state());
            for (Function<AgentHarness, List<String>> event : events().values()) {
                AgentHarness harness = start.getValue().get();
                apply(harness, event);
                if (harness.state() != start.getKey()) {
                    visits.merge(start.getKey(), 1, Integer::sum);
                }
            }
        }
        assertEquals(states().keySet(), visits.keySet());
    }

    private static String matrix() {
        StringBuilder text = new StringBuilder("# state | event | next | out\n");
        states().forEach((state, start) -> row(text, label(state), start));
        inPlace().forEach((state, start) -> row(text, label(state) + " in place", start));
        return text.toString();
    }

    private static void row(StringBuilder text, String label, Supplier<AgentHarness> start) {
        text.append('\n');
        events().forEach((name, event) -> {
            AgentHarness harness = start.get();
            BranchState state = harness.state();
            String out = apply(harness, event);
            String next = harness.state() == state ? "=" : harness.state().name();
            text.append(String.join(" | ", label, name, next, out.isEmpty() ? "-" : out))
                    .append('\n');
        });
    }

    private static String label(BranchState state) {
        return state == BranchState.FINISHED ? "none" : state.name();
    }

    private static String apply(AgentHarness harness, Function<AgentHarness, List<String>> event) {
        try {
            harness.notices.clear();
            List<String> out = new ArrayList<>(event.apply(harness));
            harness.notices.stream().filter(AgentNotice.Alarm.class::isInstance).forEach(alarm -> out.add("alarm"));
            return String.join(", ", out);
        } catch (ProtocolViolation violation) {
            return "violation " + violation.invariant();
        }
    }

    private static Map<BranchState, Supplier<AgentHarness>> states() {
        Map<BranchState, Supplier<AgentHarness>> states = new LinkedHashMap<>();
        states.put(BranchState.FINISHED, () -> new AgentHarness().welcomed());
        states.put(BranchState.ACTIVE, () -> new AgentHarness().active());
        states.put(BranchState.PREPARING, () -> new AgentHarness().preparing());
        states.put(BranchState.PREPARED, () -> new AgentHarness().prepared());
        states.put(BranchState.IN_DOUBT, () -> {
            AgentHarness harness = new AgentHarness().preparing();
            harness.step(new AgentEvent.PrepareCompleted(
                    AgentHarness.BRANCH, PrepareResult.lost(Reason.of(ErrorCode.CONNECTION_LOST))));
            harness.step(new AgentEvent.ScanCompleted(AgentHarness.RESOURCE, ScanCompletion.listed(List.of(XID), 0)));
            return harness;
        });
        states.put(BranchState.ONE_PHASE, () -> {
            AgentHarness harness = new AgentHarness().active();
            harness.order(new AgentMessage.CommitOnePhase(AgentHarness.TX, AgentHarness.BRANCH, 1));
            return harness;
        });
        states.put(BranchState.ROLLING_BACK, () -> {
            AgentHarness harness = new AgentHarness().active();
            harness.step(new AgentEvent.TimerFired(new AgentTimerKey.Deadline(AgentHarness.TX)));
            return harness;
        });
        states.put(BranchState.COMMITTING, () -> {
            AgentHarness harness = new AgentHarness().prepared();
            harness.order(commit());
            return harness;
        });
        states.put(BranchState.ROLLING_BACK_PREPARED, () -> {
            AgentHarness harness = new AgentHarness().prepared();
            harness.order(rollback());
            return harness;
        });
        return states;
    }

    /** Of a branch of which only the client in this process has heard. */
    private static Map<BranchState, Supplier<AgentHarness>> inPlace() {
        Map<BranchState, Supplier<AgentHarness>> states = new LinkedHashMap<>();
        states.put(BranchState.ACTIVE, () -> new AgentHarness().activeInPlace());
        states.put(BranchState.ONE_PHASE, () -> {
            AgentHarness harness = new AgentHarness().activeInPlace();
            harness.step(new AgentEvent.CommitInPlace(AgentHarness.TX, AgentHarness.BRANCH));
            return harness;
        });
        states.put(BranchState.ROLLING_BACK, () -> {
            AgentHarness harness = new AgentHarness().activeInPlace();
            harness.step(new AgentEvent.RollbackInPlace(AgentHarness.TX, AgentHarness.WHY));
            return harness;
        });
        states.put(BranchState.PREPARING, () -> new AgentHarness().preparingInPlace());
        states.put(BranchState.PREPARED, () -> new AgentHarness().preparedInPlace());
        states.put(BranchState.IN_DOUBT, () -> {
            AgentHarness harness = new AgentHarness().preparingInPlace();
            harness.step(new AgentEvent.PrepareCompleted(
                    AgentHarness.BRANCH, PrepareResult.lost(Reason.of(ErrorCode.CONNECTION_LOST))));
            harness.step(new AgentEvent.ScanCompleted(AgentHarness.RESOURCE, ScanCompletion.listed(List.of(XID), 0)));
            return harness;
        });
        states.put(BranchState.COMMITTING, () -> {
            AgentHarness harness = new AgentHarness().preparedInPlace();
            harness.step(new AgentEvent.CommitPreparedInPlace(AgentHarness.TX, AgentHarness.BRANCH));
            return harness;
        });
        states.put(BranchState.ROLLING_BACK_PREPARED, () -> {
            AgentHarness harness = new AgentHarness().preparedInPlace();
            harness.order(rollback());
            return harness;
        });
        return states;
    }

    private static Map<String, Function<AgentHarness, List<String>>> events() {
        Map<String, Function<AgentHarness, List<String>>> events = new LinkedHashMap<>();
        events.put("another call", h -> h.join(AgentHarness.TX, 12, 22));
        events.put("statement", h -> h.step(new AgentEvent.StatementBegins(AgentHarness.BRANCH, 21)));
        events.put("connection lost in a statement", h -> {
            List<String> out = new ArrayList<>(h.join(AgentHarness.TX, 12, 22));
            out.addAll(h.step(new AgentEvent.StatementBegins(AgentHarness.BRANCH, 22)));
            out.addAll(h.step(new AgentEvent.StatementEnded(
                    AgentHarness.BRANCH, StatementEnd.connectionLost(Reason.of(ErrorCode.CONNECTION_LOST)))));
            return out;
        });
        events.put("prepare", h -> h.order(new AgentMessage.Prepare(AgentHarness.TX, AgentHarness.BRANCH, 1)));
        events.put(
                "prepare, calls differ",
                h -> h.order(new AgentMessage.Prepare(AgentHarness.TX, AgentHarness.BRANCH, 2)));
        events.put(
                "commit in one phase",
                h -> h.order(new AgentMessage.CommitOnePhase(AgentHarness.TX, AgentHarness.BRANCH, 1)));
        events.put(
                "commit in one phase, calls differ",
                h -> h.order(new AgentMessage.CommitOnePhase(AgentHarness.TX, AgentHarness.BRANCH, 2)));
        events.put("ask one phase", h -> h.order(new AgentMessage.AskOnePhase(AgentHarness.TX, AgentHarness.BRANCH)));
        events.put("COMMIT", h -> h.order(commit()));
        events.put("ROLLBACK", h -> h.order(rollback()));
        events.put(
                "enlist refused",
                h -> h.order(new AgentMessage.EnlistRefused(
                        AgentHarness.TX, AgentHarness.BRANCH, Reason.of(ErrorCode.TRANSACTION_ENDED))));
        events.put("session closed", h -> h.order(new AgentMessage.SessionClosed(AgentHarness.EPOCH, 5)));
        events.put("deadline", h -> h.step(new AgentEvent.TimerFired(new AgentTimerKey.Deadline(AgentHarness.TX))));
        events.put("stream broken", h -> h.step(new AgentEvent.StreamBroken(Reason.of(ErrorCode.STREAM_BROKEN))));
        events.put("higher epoch", h -> h.step(new AgentEvent.Heard(AgentHarness.NEXT_EPOCH, 1)));
        events.put("stopped", h -> h.step(new AgentEvent.Stopped(Reason.of(ErrorCode.DRAINING))));
        events.put("database: prepared", h -> completed(h, PrepareResult.prepared(AgentHarness.PROOF)));
        events.put("database: read-only", h -> completed(h, PrepareResult.readOnly()));
        events.put("database: refused", h -> completed(h, PrepareResult.refused(AgentHarness.WHY)));
        events.put("database: prepare lost", h -> completed(h, PrepareResult.lost(AgentHarness.WHY)));
        events.put(
                "database: one-phase proof",
                h -> h.step(new AgentEvent.OnePhaseProofKnown(AgentHarness.BRANCH, AgentHarness.PROOF)));
        events.put("database: committed in one phase", h -> onePhase(h, OnePhaseCompletion.committed()));
        events.put(
                "database: one phase rolled back", h -> onePhase(h, OnePhaseCompletion.rolledBack(AgentHarness.WHY)));
        events.put("database: one phase lost", h -> onePhase(h, OnePhaseCompletion.lost(AgentHarness.WHY)));
        events.put("database: rolled back", h -> h.step(new AgentEvent.RollbackCompleted(AgentHarness.BRANCH)));
        events.put("database: phase 2 done", h -> phaseTwo(h, PhaseTwoCompletion.done()));
        events.put("database: resolved elsewhere", h -> phaseTwo(h, PhaseTwoCompletion.resolvedElsewhere("gone")));
        events.put("database: heuristic", h -> phaseTwo(h, PhaseTwoCompletion.heuristic("rolled back by hand")));
        events.put("database: phase 2 not yet", h -> phaseTwo(h, PhaseTwoCompletion.notYet(AgentHarness.WHY)));
        eventsInPlace(events);
        events.put("list holds it", h -> listed(h, List.of(XID)));
        events.put("list does not hold it", h -> listed(h, List.of()));
        return events;
    }

    private static void eventsInPlace(Map<String, Function<AgentHarness, List<String>>> events) {
        events.put("announced", h -> h.step(new AgentEvent.Announced(AgentHarness.BRANCH, 60_000)));
        events.put("commit in place", h -> h.step(new AgentEvent.CommitInPlace(AgentHarness.TX, AgentHarness.BRANCH)));
        events.put("rollback in place", h -> h.step(new AgentEvent.RollbackInPlace(AgentHarness.TX, AgentHarness.WHY)));
        events.put(
                "prepare in place", h -> h.step(new AgentEvent.PrepareInPlace(AgentHarness.TX, AgentHarness.BRANCH)));
        events.put(
                "commit prepared in place",
                h -> h.step(new AgentEvent.CommitPreparedInPlace(AgentHarness.TX, AgentHarness.BRANCH)));
    }

    private static AgentMessage commit() {
        return new AgentMessage.CommitBranch(
                AgentHarness.TX, AgentHarness.BRANCH, AgentHarness.RESOURCE, AgentHarness.PROOF, true);
    }

    private static AgentMessage rollback() {
        return new AgentMessage.RollbackBranch(AgentHarness.TX, AgentHarness.BRANCH, AgentHarness.RESOURCE);
    }

    private static List<String> completed(AgentHarness harness, PrepareResult result) {
        return harness.step(new AgentEvent.PrepareCompleted(AgentHarness.BRANCH, result));
    }

    private static List<String> onePhase(AgentHarness harness, OnePhaseCompletion completion) {
        return harness.step(new AgentEvent.OnePhaseCompleted(AgentHarness.BRANCH, completion));
    }

    private static List<String> phaseTwo(AgentHarness harness, PhaseTwoCompletion completion) {
        return harness.step(new AgentEvent.PhaseTwoCompleted(AgentHarness.BRANCH, completion));
    }

    private static List<String> listed(AgentHarness harness, List<PreparedXid> prepared) {
        harness.step(new AgentEvent.DatabaseConnectionLost(AgentHarness.RESOURCE));
        return harness.step(new AgentEvent.ScanCompleted(AgentHarness.RESOURCE, ScanCompletion.listed(prepared, 0)));
    }
}
