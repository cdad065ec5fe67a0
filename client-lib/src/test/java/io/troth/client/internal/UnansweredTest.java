package io.troth.client.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.Outcome;
import io.troth.core.TrothException;
import io.troth.proto.v1.Accepting;
import io.troth.proto.v1.ClientEntry;
import io.troth.proto.v1.ClientReply;
import io.troth.proto.v1.Reason;
import io.troth.proto.v1.ResourceLocated;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Goal: an answer that does not come, or not the one that was hoped for, holds nobody and nothing for longer than it must,
 * and makes no storm of questions.
 */
class UnansweredTest extends EngineByHand {

    private static final int TICKS_PER_SWEEP = 10;

    private static ErrorCode failure(CompletableFuture<?> future) {
        assertTrue(future.isDone());
        TrothException thrown = (TrothException)
                assertThrows(CompletionException.class, future::join).getCause();
        return thrown.code();
    }

    /** What was heard by now: a test must not wait for what does not come. */
    private static <T> T heard(CompletableFuture<T> future) {
        assertTrue(future.isDone());
        return future.join();
    }

    private void sweep() {
        for (int i = 0; i < TICKS_PER_SWEEP; i++) {
            pass(0);
        }
    }

    /** The leader keeps what it may still be asked for, but not for ever (protocol 4.2). */
    @Test
    void aCommitThatWasGivenUpHoldsItsSequenceForAWhileOnly() {
        CompletableFuture<Answer> commit = commit();
        pass(29_999);
        assertFalse(commit.isDone());
        pass(1);
        assertEquals(Outcome.UNKNOWN, heard(commit).outcome());
        pass(599_999);
        sweep();
        assertFalse(last().hasProgress());
        pass(1);
        sweep();
        assertEquals(2, last().getProgress().getLowestOpen());
    }

