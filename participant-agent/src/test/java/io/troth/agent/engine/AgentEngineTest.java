package io.troth.agent.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.client.context.CallScope;
import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.ProtocolViolation;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.TransactionContext;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.participant.AgentLimits;
import io.troth.core.participant.AgentNotice;
import io.troth.core.participant.AgentTimerKey;
import io.troth.core.participant.BranchState;
import io.troth.core.participant.CoordinatorMessage;
import io.troth.core.participant.PrepareResult;
import io.troth.core.participant.StatementEnd;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Goal: the engine carries the machine's wishes to its ports and the ports' answers back, also when a port answers at
 * once. Method: a database and a stream in memory; timers fire when the test says so.
 */
class AgentEngineTest {

    private static final ClusterId CLUSTER = new ClusterId(7);
    private static final EpochId EPOCH = new EpochId(3, 33);
    private static final GlobalTxId TX = new GlobalTxId(0, EPOCH, 5, 1);

    private final SimulatedBranchDatabase database = new SimulatedBranchDatabase();
    private final SimulatedCoordinatorLink link = new SimulatedCoordinatorLink();
    private final ManualTimers timers = new ManualTimers();
    private final List<AgentNotice> notices = new ArrayList<>();
    private final List<RuntimeException> failures = new ArrayList<>();
    private @Nullable Error broken;
    private final List<String> points = new ArrayList<>();
    private final AgentEngine engine = new AgentEngine(new AgentEngine.Parts(
            0xa,
            Map.of("accounts", database),
            link,
            timers,
            new AgentListener() {
                @Override
                public void heard(AgentNotice notice) {
                    if (broken != null) {
                        throw broken;
                    }
                    notices.add(notice);
                }

                @Override
                public void failed(RuntimeException cause) {
                    failures.add(cause);
                }
            },
            (point, tx, branch) -> points.add(point.name()),
            AgentLimits.DEFAULTS));

    private void ready() {
        engine.start(null, "localhost:7710");
        link.welcome(CLUSTER, EPOCH);
        link.takeKinds();
        database.asked.clear();
    }

    private static CallScope scope(long call) {
        return new CallScope(new TransactionContext(CLUSTER, TX, new SessionKey(1, 2), call, 60_000), System::nanoTime);
    }

    @Test
    void refusesWorkWithoutACoordinator() {
        engine.start(null, "localhost:7710");
        BranchRefusedException refused =
                assertThrows(BranchRefusedException.class, () -> engine.join(scope(1), "accounts"));
        assertEquals(ErrorCode.NO_COORDINATOR, refused.reason().code());
        assertFalse(engine.isReady());
    }

    @Test
    void readsTheListOfPreparedXidsOnEveryWelcome() {
        engine.start(null, "localhost:7710");
        link.welcome(CLUSTER, EPOCH);
        assertEquals(CLUSTER, database.cluster);
        assertTrue(engine.isReady());
        assertTrue(link.takeKinds().contains("ScanReport"));
        database.asked.clear();
        link.agent().broken(Reason.of(ErrorCode.STREAM_BROKEN));
        assertFalse(engine.isReady());
        link.welcome(CLUSTER, EPOCH);
        assertEquals(List.of("listPrepared"), database.asked);
    }

    @Test
    void votesYesAndCommitsOnTheDecision() throws BranchRefusedException {
        ready();
        CallScope scope = scope(1);
        BranchId branch = engine.join(scope, "accounts");
        engine.statementBegins(scope, branch);
        engine.statementEnds(branch, StatementEnd.completed());
        assertEquals(1, scope.close().branches().size());
        link.order(EPOCH, new AgentMessage.Prepare(TX, branch, 1));
        assertEquals(List.of("Enlist", "vote YES"), link.takeKinds());
        link.order(EPOCH, new AgentMessage.CommitBranch(TX, branch, "accounts", null, true));
        assertEquals(List.of("BranchDone"), link.takeKinds());
        assertEquals(List.of("prepare", "commitPrepared"), database.asked);
        assertEquals(
                List.of(
                        "BEFORE_PREPARE",
                        "AFTER_PREPARE_BEFORE_VOTE",
                        "AFTER_VOTE",
                        "BEFORE_PHASE_TWO",
                        "AFTER_PHASE_TWO_BEFORE_DONE"),
                points);
        assertTrue(failures.isEmpty());
    }

    @Test
    void givesOneBranchToAllConnectionsOfACallAndCountsItOnce() throws BranchRefusedException {
        ready();
        CallScope scope = scope(1);
        BranchId branch = engine.join(scope, "accounts");
        assertEquals(branch, engine.join(scope, "accounts"));
        assertEquals(1, scope.close().branches().get(0).calls());
        link.order(EPOCH, new AgentMessage.Prepare(TX, branch, 1));
        assertEquals(List.of("Enlist", "vote YES"), link.takeKinds());
    }

