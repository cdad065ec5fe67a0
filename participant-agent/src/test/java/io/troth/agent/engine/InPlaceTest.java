package io.troth.agent.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.client.context.CallScope;
import io.troth.client.context.InPlaceBranch;
import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.TransactionContext;
import io.troth.core.Vote;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.participant.AgentEvent;
import io.troth.core.participant.AgentLimits;
import io.troth.core.participant.AgentNotice;
import io.troth.core.participant.StatementEnd;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Goal: a branch that commits in place says nothing to the coordinator, one that may not any more is enlisted at once, and
 * whoever waits hears of the end, on a thread without the engine's lock. Method: the engine with a database and a stream in
 * memory.
 */
class InPlaceTest {

    private static final ClusterId CLUSTER = new ClusterId(7);
    private static final EpochId EPOCH = new EpochId(3, 33);
    private static final GlobalTxId TX = new GlobalTxId(0, EPOCH, 5, 1);

    private final SimulatedBranchDatabase database = new SimulatedBranchDatabase();
    private final SimulatedCoordinatorLink link = new SimulatedCoordinatorLink();
    private @Nullable RuntimeException bug;

    private final AgentEngine engine = new AgentEngine(new AgentEngine.Parts(
            0xa,
            Map.of("accounts", database, "stock", new SimulatedBranchDatabase()),
            link,
            new AgentEngineTest.ManualTimers(),
            new AgentListener() {
                @Override
                public void stepping(AgentEvent event) {
                    if (bug != null
                            && (event instanceof AgentEvent.CommitInPlace
                                    || event instanceof AgentEvent.PrepareInPlace)) {
                        throw bug;
                    }
                }

                @Override
                public void heard(AgentNotice notice) {}

                @Override
                public void failed(RuntimeException cause) {}
            },
            (point, tx, branch) -> {},
            AgentLimits.DEFAULTS));

    private final CallScope scope = scope(1);

    private BranchId branch;

    @BeforeEach
    void work() throws BranchRefusedException {
        engine.start(null, null);
        link.welcome(CLUSTER, EPOCH);
        link.takeKinds();
        branch = engine.join(scope, "accounts");
        assertEquals(branch, engine.join(scope, "accounts"));
        engine.statementBegins(scope, branch);
        engine.statementEnds(branch, StatementEnd.completed());
        database.asked.clear();
    }

    private static CallScope scope(long sequence) {
        GlobalTxId tx = new GlobalTxId(0, EPOCH, 5, sequence);
        return new CallScope(
                new TransactionContext(CLUSTER, tx, new SessionKey(1, 2), TransactionContext.ROOT_CALL, 60_000),
                System::nanoTime,
                true);
    }

    private InPlaceBranch taken() {
        assertTrue(scope.closeIfIdle());
        List<InPlaceBranch> taken = scope.takeInPlace();
        assertEquals(1, taken.size());
        return taken.get(0);
    }

    private CompletableFuture<InPlaceBranch.End> commit(boolean here) {
        return taken().commit(here).toCompletableFuture();
    }

    @Test
    void commitsWithoutAWord() {
        assertEquals(Outcome.COMMITTED, commit(true).join().outcome());
        assertEquals(List.of("commitOnePhase"), database.asked);
        assertEquals(List.of(), link.takeKinds());
        assertEquals(0, (int) engine.look(machine -> machine.unfinished()));
    }

    @Test
    void tellsItsEndToWhoAsksAfterwards() {
        assertEquals(Outcome.COMMITTED, commit(true).join().outcome());
        link.order(EPOCH, new AgentMessage.AskOnePhase(TX, branch));
        assertEquals(List.of("OnePhaseResult"), link.takeKinds());
    }

    @Test
    void whoWaitsMayDoAnythingWhenItHears() {
        database.holds = true;
        CompletableFuture<InPlaceBranch.End> end = commit(false);
        assertFalse(end.isDone());
        CompletableFuture<Boolean> lockIsFree = end.thenApply(how -> CompletableFuture.supplyAsync(engine::isReady)
                .orTimeout(10, TimeUnit.SECONDS)
                .join());
        database.release();
        assertTrue(lockIsFree.join());
    }

