package io.troth.client.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import io.grpc.Attributes;
import io.grpc.Server;
import io.grpc.ServerTransportFilter;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.troth.client.grpc.Endpoint;
import io.troth.proto.v1.ClientEntry;
import io.troth.proto.v1.ClientReply;
import io.troth.proto.v1.ClientServiceGrpc;
import io.troth.proto.v1.ClientStreamRequest;
import io.troth.proto.v1.ClientStreamResponse;
import io.troth.proto.v1.CoordinatorState;
import io.troth.proto.v1.EpochId;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Goal: whatever a coordinator does or leaves undone, the next stream comes, what is sent arrives in pieces that it takes,
 * and nothing of an old stream stays. Method: a coordinator that does at each stream what the test wants.
 */
class CoordinatorStreamTest {

    private static final long PATIENT_MILLIS = 60_000;
    private static final long IMPATIENT_MILLIS = 500;
    private static final int MORE_THAN_MAY_WAIT = 210_000;
    private static final int MEGABYTE = 1 << 20;

    private static final ClientStreamResponse HELLO = ClientStreamResponse.newBuilder()
            .addReplies(ClientReply.newBuilder()
                    .setCoordinatorState(CoordinatorState.newBuilder()
                            .setClusterId(7)
                            .setEpoch(EpochId.newBuilder().setNumber(1))))
            .build();

    private static final ClientEntry LARGE = ClientEntry.newBuilder()
            .setUnknownFields(UnknownFieldSet.newBuilder()
                    .addField(
                            1_000,
                            UnknownFieldSet.Field.newBuilder()
                                    .addLengthDelimited(ByteString.copyFrom(new byte[MEGABYTE / 8]))
                                    .build())
                    .build())
            .build();

    private final AtomicInteger streams = new AtomicInteger();
    private final AtomicInteger connectionsOver = new AtomicInteger();
    private final HeardStreams heard = new HeardStreams();
    private final List<ClientStreamRequest> batches = new CopyOnWriteArrayList<>();
    private final AtomicInteger entries = new AtomicInteger();
    private final NettyLoop loop = new NettyLoop("of-a-test");

    /** Hears the number of a stream when it begins. */
    private volatile BiConsumer<Integer, StreamObserver<ClientStreamResponse>> coordinator =
            (number, replies) -> replies.onNext(HELLO);

    private Server server;
    private Endpoint endpoint;
    private GrpcCoordinatorLink link;

    private final class Service extends ClientServiceGrpc.ClientServiceImplBase {
        @Override
        public StreamObserver<ClientStreamRequest> clientStream(StreamObserver<ClientStreamResponse> replies) {
            coordinator.accept(streams.incrementAndGet(), replies);
            return new StreamObserver<>() {
                @Override
                public void onNext(ClientStreamRequest batch) {
                    batches.add(batch);
                    entries.addAndGet(batch.getEntriesCount());
                }

                @Override
                public void onError(Throwable cause) {
                    // The client has given the stream up.
                }

                @Override
                public void onCompleted() {
                    // It does not end the stream.
                }
            };
        }
    }

    private static ConditionFactory eventually() {
        return Awaitility.await().pollInterval(Duration.ofMillis(5)).atMost(Duration.ofSeconds(60));
    }

    @BeforeEach
    void open() throws IOException {
        server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .permitKeepAliveTime(1, TimeUnit.SECONDS)
                .permitKeepAliveWithoutCalls(true)
                .addService(new Service())
                .addTransportFilter(new ServerTransportFilter() {
                    @Override
                    public void transportTerminated(Attributes attributes) {
                        connectionsOver.incrementAndGet();
                    }
                })
                .build()
                .start();
        endpoint = new Endpoint("localhost", server.getPort());
    }

    private void start(long helloMillis) {
        List<Endpoint> endpoints = List.of(endpoint);
        link = new GrpcCoordinatorLink(
                new ClientSettings(
                        endpoints, "", null, 10_000, 30_000, 60_000, 10_000, helloMillis, 1, 1, 200, 600_000),
                loop);
        link.start(heard);
    }

