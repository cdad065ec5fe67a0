package io.troth.client.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.UnknownFieldSet;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.TrothException;
import io.troth.proto.v1.Accepting;
import io.troth.proto.v1.ClientEntry;
import io.troth.proto.v1.ClientReply;
import io.troth.proto.v1.Reason;
import io.troth.proto.v1.TransactionAnswer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

/**
 * Goal: what this build does not know is never taken for certain, and takes nothing away from what stands beside it
 * ("Upgrading" in OPERATIONS.md). Method: the engine alone, and replies with numbers and names that nobody has given.
 */
class NewerCoordinatorTest extends EngineByHand {

    private static final int NEWER = 77;

    private TransactionAnswer.Builder answer() {
        return TransactionAnswer.newBuilder().setTx(last().getCommit().getTx());
    }

    @Test
    void anOutcomeThatItDoesNotKnowIsUnknown() {
        CompletableFuture<Answer> commit = commit();
        reply(ClientReply.newBuilder().setTransactionAnswer(answer().setOutcomeValue(NEWER)));
        assertEquals(Outcome.UNKNOWN, commit.join().outcome());
    }

    @Test
    void aReasonThatItDoesNotKnowIsKeptInWordsAndNotWorthARepetition() {
        CompletableFuture<Answer> commit = commit();
        reply(ClientReply.newBuilder()
                .setTransactionAnswer(answer().setOutcomeValue(io.troth.proto.v1.Outcome.OUTCOME_ROLLED_BACK_VALUE)
                        .setReason(Reason.newBuilder().setCode("MOON_FULL").setDetail("tonight"))));
        assertEquals(Outcome.ROLLED_BACK, commit.join().outcome());
        assertEquals(ErrorCode.INTERNAL, commit.join().reason().code());
        assertFalse(commit.join().reason().code().retryable());
        assertEquals("MOON_FULL: tonight", commit.join().reason().detail());

        reply(ClientReply.newBuilder()
                .setAccepting(
                        Accepting.newBuilder().setReason(Reason.newBuilder().setCode("MOON_FULL"))));
        Throwable refused = assertThrows(
                        CompletionException.class, () -> engine.begin(60_000).join())
                .getCause();
        assertEquals(
                ErrorCode.INTERNAL,
                assertInstanceOf(TrothException.class, refused).code());
    }

    @Test
    void aCommitThatIsRefusedForAReasonThatItDoesNotKnowIsAskedFor() {
        CompletableFuture<Answer> commit = commit();
        reply(ClientReply.newBuilder().setRefused(Reason.newBuilder().setCode("MOON_FULL")));
        assertFalse(commit.isDone());
        assertTrue(last().hasOutcomeInquiry());
    }

    @Test
    void aReplyThatItDoesNotKnowTakesNothingFromTheOthersOfItsBatch() {
        CompletableFuture<Answer> commit = commit();
        ClientReply.Builder newer = ClientReply.newBuilder()
                .setUnknownFields(UnknownFieldSet.newBuilder()
                        .addField(
                                NEWER,
                                UnknownFieldSet.Field.newBuilder().addVarint(1).build())
                        .build());
        ClientReply.Builder senseless = ClientReply.newBuilder()
                .setTransactionAnswer(
                        TransactionAnswer.newBuilder().setOutcome(io.troth.proto.v1.Outcome.OUTCOME_ROLLED_BACK));
        reply(
                newer,
                senseless,
                ClientReply.newBuilder()
                        .setTransactionAnswer(answer().setOutcome(io.troth.proto.v1.Outcome.OUTCOME_COMMITTED)));
        assertEquals(Outcome.COMMITTED, commit.join().outcome());
    }

    /** Such an id is of another cluster or of a log that is no more. Whoever asks waits, and nobody else. */
    @Test
    void aQuestionAboutALaterEpochLeavesTheStreamAlone() {
        GlobalTxId later = new GlobalTxId(0, new io.troth.core.EpochId(99, 1), 1, 1);
        CompletableFuture<Answer> outcome = engine.outcome(later, null);
        ClientEntry asked = last();
        assertTrue(asked.hasOutcomeInquiry());
        reply(ClientReply.newBuilder()
                .setTransactionAnswer(TransactionAnswer.newBuilder()
                        .setTx(asked.getOutcomeInquiry().getTx())
                        .setOutcome(io.troth.proto.v1.Outcome.OUTCOME_NOT_LEADER)));
        assertEquals(List.of(), elsewhere);
        timers.all();
        assertFalse(outcome.isDone());
        assertEquals(asked.getOutcomeInquiry(), last().getOutcomeInquiry());
        assertTrue(last().getCorrelationId() > asked.getCorrelationId());
    }
}