    @Test
    void whoRollsBackDoesNotWaitForTheNextStream() {
        CompletableFuture<Answer> rollback =
                engine.rollback(begin(), io.troth.core.Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT));
        assertFalse(rollback.isDone());
        engine.down();
        assertEquals(Outcome.ROLLED_BACK, heard(rollback).outcome());
        up();
        assertEquals(2, sent.stream().filter(ClientEntry::hasRollback).count(), "the leader still has to hear of it");
    }

    @Test
    void whoRollsBackDoesNotWaitLongForAnAnswer() {
        CompletableFuture<Answer> rollback =
                engine.rollback(begin(), io.troth.core.Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT));
        pass(4_999);
        assertFalse(rollback.isDone());
        pass(1);
        assertEquals(Outcome.ROLLED_BACK, heard(rollback).outcome());
        sweep();
        assertEquals(2, last().getProgress().getLowestOpen());
    }

    @Test
    void noCommitIsAskedForAfterTheDeadline() {
        OpenTransaction transaction = begin();
        // No tick sees it first.
        advance(60_000);
        CompletableFuture<Answer> commit = engine.commit(transaction, true, false, false);
        assertTrue(last().hasRollback());
        reply(ClientReply.newBuilder().setRefused(Reason.newBuilder().setCode("TRANSACTION_ENDED")));
        assertEquals(Outcome.ROLLED_BACK, heard(commit).outcome());
        assertEquals(ErrorCode.DEADLINE_EXCEEDED, heard(commit).reason().code());
        assertTrue(sent.stream().noneMatch(ClientEntry::hasCommit));
    }

    @Test
    void aCommitThatWaitedForCallsUntilTheDeadlineSaysSo() {
        OpenTransaction transaction = begin();
        transaction.scope().enter();
        CompletableFuture<Answer> commit = engine.commit(transaction, true, false, false);
        advance(60_000);
        sweep();
        reply(ClientReply.newBuilder().setRefused(Reason.newBuilder().setCode("TRANSACTION_ENDED")));
        assertEquals(
                "DEADLINE_EXCEEDED: 1 calls or tasks under it had not ended",
                String.valueOf(heard(commit).reason()));
    }

    @Test
    void aRefusedQuestionIsRepeatedAfterAPause() {
        CompletableFuture<Answer> commit = commit();
        reply(ClientReply.newBuilder().setRefused(Reason.newBuilder().setCode("OVERLOADED")));
        assertTrue(last().hasOutcomeInquiry());
        int before = sent.size();
        reply(ClientReply.newBuilder().setRefused(Reason.newBuilder().setCode("OVERLOADED")));
        assertEquals(before, sent.size());
        pass(200);
        assertEquals(before + 1, sent.size());
        assertTrue(last().hasOutcomeInquiry());
        assertFalse(commit.isDone());
    }

    @Test
    void whoWaitsToBeginHearsAtOnceThatNothingMayBegin() {
        engine.down();
        CompletableFuture<OpenTransaction> begun = engine.begin(60_000);
        up();
        assertFalse(begun.isDone());
        reply(ClientReply.newBuilder()
                .setAccepting(
                        Accepting.newBuilder().setReason(Reason.newBuilder().setCode("DISK_FLOOR"))));
        assertEquals(ErrorCode.DISK_FLOOR, failure(begun));
    }

    @Test
    void whoWaitsToBeginCountsAsOpen() {
        engine.down();
        for (int i = 0; i < 100; i++) {
            assertFalse(engine.begin(60_000).isDone());
        }
        assertEquals(ErrorCode.OVERLOADED, failure(engine.begin(60_000)));
    }

    /** An agent may come a moment after the leader. */
    @Test
    void noGatewayIsBelievedAfterTwoSeconds() {
        CompletableFuture<List<String>> located = engine.locate("accounts");
        for (int i = 0; i < 20; i++) {
            int before = sent.size();
            reply(ClientReply.newBuilder().setResourceLocated(ResourceLocated.getDefaultInstance()));
            assertFalse(located.isDone());
            assertEquals(before, sent.size(), "not before the next tick");
            pass(100);
            assertTrue(last().hasLocateResource());
        }
        reply(ClientReply.newBuilder().setResourceLocated(ResourceLocated.getDefaultInstance()));
        assertEquals(List.of(), heard(located));
    }

    @Test
    void aQuestionForAGatewayHasItsTimeWithAndWithoutAStream() {
        CompletableFuture<List<String>> asked = engine.locate("accounts");
        pass(9_999);
        assertFalse(asked.isDone());
        pass(1);
        assertEquals(ErrorCode.NO_COORDINATOR, failure(asked));
        engine.down();
        CompletableFuture<List<String>> waiting = engine.locate("accounts");
        pass(9_999);
        assertFalse(waiting.isDone());
        pass(1);
        assertEquals(ErrorCode.NO_COORDINATOR, failure(waiting));
    }

    @Test
    void whoeverWaitsWhenTheClientIsClosedHears() {
        CompletableFuture<Answer> commit = commit();
        CompletableFuture<Answer> rollback =
                engine.rollback(begin(), io.troth.core.Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT));
        CompletableFuture<List<String>> located = engine.locate("accounts");
        engine.down();
        CompletableFuture<List<String>> later = engine.locate("accounts");
        CompletableFuture<OpenTransaction> begun = engine.begin(60_000);
        engine.close();
        assertEquals(Outcome.UNKNOWN, heard(commit).outcome());
        assertEquals(
                List.of(new BranchId(1, 1), new BranchId(1, 2)),
                heard(commit).content().branches().stream()
                        .map(work -> work.branch())
                        .toList(),
                "what a token needs");
        assertEquals(Outcome.ROLLED_BACK, heard(rollback).outcome());
        for (CompletableFuture<?> each : List.of(located, later, begun)) {
            assertEquals(ErrorCode.NO_COORDINATOR, failure(each));
        }
    }

    @Test
    void whoRollsBackWithoutAStreamWaitsForNothing() {
        OpenTransaction transaction = begin();
        engine.down();
        assertEquals(
                Outcome.ROLLED_BACK,
                heard(engine.rollback(transaction, io.troth.core.Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT)))
                        .outcome());
    }

    @Test
    void aCommitThatWasWithdrawnWhileACallRanIsNotAskedForWhenTheCallEnds() {
        OpenTransaction transaction = begin();
        transaction.scope().enter();
        CompletableFuture<Answer> commit = engine.commit(transaction, true, false, false);
        assertFalse(commit.isDone());
        engine.withdraw(transaction, io.troth.core.Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT));
        assertTrue(last().hasRollback());
        int before = sent.size();
        transaction.scope().exit();
        assertEquals(before, sent.size(), sent::toString);
    }

    /** What a coordinator that is gone has said of itself holds for no other one. */
    @Test
    void whoBeginsAfterTheEndOfOneThatAcceptedNothingWaitsForTheNext() {
        reply(ClientReply.newBuilder()
                .setAccepting(
                        Accepting.newBuilder().setReason(Reason.newBuilder().setCode("OVERLOADED"))));
        assertEquals(ErrorCode.OVERLOADED, failure(engine.begin(60_000)));
        engine.down();
        assertFalse(engine.begin(60_000).isDone());
    }

    @ParameterizedTest
    @EnumSource(
            value = ErrorCode.class,
            names = {"NOT_LEADER", "NOT_READY"})
    void aCoordinatorThatOpensNoSessionBecauseItDoesNotLeadIsLeft(ErrorCode code) {
        pass(3_600_000);
        sweep();
        assertTrue(last().hasOpenSession());
        reply(ClientReply.newBuilder().setRefused(Reason.newBuilder().setCode(code.name())));
        assertEquals(1, elsewhere.size());
    }
}