    @AfterEach
    void close() throws InterruptedException {
        link.close();
        server.shutdownNow().awaitTermination(60, TimeUnit.SECONDS);
    }

    private void awaitUp() {
        start(PATIENT_MILLIS);
        eventually().until(() -> heard.ups() == 1);
    }

    @Test
    void oneThatSaysNothingIsNotWaitedForForEver() {
        coordinator = (number, replies) -> {
            if (number >= 3) {
                replies.onNext(HELLO);
            }
        };
        start(IMPATIENT_MILLIS);
        eventually().until(() -> heard.ups() == 1);
    }

    @Test
    void theConnectionOfAStreamThatWasGivenUpEnds() {
        coordinator =
                (number, replies) -> replies.onNext(number < 3 ? ClientStreamResponse.getDefaultInstance() : HELLO);
        awaitUp();
        eventually().until(() -> connectionsOver.get() == 2);
    }

    /** The stream is given up at its first words. */
    @Test
    void nothingIsHeardOfAStreamThatIsOver() {
        coordinator = (number, replies) -> {
            if (number == 1) {
                replies.onNext(ClientStreamResponse.getDefaultInstance());
                replies.onNext(HELLO);
                replies.onNext(HELLO);
            } else if (number == 3) {
                replies.onNext(HELLO);
            } else {
                replies.onCompleted();
            }
        };
        awaitUp();
        assertEquals(3, streams.get());
    }

    @Test
    void aStreamLastsHoweverMuchIsSentOnIt() {
        awaitUp();
        for (int sent = 0; sent < MORE_THAN_MAY_WAIT; sent += 30_000) {
            for (int i = 0; i < 30_000; i++) {
                link.send(ClientEntry.getDefaultInstance());
            }
            int all = sent + 30_000;
            eventually().until(() -> entries.get() == all);
        }
        assertEquals(0, heard.downs());
    }

    @Test
    void whatWaitsIsSentInPieces() {
        awaitUp();
        CountDownLatch ready = new CountDownLatch(1);
        loop.execute(() -> {
            try {
                ready.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        for (int i = 0; i < 3_000; i++) {
            link.send(ClientEntry.getDefaultInstance());
        }
        for (int i = 0; i < 30; i++) {
            link.send(LARGE);
        }
        ready.countDown();
        eventually().until(() -> entries.get() == 3_030);
        for (ClientStreamRequest batch : batches) {
            assertTrue(batch.getEntriesCount() <= 1_024, batch.getEntriesCount() + " entries");
            assertTrue(batch.getSerializedSize() <= MEGABYTE + MEGABYTE / 4, batch.getSerializedSize() + " bytes");
        }
        assertEquals(0, heard.downs());
    }

    @Test
    void whatACoordinatorDoesNotReadYetIsSentWhenItDoes() {
        AtomicReference<ServerCallStreamObserver<ClientStreamResponse>> stream = new AtomicReference<>();
        coordinator = (number, replies) -> {
            ServerCallStreamObserver<ClientStreamResponse> observer =
                    (ServerCallStreamObserver<ClientStreamResponse>) replies;
            observer.disableAutoRequest();
            stream.set(observer);
            replies.onNext(HELLO);
        };
        awaitUp();
        for (int i = 0; i < 30; i++) {
            link.send(LARGE);
        }
        stream.get().request(Integer.MAX_VALUE);
        eventually().until(() -> entries.get() == 30);
        assertEquals(0, heard.downs());
    }

    /** This coordinator does not end the stream when its client does. */
    @Test
    void aCloseEndsTheLoop() {
        awaitUp();
        link.send(ClientEntry.getDefaultInstance());
        link.close();
        eventually().until(() -> loop.group().isTerminated());
        assertEquals(1, entries.get());
    }

    @Test
    void aCloseBetweenTwoStreamsEndsTheLoop() {
        // gRPC makes no channel to it.
        endpoint = new Endpoint("no_host", 7700);
        start(PATIENT_MILLIS);
        eventually().until(() -> link.problem().startsWith("no_host"));
        link.close();
        eventually().until(() -> loop.group().isTerminated());
    }
}
