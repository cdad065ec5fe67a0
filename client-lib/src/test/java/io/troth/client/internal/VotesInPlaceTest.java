package io.troth.client.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.client.context.InPlaceBranch;
import io.troth.client.grpc.Endpoint;
import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.Outcome;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.proto.v1.Accepting;
import io.troth.proto.v1.BranchVote;
import io.troth.proto.v1.ClientEntry;
import io.troth.proto.v1.ClientReply;
import io.troth.proto.v1.Commit;
import io.troth.proto.v1.CoordinatorState;
import io.troth.proto.v1.EpochId;
import io.troth.proto.v1.TransactionAnswer;
import io.troth.proto.v1.Vote;
import io.troth.proto.v1.WaitFor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Goal: branches of this process that nobody else has heard of are prepared before the one Commit, which brings all votes, and
 * hear the coordinator's decision and nothing else. Method: the engine by hand, branches that note what they are told.
 */
class VotesInPlaceTest extends EngineByHand {

    private final List<String> told = new ArrayList<>();
    private final Noted left = new Noted("left", 1);
    private final Noted right = new Noted("right", 2);

    @Override
    boolean commitsInPlace() {
        return true;
    }

    /** An agent's branch in this process. */
    private final class Noted implements InPlaceBranch {

        private final String name;
        private final BranchId branch;
        private final CompletableFuture<Ballot> ballot = new CompletableFuture<>();
        private final CompletableFuture<End> end = new CompletableFuture<>();

        private Noted(String name, long counter) {
            this.name = name;
            this.branch = new BranchId(1, counter);
        }

        @Override
        public BranchId branch() {
            return branch;
        }

        @Override
        public void announce() {
            told.add("announce " + name);
        }

        @Override
        public CompletionStage<End> commit(boolean here) {
            told.add("commit " + name);
            return end;
        }

        @Override
        public CompletionStage<Ballot> prepare(boolean here) {
            told.add("prepare " + name + (here ? " here" : ""));
            return ballot;
        }

        @Override
        public CompletionStage<End> commitPrepared() {
            told.add("commit prepared " + name);
            return end;
        }

        @Override
        public void rollBack(Reason reason) {
            told.add("roll back " + name + " " + reason.code());
        }

        private void yes() {
            ballot.complete(new Ballot(io.troth.core.Vote.YES, Proof.of(new byte[] {(byte) branch.counter()}), null));
        }

        private void no() {
            ballot.complete(new Ballot(io.troth.core.Vote.NO, null, Reason.of(ErrorCode.PREPARE_REFUSED)));
        }

        private void readOnly() {
            ballot.complete(new Ballot(io.troth.core.Vote.READ_ONLY, null, null));
        }

        private void ends() {
            end.complete(new End(Outcome.COMMITTED, null));
        }
    }

    private OpenTransaction beginTwo() {
        OpenTransaction transaction = engine.begin(60_000).join();
        transaction.scope().addBranch(right.branch, "right", right);
        transaction.scope().addBranch(left.branch, "left", left);
        sent.clear();
        return transaction;
    }

    private CompletableFuture<Answer> commitHere(OpenTransaction transaction) {
        CompletableFuture<Answer> answer = engine.commit(transaction, true, false, true);
        assertEquals(List.of("prepare right", "prepare left here"), told);
        assertEquals(List.of(), sent);
        told.clear();
        return answer;
    }

    private void answered(Outcome outcome) {
        answered(outcome, false);
    }

    /** {@code completing}: whether the coordinator tells the agents. */
    private void answered(Outcome outcome, boolean completing) {
        ClientEntry asked = last();
        Commit commit = asked.getCommit();
        engine.replies(List.of(ClientReply.newBuilder()
                .setCorrelationId(asked.getCorrelationId())
                .setTransactionAnswer(TransactionAnswer.newBuilder()
                        .setTx(
                                asked.hasCommit()
                                        ? commit.getTx()
                                        : asked.getOutcomeInquiry().getTx())
                        .setOutcome(io.troth.proto.v1.Outcome.valueOf("OUTCOME_" + outcome))
                        .setCompleting(completing))
                .build()));
    }

