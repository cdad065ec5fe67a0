package io.troth.client.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.client.context.InPlaceBranch;
import io.troth.client.context.OutgoingCall;
import io.troth.core.BranchId;
import io.troth.core.BranchList;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.proto.v1.ClientReply;
import io.troth.proto.v1.CoordinatorState;
import io.troth.proto.v1.EpochId;
import io.troth.proto.v1.TransactionAnswer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Goal: a transaction of one branch that nobody else has heard of ends without a message, and no other does; what its agent
 * cannot tell is asked for, and never committed a second time. Method: the engine by hand, a branch that notes what it is
 * told.
 */
class InPlaceCommitsTest extends EngineByHand {

    private static final BranchId BRANCH = new BranchId(1, 1);

    private final List<String> told = new ArrayList<>();
    private final CompletableFuture<InPlaceBranch.End> end = new CompletableFuture<>();

    @Override
    boolean commitsInPlace() {
        return true;
    }

    /** An agent's branch in this process. */
    private final class Noted implements InPlaceBranch {

        @Override
        public BranchId branch() {
            return BRANCH;
        }

        @Override
        public void announce() {
            told.add("announce");
        }

        @Override
        public CompletionStage<End> commit(boolean here) {
            told.add(here ? "commit here" : "commit elsewhere");
            return end;
        }

        @Override
        public CompletionStage<Ballot> prepare(boolean here) {
            throw new AssertionError("a single branch is not prepared");
        }

        @Override
        public CompletionStage<End> commitPrepared() {
            throw new AssertionError("a single branch is not prepared");
        }

        @Override
        public void rollBack(Reason reason) {
            told.add("roll back " + reason.code());
        }
    }

    private OpenTransaction beginOne() {
        OpenTransaction transaction = engine.begin(60_000).join();
        transaction.scope().addBranch(BRANCH, "left", new Noted());
        sent.clear();
        return transaction;
    }

    private CompletableFuture<Answer> commitHere(OpenTransaction transaction) {
        return engine.commit(transaction, true, false, true);
    }

    private static Outcome outcome(CompletableFuture<Answer> answer) {
        assertTrue(answer.isDone());
        return answer.join().outcome();
    }

    @ParameterizedTest
    @EnumSource(names = {"COMMITTED", "READ_ONLY"})
    void commitsWithoutAMessage(Outcome how) {
        OpenTransaction transaction = beginOne();
        CompletableFuture<Answer> answer = commitHere(transaction);
        assertEquals(List.of("commit here"), told);
        assertFalse(answer.isDone());
        end.complete(new InPlaceBranch.End(how, null));
        assertEquals(how, outcome(answer));
        assertEquals(List.of(), sent);
        assertTrue(transaction.scope().isClosed());
        assertTrue(engine.pendingCommits().isDone());
    }

    @Test
    void whoClosesWaitsForACommitThatRuns() {
        CompletableFuture<Answer> answer = commitHere(beginOne());
        CompletableFuture<?> pending = engine.pendingCommits();
        assertFalse(pending.isDone());
        engine.close();
        assertFalse(answer.isDone());
        end.complete(new InPlaceBranch.End(Outcome.COMMITTED, null));
        assertTrue(pending.isDone());
        assertEquals(Outcome.COMMITTED, outcome(answer));
    }

    /** On whichever thread the last task ends: it is not the caller's to lend. */
    @Test
    void waitsForTasksAndWorksElsewhereThen() {
        OpenTransaction transaction = beginOne();
        transaction.scope().enter();
        CompletableFuture<Answer> answer = engine.commit(transaction, true, false, false);
        assertEquals(List.of(), told);
        transaction.scope().exit();
        assertEquals(List.of("commit elsewhere"), told);
        assertFalse(answer.isDone());
    }

    @Test
    void aRefusedCommitIsARollback() {
        OpenTransaction transaction = beginOne();
        CompletableFuture<Answer> answer = commitHere(transaction);
        end.complete(new InPlaceBranch.End(Outcome.ROLLED_BACK, Reason.of(ErrorCode.SERIALIZATION_FAILURE)));
        assertEquals(Outcome.ROLLED_BACK, outcome(answer));
        assertEquals(ErrorCode.SERIALIZATION_FAILURE, answer.join().reason().code());
        assertEquals(BRANCH, answer.join().branch());
        assertEquals(List.of(), sent);
        // It may be closed after that, like any other.
        assertEquals(
                ErrorCode.SERIALIZATION_FAILURE, engine.closeEnded(transaction).code());
    }

    /** The coordinator knows that it has ended, and refuses the branch; nobody else would end it before its time is over. */
    @Test
    void whatStartsUnderOneThatHasEndedIsAnnounced() {
        OpenTransaction transaction = engine.begin(60_000).join();
        engine.down();
        assertTrue(engine.up(CoordinatorState.newBuilder()
                .setClusterId(7)
                .setEpoch(EpochId.newBuilder().setNumber(EPOCH.getNumber() + 1).setNonce(44))
                .build()));
        assertFalse(transaction.scope().mayStartInPlace());
        transaction.scope().addBranch(BRANCH, "left", new Noted());
        assertEquals(List.of("announce"), told);
    }