    @Test
    void rollsBackWithoutAWord() {
        taken().rollBack(Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT));
        assertEquals(List.of("rollback"), database.asked);
        assertEquals(List.of(), link.takeKinds());
        BranchRefusedException refused =
                assertThrows(BranchRefusedException.class, () -> engine.statementBegins(scope, branch));
        assertEquals(ErrorCode.ROLLED_BACK_BY_CLIENT, refused.reason().code());
    }

    @Test
    void aBranchThatTheAgentHasGivenUpDoesNotCommit() {
        link.agent().broken(Reason.of(ErrorCode.STREAM_BROKEN));
        InPlaceBranch.End end = commit(true).join();
        assertEquals(Outcome.ROLLED_BACK, end.outcome());
        assertEquals(ErrorCode.STREAM_BROKEN, end.reason().code());
        assertEquals(List.of("rollback"), database.asked);
    }

    @Test
    void aSharedTransactionIsEnlistedAndTheCoordinators() {
        scope.share();
        assertEquals(List.of("Enlist"), link.takeKinds());
        assertEquals(List.of(), scope.takeInPlace());
        assertTrue(scope.closeIfIdle());
        link.order(EPOCH, new AgentMessage.CommitOnePhase(TX, branch, 1));
        assertEquals(List.of("OnePhaseProof", "OnePhaseResult"), link.takeKinds());
    }

    private CompletableFuture<InPlaceBranch.Ballot> prepare(InPlaceBranch one) {
        return one.prepare(true).toCompletableFuture();
    }

    @Test
    void branchesOfTwoResourcesVoteAndCommitAndOnlyTheirEndIsTold() throws BranchRefusedException {
        BranchId other = engine.join(scope, "stock");
        assertTrue(scope.closeIfIdle());
        List<InPlaceBranch> both = scope.takeInPlace();
        assertEquals(
                List.of(branch, other), both.stream().map(InPlaceBranch::branch).toList());
        for (InPlaceBranch one : both) {
            InPlaceBranch.Ballot ballot = prepare(one).join();
            assertEquals(Vote.YES, ballot.vote());
            assertEquals(Proof.of(new byte[] {9}), ballot.proof());
        }
        assertEquals(List.of(), link.takeKinds());
        for (InPlaceBranch one : both) {
            assertEquals(
                    Outcome.COMMITTED,
                    one.commitPrepared().toCompletableFuture().join().outcome());
        }
        assertEquals(List.of("prepare", "commitPrepared"), database.asked);
        assertEquals(List.of("BranchDone", "BranchDone"), link.takeKinds());
        assertEquals(0, (int) engine.look(machine -> machine.unfinished()));
    }

    @Test
    void aBranchThatTheAgentHasGivenUpVotesNo() {
        InPlaceBranch one = taken();
        link.agent().broken(Reason.of(ErrorCode.STREAM_BROKEN));
        InPlaceBranch.Ballot ballot = prepare(one).join();
        assertEquals(Vote.NO, ballot.vote());
        assertEquals(ErrorCode.STREAM_BROKEN, ballot.reason().code());
        assertEquals(List.of("rollback"), database.asked);
    }

    /** No YES was said, so it is the agent's to roll back. */
    @Test
    void aStreamThatBreaksWhileItPreparesIsANo() {
        database.holds = true;
        CompletableFuture<InPlaceBranch.Ballot> ballot = prepare(taken());
        link.agent().broken(Reason.of(ErrorCode.STREAM_BROKEN));
        database.holds = false;
        database.release();
        assertEquals(Vote.NO, ballot.join().vote());
        assertEquals(List.of("prepare", "rollbackPrepared"), database.asked);
    }

    @Test
    void aYesStaysPreparedWhateverBecomesOfTheStream() {
        InPlaceBranch one = taken();
        assertEquals(Vote.YES, prepare(one).join().vote());
        link.agent().broken(Reason.of(ErrorCode.STREAM_BROKEN));
        assertEquals(List.of("prepare"), database.asked);
        assertEquals(1, database.prepared.size());
        // The client may reach the coordinator all the same.
        assertEquals(
                Outcome.COMMITTED,
                one.commitPrepared().toCompletableFuture().join().outcome());
    }

    @Test
    void whatTheCoordinatorWasFirstToCommitIsCommitted() {
        InPlaceBranch one = taken();
        assertEquals(Vote.YES, prepare(one).join().vote());
        link.order(EPOCH, new AgentMessage.CommitBranch(TX, branch, "accounts", null, false));
        assertEquals(
                Outcome.COMMITTED,
                one.commitPrepared().toCompletableFuture().join().outcome());
        assertEquals(List.of("prepare", "commitPrepared"), database.asked);
    }

    /** A made-up question about its only branch must not take away who waits for the vote. */
    @Test
    void whoWaitsForTheVoteIsNotToldOfAnotherQuestion() {
        database.holds = true;
        CompletableFuture<InPlaceBranch.Ballot> ballot = prepare(taken());
        link.order(EPOCH, new AgentMessage.AskOnePhase(TX, branch));
        assertEquals(List.of("OnePhaseResult"), link.takeKinds());
        database.holds = false;
        database.release();
        assertEquals(Vote.YES, ballot.join().vote());
    }

    @Test
    void anEngineThatFailsVotesNo() {
        InPlaceBranch one = taken();
        bug = new IllegalStateException("a bug on purpose");
        assertEquals(Vote.NO, prepare(one).join().vote());
        assertEquals(
                Outcome.UNKNOWN,
                one.commitPrepared().toCompletableFuture().join().outcome());
    }

    /** Nobody is left to say how it ended; whoever waits must not wait for ever. */
    @Test
    void anEngineThatFailsKnowsNothing() throws BranchRefusedException {
        CallScope other = scope(2);
        BranchId unused = engine.join(other, "accounts");
        bug = new IllegalStateException("a bug on purpose");
        assertEquals(Outcome.UNKNOWN, commit(true).join().outcome());
        InPlaceBranch later = other.takeInPlace().get(0);
        assertEquals(
                Outcome.UNKNOWN, later.commit(true).toCompletableFuture().join().outcome());
    }
}