    private static Outcome outcome(CompletableFuture<Answer> answer) {
        assertTrue(answer.isDone());
        return answer.join().outcome();
    }

    @Test
    void theCommitBringsTheVotesInTheOrderOfItsList() {
        CompletableFuture<Answer> answer = commitHere(beginTwo());
        left.yes();
        assertEquals(List.of(), sent);
        right.readOnly();
        Commit commit = last().getCommit();
        assertEquals(1, sent.size());
        for (int i = 0; i < 2; i++) {
            boolean isLeft = commit.getContent().getBranches(i).getResource().equals("left");
            BranchVote vote = commit.getVotes(i);
            assertEquals(isLeft ? Vote.VOTE_YES : Vote.VOTE_READ_ONLY, vote.getVote());
            assertEquals(isLeft ? 1 : 0, vote.getProof().size());
        }
        // The decision is all that is waited for there.
        assertEquals(WaitFor.WAIT_FOR_DECIDED, commit.getWaitFor());
        answered(Outcome.COMMITTED);
        // The other one is finished.
        assertEquals(List.of("commit prepared left"), told);
        assertFalse(answer.isDone());
        assertFalse(engine.pendingCommits().isDone());
        left.ends();
        assertEquals(Outcome.COMMITTED, outcome(answer));
        assertFalse(answer.join().completing());
        assertTrue(engine.pendingCommits().isDone());
    }

    @Test
    void whoWantsTheDecisionAloneHasItBeforeItIsCarriedOut() {
        CompletableFuture<Answer> answer = engine.commit(beginTwo(), true, true, true);
        left.yes();
        right.yes();
        answered(Outcome.COMMITTED);
        assertEquals(Outcome.COMMITTED, outcome(answer));
        assertTrue(answer.join().completing());
        assertTrue(told.containsAll(List.of("commit prepared left", "commit prepared right")));
    }

    @Test
    void aBranchThatTakesTooLongIsNotWaitedFor() {
        CompletableFuture<Answer> answer = commitHere(beginTwo());
        left.yes();
        right.yes();
        answered(Outcome.COMMITTED);
        left.ends();
        pass(COMPLETION_LIMIT_MILLIS - 1);
        assertFalse(answer.isDone());
        pass(1);
        assertEquals(Outcome.COMMITTED, outcome(answer));
        assertTrue(answer.join().completing());
        right.ends();
    }

    /** A resource is on hold, or the Commit was repeated. */
    @Test
    void whatTheCoordinatorTellsIsNotToldHere() {
        CompletableFuture<Answer> answer = commitHere(beginTwo());
        left.yes();
        right.yes();
        answered(Outcome.COMMITTED, true);
        assertEquals(List.of(), told);
        assertEquals(Outcome.COMMITTED, outcome(answer));
        assertTrue(answer.join().completing());
    }

    /** The leader starts nothing in a session that is too old. */
    @Test
    void whatLastsLongerThanItsSessionIsAnnounced() {
        OpenTransaction transaction = engine.begin(7_200_000).join();
        transaction.scope().addBranch(left.branch, "left", left);
        for (int i = 0; i < 10; i++) {
            pass(300_000);
        }
        assertEquals(List.of(), told);
        for (int i = 0; i < 10; i++) {
            pass(60_000);
        }
        assertEquals(List.of("announce left"), told);
        assertTrue(engine.isActive(transaction));
    }

    /** The application is not kept; the commit goes on, and the token finds out. */
    @Test
    void aDatabaseThatTakesTooLongLeavesTheOutcomeUnknown() {
        CompletableFuture<Answer> answer = commitHere(beginTwo());
        left.yes();
        pass(ClientSettings.of(List.of(new Endpoint("localhost", 1))).outcomeTimeoutMillis() - 1);
        assertFalse(answer.isDone());
        pass(1);
        assertEquals(Outcome.UNKNOWN, outcome(answer));
        assertEquals(2, answer.join().content().branches().size());
        sent.clear();
        right.yes();
        assertEquals(2, last().getCommit().getVotesCount());
        answered(Outcome.COMMITTED);
        assertTrue(told.contains("commit prepared left"));
    }