    private BranchId closedBranch(long call) throws BranchRefusedException {
        CallScope scope = scope(call);
        BranchId branch = engine.join(scope, "accounts");
        engine.statementBegins(scope, branch);
        engine.statementEnds(branch, StatementEnd.completed());
        var unused = scope.close();
        link.takeKinds();
        return branch;
    }

    /** A port that throws instead of answering counts as the worst answer it could have given. */
    @Test
    void aPrepareThatThrowsIsInDoubtAndNotForgotten() throws BranchRefusedException {
        ready();
        BranchId branch = closedBranch(1);
        database.throwing = true;
        link.order(EPOCH, new AgentMessage.Prepare(TX, branch, 1));
        assertEquals(List.of("vote NO"), link.takeKinds());
        database.throwing = false;
        // It may be prepared all the same, so it is not forgotten: an order about it is carried out.
        database.asked.clear();
        link.order(EPOCH, new AgentMessage.RollbackBranch(TX, branch, "accounts"));
        assertEquals(List.of("rollbackPrepared"), database.asked);
        assertTrue(failures.isEmpty());
    }

    @Test
    void aOnePhaseCommitThatThrowsIsLost() throws BranchRefusedException {
        ready();
        BranchId branch = closedBranch(1);
        database.throwing = true;
        link.order(EPOCH, new AgentMessage.CommitOnePhase(TX, branch, 1));
        CoordinatorMessage.OnePhaseResult result = link.sent.stream()
                .filter(CoordinatorMessage.OnePhaseResult.class::isInstance)
                .map(CoordinatorMessage.OnePhaseResult.class::cast)
                .findFirst()
                .orElseThrow();
        assertEquals(OnePhaseFate.LOST, result.fate());
    }

    @Test
    void aRollbackThatThrowsEndsTheBranchHere() throws BranchRefusedException {
        ready();
        BranchId branch = closedBranch(1);
        database.throwing = true;
        link.order(EPOCH, new AgentMessage.RollbackBranch(TX, branch, "accounts"));
        assertFalse(engine.isActive(branch));
        assertTrue(notices.stream()
                .anyMatch(notice ->
                        notice instanceof AgentNotice.StateChanged changed && changed.to() == BranchState.FINISHED));
    }

    @Test
    void aPhaseTwoThatThrowsIsTriedAgainAndNotCalledDone() throws BranchRefusedException {
        ready();
        BranchId branch = closedBranch(1);
        link.order(EPOCH, new AgentMessage.Prepare(TX, branch, 1));
        link.takeKinds();
        database.throwing = true;
        link.order(EPOCH, new AgentMessage.CommitBranch(TX, branch, "accounts", null, true));
        assertEquals(List.of(), link.takeKinds());
        assertTrue(notices.stream().anyMatch(AgentNotice.PhaseTwoDelayed.class::isInstance));
    }

    @Test
    void hearsNothingOfACoordinatorThatIsNotReady() {
        ready();
        link.agent().received(new LinkListener.Batch(null, 0, CLUSTER, List.of()));
        assertTrue(failures.isEmpty());
        assertTrue(engine.isReady());
    }

    @Test
    void refusesACallThatArrivesTwice() throws BranchRefusedException {
        ready();
        BranchId unused = engine.join(scope(1), "accounts");
        BranchRefusedException refused =
                assertThrows(BranchRefusedException.class, () -> engine.join(scope(1), "accounts"));
        assertEquals(ErrorCode.DUPLICATE_CALL, refused.reason().code());
    }

    @Test
    void killsTheBranchWhoseStatementOutlivesItsCall() throws BranchRefusedException {
        ready();
        CallScope scope = scope(1);
        BranchId branch = engine.join(scope, "accounts");
        engine.statementBegins(scope, branch);
        var unused = scope.close();
        assertFalse(engine.isActive(branch));
        assertEquals(List.of("rollback"), database.asked);
        link.order(EPOCH, new AgentMessage.Prepare(TX, branch, 1));
        assertEquals(List.of("Enlist", "vote NO"), link.takeKinds());
    }

    @Test
    void refusesStatementsAfterTheCallHasEnded() throws BranchRefusedException {
        ready();
        CallScope scope = scope(1);
        BranchId branch = engine.join(scope, "accounts");
        var unused = scope.close();
        BranchRefusedException refused =
                assertThrows(BranchRefusedException.class, () -> engine.statementBegins(scope, branch));
        assertEquals(ErrorCode.SCOPE_CLOSED, refused.reason().code());
        assertThrows(BranchRefusedException.class, () -> engine.join(scope, "accounts"));
    }

