package io.troth.client.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.troth.client.grpc.Endpoint;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.TrothException;
import io.troth.proto.v1.ClientEntry;
import io.troth.proto.v1.ClientReply;
import io.troth.proto.v1.ClientServiceGrpc;
import io.troth.proto.v1.ClientStreamRequest;
import io.troth.proto.v1.ClientStreamResponse;
import io.troth.proto.v1.CoordinatorState;
import io.troth.proto.v1.Progress;
import io.troth.proto.v1.SessionRef;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/**
 * Goal: what waits for a coordinator that lives and does not read has a bound: a stream is given up, and what is asked
 * too much is refused. Method: a coordinator that greets and reads nothing.
 */
class UnreadStreamTest {

    private static final int INQUIRIES_MAX = 10_000;

    private final HeardStreams heard = new HeardStreams();

    private static final class Unreading extends ClientServiceGrpc.ClientServiceImplBase {
        @Override
        public StreamObserver<ClientStreamRequest> clientStream(StreamObserver<ClientStreamResponse> replies) {
            ((ServerCallStreamObserver<ClientStreamResponse>) replies).disableAutoRequest();
            replies.onNext(ClientStreamResponse.newBuilder()
                    .addReplies(ClientReply.newBuilder()
                            .setCoordinatorState(CoordinatorState.newBuilder()
                                    .setClusterId(7)
                                    .setEpoch(io.troth.proto.v1.EpochId.newBuilder()
                                            .setNumber(1))))
                    .build());
            return new StreamObserver<>() {
                @Override
                public void onNext(ClientStreamRequest batch) {
                    throw new IllegalStateException("it asks for none");
                }

                @Override
                public void onError(Throwable cause) {
                    // The client has given the stream up.
                }

                @Override
                public void onCompleted() {
                    replies.onCompleted();
                }
            };
        }
    }

    @Test
    void isGivenUpForAnotherOne() throws Exception {
        Server server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .permitKeepAliveTime(1, TimeUnit.SECONDS)
                .addService(new Unreading())
                .build()
                .start();
        NettyLoop loop = new NettyLoop("unread");
        GrpcCoordinatorLink link =
                new GrpcCoordinatorLink(ClientSettings.of(List.of(new Endpoint("localhost", server.getPort()))), loop);
        try {
            link.start(heard);
            Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> heard.ups() == 1);
            ClientEntry entry = ClientEntry.newBuilder()
                    .setProgress(Progress.newBuilder()
                            .setSession(SessionRef.newBuilder().setSession(1))
                            .setLowestOpen(1))
                    .build();
            // As many as it takes: the transport's windows hold some, more of them the better it keeps up.
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (heard.downs() == 0 && System.nanoTime() - end < 0) {
                link.send(entry);
            }
            Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> heard.downs() == 1 && heard.ups() == 2);
            assertTrue(link.problem().endsWith("the coordinator does not read what it is sent"), link.problem());
        } finally {
            link.close();
            server.shutdownNow().awaitTermination(60, TimeUnit.SECONDS);
        }
    }

    @Test
    void isAskedForAsManyOutcomesAsMayWait() {
        AtomicLong now = new AtomicLong();
        TimersByHand timers = new TimersByHand();
        ClientEngine engine = ClientEngine.start(
                ClientSettings.of(List.of(new Endpoint("localhost", 1))), now::get, timers, new SilentLink());
        EpochId epoch = new EpochId(1, 2);
        for (int i = 1; i <= INQUIRIES_MAX; i++) {
            assertFalse(engine.outcome(new GlobalTxId(0, epoch, 1, i), null).isDone());
        }
        var refused = engine.outcome(new GlobalTxId(0, epoch, 2, 1), null);
        assertTrue(refused.isDone());
        TrothException reason = (TrothException)
                assertThrows(CompletionException.class, refused::join).getCause();
        assertEquals(ErrorCode.OVERLOADED, reason.code());
        now.addAndGet(TimeUnit.MINUTES.toNanos(1));
        timers.next();
        assertFalse(engine.outcome(new GlobalTxId(0, epoch, 2, 1), null).isDone(), "the others have been given up");
        engine.close();
    }
}