    /** It waits for what it knows of. */
    @ParameterizedTest
    @EnumSource(names = {"DRAINING", "OVERLOADED"})
    void aLeaderThatStopsHearsOfWhatIsOpen(ErrorCode why) {
        OpenTransaction transaction = beginTwo();
        engine.replies(List.of(ClientReply.newBuilder()
                .setAccepting(Accepting.newBuilder().setReason(WireCodec.toWire(Reason.of(why))))
                .build()));
        assertEquals(why == ErrorCode.DRAINING ? List.of("announce right", "announce left") : List.of(), told);
        assertTrue(engine.isActive(transaction));
    }

    @Test
    void aBranchThatWasResolvedOtherwiseIsNamed() {
        CompletableFuture<Answer> answer = commitHere(beginTwo());
        left.yes();
        right.yes();
        answered(Outcome.COMMITTED);
        left.ends();
        right.end.complete(new InPlaceBranch.End(Outcome.COMMITTED, Reason.of(ErrorCode.HEURISTIC_MIXED)));
        assertEquals(right.branch, answer.join().branch());
        assertEquals(ErrorCode.HEURISTIC_MIXED, answer.join().reason().code());
    }

    @Test
    void anAgentThatStopsLeavesItToTheCoordinator() {
        CompletableFuture<Answer> answer = commitHere(beginTwo());
        left.yes();
        right.yes();
        answered(Outcome.COMMITTED);
        left.ends();
        right.end.complete(new InPlaceBranch.End(Outcome.UNKNOWN, Reason.of(ErrorCode.INTERNAL)));
        assertEquals(Outcome.COMMITTED, outcome(answer));
        assertTrue(answer.join().completing());
    }

    @Test
    void whatOnlyReadNeedsNobody() {
        CompletableFuture<Answer> answer = commitHere(beginTwo());
        left.readOnly();
        right.readOnly();
        assertEquals(Outcome.READ_ONLY, outcome(answer));
        assertEquals(List.of(), sent);
        assertEquals(List.of(), told);
        assertTrue(engine.pendingCommits().isDone());
    }

    /** Also then it is the coordinator that decides. */
    @Test
    void aNoIsToldToTheCoordinator() {
        CompletableFuture<Answer> answer = commitHere(beginTwo());
        left.yes();
        right.no();
        assertTrue(last().getCommit().getVotesList().stream()
                .anyMatch(vote -> vote.getVote() == Vote.VOTE_NO
                        && vote.getReason().getCode().equals("PREPARE_REFUSED")));
        assertFalse(answer.isDone());
        assertEquals(List.of(), told);
        answered(Outcome.ROLLED_BACK);
        assertEquals(Outcome.ROLLED_BACK, outcome(answer));
        // The coordinator tells the agents: it knows what is on hold.
        assertEquals(List.of(), told);
    }

    @Test
    void whoForbidsOnePhaseHasItsOnlyBranchPrepared() {
        OpenTransaction transaction = engine.begin(60_000).join();
        transaction.scope().addBranch(left.branch, "left", left);
        sent.clear();
        CompletableFuture<Answer> answer = engine.commit(transaction, false, false, true);
        assertEquals(List.of("prepare left here"), told);
        left.yes();
        assertFalse(last().getCommit().getContent().getOnePhaseAllowed());
        assertEquals(1, last().getCommit().getVotesCount());
        answered(Outcome.COMMITTED);
        left.ends();
        assertEquals(Outcome.COMMITTED, outcome(answer));
    }

    @Test
    void aNewStreamGetsTheSameCommit() {
        CompletableFuture<Answer> answer = commitHere(beginTwo());
        left.yes();
        right.yes();
        Commit first = last().getCommit();
        engine.down();
        sent.clear();
        up();
        Commit again = sent.stream()
                .filter(ClientEntry::hasCommit)
                .findFirst()
                .orElseThrow()
                .getCommit();
        assertEquals(first.getVotesList(), again.getVotesList());
        assertEquals(first.getContent(), again.getContent());
        assertFalse(answer.isDone());
    }