    @Test
    void rollsBackWhenTheStreamBreaksAndAlsoAtTheDeadline() throws BranchRefusedException {
        ready();
        BranchId first = engine.join(scope(1), "accounts");
        link.agent().broken(Reason.of(ErrorCode.STREAM_BROKEN));
        assertFalse(engine.isActive(first));
        link.welcome(CLUSTER, EPOCH);
        BranchId second = engine.join(scope(2), "accounts");
        timers.fire(new AgentTimerKey.Deadline(TX));
        assertFalse(engine.isActive(second));
        assertEquals(List.of("rollback", "listPrepared", "rollback"), database.asked);
    }

    @Test
    void asksForTheOutcomeOfWhatItFindsPrepared() {
        database.prepared.put(new BranchId(99, 1), TX);
        engine.start(null, "localhost:7710");
        link.welcome(CLUSTER, EPOCH);
        assertTrue(link.takeKinds().contains("BranchInquiry"));
        link.order(EPOCH, new AgentMessage.RollbackBranch(TX, new BranchId(99, 1), "accounts"));
        assertTrue(database.prepared.isEmpty());
    }

    @Test
    void takesAThrowingDatabaseForALostAnswer() throws BranchRefusedException {
        ready();
        CallScope scope = scope(1);
        BranchId branch = engine.join(scope, "accounts");
        var unused = scope.close();
        database.nextPrepare = PrepareResult.lost(Reason.of(ErrorCode.CONNECTION_LOST));
        link.order(EPOCH, new AgentMessage.Prepare(TX, branch, 1));
        assertEquals(List.of("Enlist", "vote NO", "ScanReport"), link.takeKinds());
    }

    @Test
    void refusesACoordinatorOfAnotherCluster() {
        ready();
        link.agent().broken(Reason.of(ErrorCode.STREAM_BROKEN));
        link.welcome(new ClusterId(8), EPOCH);
        assertEquals(ErrorCode.WRONG_CLUSTER, link.refused.get(0).code());
        assertFalse(engine.isReady());
    }

    @Test
    void stopsForGoodWhenAnInvariantIsBroken() throws BranchRefusedException {
        ready();
        CallScope first = scope(1);
        CallScope second = scope(2);
        BranchId branch = engine.join(first, "accounts");
        assertEquals(branch, engine.join(second, "accounts"));
        engine.statementBegins(first, branch);
        assertThrows(BranchRefusedException.class, () -> engine.statementBegins(second, branch));
        ProtocolViolation violation = assertInstanceOf(ProtocolViolation.class, failures.get(0));
        assertEquals("I10_NO_STATEMENT_AFTER_PREPARE", violation.invariant().name());
        assertTrue(link.closed);
        assertThrows(BranchRefusedException.class, () -> engine.join(scope(3), "accounts"));
    }

    @Test
    void stopsForGoodWhenAnErrorLeavesAStepHalfDone() {
        ready();
        broken = new StackOverflowError("half way");
        assertThrows(BranchRefusedException.class, () -> engine.join(scope(1), "accounts"));
        broken = null;
        assertEquals(1, failures.size());
        assertEquals("half way", failures.get(0).getCause().getMessage());
        assertFalse(engine.isReady());
        assertThrows(BranchRefusedException.class, () -> engine.join(scope(2), "accounts"));
    }

    @Test
    void rollsBackUnpreparedBranchesAndLeavesPreparedOnesWhenItCloses() throws BranchRefusedException {
        ready();
        CallScope scope = scope(1);
        BranchId branch = engine.join(scope, "accounts");
        var unused = scope.close();
        link.order(EPOCH, new AgentMessage.Prepare(TX, branch, 1));
        GlobalTxId other = new GlobalTxId(0, EPOCH, 5, 2);
        BranchId open = engine.join(
                new CallScope(
                        new TransactionContext(CLUSTER, other, new SessionKey(1, 2), 3, 60_000), System::nanoTime),
                "accounts");
        database.asked.clear();
        engine.close(Duration.ZERO);
        assertEquals(List.of("rollback"), database.asked);
        assertFalse(engine.isActive(open));
        assertTrue(database.prepared.containsKey(branch));
        assertTrue(link.closed);
    }

    /** Timers that fire when they are told to. */
    static final class ManualTimers implements AgentTimers {

        private final Map<String, Runnable> tasks = new TreeMap<>();

        @Override
        public void start(AgentTimerKey key, long delayMillis, Runnable task) {
            tasks.put(key.toString(), task);
        }

        @Override
        public void cancel(AgentTimerKey key) {
            tasks.remove(key.toString());
        }

        void fire(AgentTimerKey key) {
            Objects.requireNonNull(tasks.remove(key.toString()), "not running").run();
        }

        @Override
        public void close() {
            tasks.clear();
        }
    }
}
