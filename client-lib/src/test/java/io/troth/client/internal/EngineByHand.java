package io.troth.client.internal;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.client.grpc.Endpoint;
import io.troth.core.BranchId;
import io.troth.proto.v1.ClientEntry;
import io.troth.proto.v1.ClientReply;
import io.troth.proto.v1.CoordinatorState;
import io.troth.proto.v1.EpochId;
import io.troth.proto.v1.SessionKey;
import io.troth.proto.v1.SessionOpened;
import io.troth.proto.v1.SessionRef;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;

/** An engine with an open session; its clock, its timers and what the coordinator says are the test's. */
abstract class EngineByHand {

    static final long COMPLETION_LIMIT_MILLIS = 1_000;

    static final EpochId EPOCH = EpochId.newBuilder().setNumber(5).setNonce(31).build();

    final List<ClientEntry> sent = new ArrayList<>();
    final List<String> elsewhere = new ArrayList<>();
    final TimersByHand timers = new TimersByHand();
    private long now;
    final ClientEngine engine = ClientEngine.start(
            ClientSettings.of(List.of(new Endpoint("localhost", 1))), () -> now, timers, new Recorder());

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
        up();
        reply(ClientReply.newBuilder()
                .setSessionOpened(SessionOpened.newBuilder()
                        .setSession(SessionRef.newBuilder()
                                .setEpoch(EPOCH)
                                .setSession(1)
                                .setKey(SessionKey.newBuilder().setHigh(1).setLow(2)))
                        .setMaxOpen(100)
                        .setMaxAgeMillis(3_600_000)
                        .setCommitsInPlace(commitsInPlace())
                        .setCompletionLimitMillis(COMPLETION_LIMIT_MILLIS)));
    }

    /** Whether the leader knows that a transaction may end without a word to it. */
    boolean commitsInPlace() {
        return false;
    }

    final void up() {
        assertTrue(engine.up(
                CoordinatorState.newBuilder().setClusterId(7).setEpoch(EPOCH).build()));
    }

    /** Time passes that no timer notices. */
    final void advance(long millis) {
        now += TimeUnit.MILLISECONDS.toNanos(millis);
    }

    /** Time passes, and then all timers go off. */
    final void pass(long millis) {
        advance(millis);
        timers.all();
    }

    final ClientEntry last() {
        return sent.get(sent.size() - 1);
    }

    final void reply(ClientReply.Builder... replies) {
        engine.replies(List.of(replies).stream()
                .map(reply -> reply.setCorrelationId(last().getCorrelationId()).build())
                .toList());
    }

    /** One with two branches. */
    final OpenTransaction begin() {
        OpenTransaction transaction = engine.begin(60_000).join();
        transaction.scope().addBranch(new BranchId(1, 1), "left");
        transaction.scope().addBranch(new BranchId(1, 2), "right");
        return transaction;
    }

    final CompletableFuture<Answer> commit() {
        CompletableFuture<Answer> answer = engine.commit(begin(), true, false, false);
        assertTrue(last().hasCommit());
        return answer;
    }
}