    /** It could not be decided, and would keep its locks until somebody can be asked. */
    @Test
    void nothingIsPreparedWhileTheCoordinatorIsAway() {
        OpenTransaction transaction = beginTwo();
        engine.down();
        var unused = engine.commit(transaction, true, false, true);
        assertEquals(List.of("announce right", "announce left"), told);
        up();
        assertTrue(sent.stream()
                .anyMatch(entry -> entry.hasCommit() && entry.getCommit().getVotesCount() == 0));
    }

    /** Nobody has heard of it, and nobody will. */
    @Test
    void aCommitThatCannotLeaveInItsEpochIsNone() {
        OpenTransaction transaction = beginTwo();
        CompletableFuture<Answer> answer = commitHere(transaction);
        engine.down();
        left.yes();
        right.yes();
        assertFalse(answer.isDone());
        assertEquals(List.of(), told);
        upInTheNextEpoch();
        assertFalse(sent.stream().anyMatch(ClientEntry::hasCommit));
        assertEquals(Outcome.ROLLED_BACK, outcome(answer));
        assertEquals(List.of(), told);
    }

    @ParameterizedTest
    @EnumSource(names = {"COMMITTED", "ROLLED_BACK", "UNKNOWN"})
    void aLaterLeaderIsAskedWithTheContent(Outcome known) {
        CompletableFuture<Answer> answer = commitHere(beginTwo());
        left.yes();
        right.yes();
        engine.down();
        sent.clear();
        upInTheNextEpoch();
        sent.removeIf(entry -> !entry.hasOutcomeInquiry());
        assertEquals(2, last().getOutcomeInquiry().getContent().getBranchesCount());
        answered(known, true);
        assertEquals(known, outcome(answer));
        // Whoever knows tells the agents.
        assertEquals(List.of(), told);
    }

    private void upInTheNextEpoch() {
        assertTrue(engine.up(CoordinatorState.newBuilder()
                .setClusterId(7)
                .setEpoch(EpochId.newBuilder().setNumber(EPOCH.getNumber() + 1).setNonce(44))
                .build()));
    }

    /** What closes meanwhile sends nothing, and what was never sent is no commit. */
    @Test
    void aClientThatClosesWhileTheBranchesPrepare() {
        CompletableFuture<Answer> answer = commitHere(beginTwo());
        left.yes();
        engine.close();
        sent.clear();
        right.yes();
        assertEquals(List.of(), sent);
        assertEquals(Outcome.ROLLED_BACK, outcome(answer));
        assertNotNull(answer.join().reason());
        assertEquals(List.of(), told);
    }

    @Test
    void aClientThatClosesAfterItsCommitHasLeftDoesNotKnow() {
        CompletableFuture<Answer> answer = commitHere(beginTwo());
        left.yes();
        right.yes();
        engine.close();
        assertEquals(Outcome.UNKNOWN, outcome(answer));
        assertEquals(List.of(), told);
    }

    @Test
    void bothAreRolledBackWithoutAMessage() {
        CompletableFuture<Answer> answer = engine.rollback(beginTwo(), Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT));
        assertEquals(Outcome.ROLLED_BACK, outcome(answer));
        assertEquals(List.of("roll back right ROLLED_BACK_BY_CLIENT", "roll back left ROLLED_BACK_BY_CLIENT"), told);
        assertEquals(List.of(), sent);
    }

    @Test
    void whatWasSharedIsPreparedByTheCoordinator() {
        OpenTransaction transaction = beginTwo();
        transaction.scope().share();
        var unused = engine.commit(transaction, true, false, true);
        assertEquals(List.of("announce right", "announce left"), told);
        assertEquals(0, last().getCommit().getVotesCount());
        assertEquals(WaitFor.WAIT_FOR_COMPLETED, last().getCommit().getWaitFor());
    }
}