    @Test
    void rollsBackWithoutAMessage() {
        OpenTransaction transaction = beginOne();
        CompletableFuture<Answer> answer = engine.rollback(transaction, Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT));
        assertEquals(Outcome.ROLLED_BACK, outcome(answer));
        assertEquals(List.of("roll back ROLLED_BACK_BY_CLIENT"), told);
        assertEquals(List.of(), sent);
    }

    @Test
    void whatMustNotCommitIsRolledBack() {
        OpenTransaction transaction = beginOne();
        transaction.scope().setRollbackOnly(Reason.of(ErrorCode.ROLLBACK_ONLY));
        assertEquals(Outcome.ROLLED_BACK, outcome(commitHere(transaction)));
        assertEquals(List.of("roll back ROLLBACK_ONLY"), told);
    }

    @Test
    void noTimeIsLeft() {
        OpenTransaction transaction = beginOne();
        advance(60_000);
        assertEquals(Outcome.ROLLED_BACK, outcome(commitHere(transaction)));
        assertEquals(List.of("roll back DEADLINE_EXCEEDED"), told);
    }

    @Test
    void anOverdueOneIsRolledBackAndTheLeaderHearsOfIt() {
        OpenTransaction transaction = beginOne();
        for (int i = 0; i < 20; i++) {
            pass(10_000);
        }
        assertEquals(List.of("roll back DEADLINE_EXCEEDED"), told);
        // Its scope is open, and something may leave the process yet.
        assertTrue(sent.stream().anyMatch(entry -> entry.hasRollback()));
        assertEquals(Outcome.ROLLED_BACK, outcome(commitHere(transaction)));
    }

    @Test
    void aNewEpochRollsItBack() {
        OpenTransaction transaction = beginOne();
        engine.down();
        assertTrue(engine.up(CoordinatorState.newBuilder()
                .setClusterId(7)
                .setEpoch(EpochId.newBuilder().setNumber(EPOCH.getNumber() + 1).setNonce(44))
                .build()));
        assertEquals(List.of("roll back LEADER_CHANGED"), told);
        assertEquals(Outcome.ROLLED_BACK, outcome(commitHere(transaction)));
        assertEquals(1, told.size());
    }

    @Test
    void aClientThatClosesRollsItBack() {
        OpenTransaction transaction = beginOne();
        engine.close();
        assertEquals(List.of("roll back NO_COORDINATOR"), told);
        assertEquals(Outcome.ROLLED_BACK, outcome(commitHere(transaction)));
    }

    @Test
    void whatHasLeftTheProcessIsTheCoordinators() {
        OpenTransaction transaction = beginOne();
        OutgoingCall call = OutgoingCall.begin(transaction.scope(), "stock", 1_000);
        assertEquals(List.of("announce"), told);
        call.replied(BranchList.EMPTY);
        var unused = commitHere(transaction);
        assertTrue(last().hasCommit());
        assertEquals(List.of("announce"), told);
    }

    /** Nobody but the database knows: the question has the content of a commit, and no Commit is ever sent. */
    @ParameterizedTest
    @EnumSource(names = {"COMMITTED", "ROLLED_BACK", "UNKNOWN"})
    void whatTheAgentCannotTellIsAskedFor(Outcome known) {
        OpenTransaction transaction = beginOne();
        CompletableFuture<Answer> answer = commitHere(transaction);
        end.complete(new InPlaceBranch.End(Outcome.UNKNOWN, Reason.of(ErrorCode.CONNECTION_LOST)));
        assertInquiry(transaction.id());
        assertFalse(answer.isDone());
        engine.down();
        up();
        assertFalse(sent.stream().anyMatch(entry -> entry.hasCommit()));
        assertTrue(sent.stream().filter(entry -> entry.hasOutcomeInquiry()).count() > 1);
        long asked = sent.stream()
                .filter(entry -> entry.hasOutcomeInquiry())
                .reduce((first, second) -> second)
                .orElseThrow()
                .getCorrelationId();
        engine.replies(List.of(ClientReply.newBuilder()
                .setCorrelationId(asked)
                .setTransactionAnswer(TransactionAnswer.newBuilder()
                        .setTx(WireCodec.toWire(transaction.id()))
                        .setOutcome(io.troth.proto.v1.Outcome.valueOf("OUTCOME_" + known)))
                .build()));
        assertEquals(known, outcome(answer));
    }

    private void assertInquiry(GlobalTxId tx) {
        assertTrue(last().hasOutcomeInquiry());
        assertEquals(WireCodec.toWire(tx), last().getOutcomeInquiry().getTx());
        assertEquals(1, last().getOutcomeInquiry().getContent().getBranchesCount());
        assertTrue(last().getOutcomeInquiry().getContent().getOnePhaseAllowed());
    }
}
