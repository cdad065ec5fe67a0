package io.troth.client.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.UnknownFieldSet;
import io.troth.client.grpc.Endpoint;
import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.TrothException;
import io.troth.proto.v1.Accepting;
import io.troth.proto.v1.ClientEntry;
import io.troth.proto.v1.ClientReply;
import io.troth.proto.v1.CoordinatorState;
import io.troth.proto.v1.EpochId;
import io.troth.proto.v1.Reason;
import io.troth.proto.v1.SessionKey;
import io.troth.proto.v1.SessionOpened;
import io.troth.proto.v1.SessionRef;
import io.troth.proto.v1.TransactionAnswer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Goal: what this build does not know is never taken for certain, and takes nothing away from what stands beside it
 * ("Upgrading" in OPERATIONS.md). Method: the engine alone, and replies with numbers and names that nobody has given.
 */
class NewerCoordinatorTest {

    private static final int NEWER = 77;
    private static final EpochId EPOCH =
            EpochId.newBuilder().setNumber(5).setNonce(31).build();

    private final List<ClientEntry> sent = new ArrayList<>();
    private final List<String> elsewhere = new ArrayList<>();
    private final TimersByHand timers = new TimersByHand();
    private final ClientEngine engine = ClientEngine.start(
            ClientSettings.of(List.of(new Endpoint("localhost", 1))), () -> 0, timers, new Recorder());

    private final class Recorder extends SilentLink {
        @Override
        public void send(ClientEntry entry) {
            sent.add(entry);
        }

        @Override
        public void tryElsewhere(String why) {
            elsewhere.add(why);
        }
    }

    @BeforeEach
    void open() {
        assertTrue(engine.up(
                CoordinatorState.newBuilder().setClusterId(7).setEpoch(EPOCH).build()));
        reply(ClientReply.newBuilder()
                .setSessionOpened(SessionOpened.newBuilder()
                        .setSession(SessionRef.newBuilder()
                                .setEpoch(EPOCH)
                                .setSession(1)
                                .setKey(SessionKey.newBuilder().setHigh(1).setLow(2)))
                        .setMaxOpen(100)
                        .setMaxAgeMillis(3_600_000)));
    }

    private ClientEntry last() {
        return sent.get(sent.size() - 1);
    }

    private void reply(ClientReply.Builder... replies) {
        engine.replies(List.of(replies).stream()
                .map(reply -> reply.setCorrelationId(last().getCorrelationId()).build())
                .toList());
    }

    private CompletableFuture<Answer> commit() {
        OpenTransaction transaction = engine.begin(60_000).join();
        transaction.scope().addBranch(new BranchId(1, 1), "left");
        transaction.scope().addBranch(new BranchId(1, 2), "right");
        CompletableFuture<Answer> answer = engine.commit(transaction, true, false);
        assertTrue(last().hasCommit());
        return answer;
    }

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
