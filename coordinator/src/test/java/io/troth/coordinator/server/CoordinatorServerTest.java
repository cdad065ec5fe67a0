package io.troth.coordinator.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import io.troth.coordinator.config.ConfigKey;
import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.log.LogRefusal;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.coordinator.log.rocksdb.Logs;
import io.troth.core.Invariant;
import io.troth.core.ProtocolViolation;
import io.troth.proto.v1.ClientServiceGrpc;
import io.troth.proto.v1.ClientStreamResponse;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Goal: a coordinator that is wired starts, says how it is, refuses what it must, and lets everything go at the end. */
class CoordinatorServerTest {

    private static final Metadata.Key<String> REASON =
            Metadata.Key.of("troth-reason", Metadata.ASCII_STRING_MARSHALLER);

    @TempDir
    Path temp;

    private CoordinatorServer start(Map<ConfigKey<?>, String> others) {
        return CoordinatorServer.start(config(others));
    }

    private CoordinatorConfig config(Map<ConfigKey<?>, String> others) {
        return CoordinatorConfig.onFreePorts(temp.resolve("data"), others);
    }

    @Test
    void servesBothPortsAndSaysSo() throws Exception {
        try (CoordinatorServer server = start(Map.of(ConfigKey.LOG_FREE_FLOOR, "0B"))) {
            assertEquals("200 alive", Http.get(server.httpPort(), "/livez"));
            assertEquals("200 ready", Http.get(server.httpPort(), "/readyz"));
            String metrics = Http.get(server.httpPort(), "/metrics");
            assertTrue(metrics.startsWith("200 # HELP"), metrics);
            assertTrue(metrics.contains("\ntroth_streams_open{peer=\"agent\"} 0"), metrics);
            assertTrue(metrics.contains("\ntroth_log_force_records_count 1"), "the EPOCH was forced: " + metrics);
            assertEquals(
                    "404 there are /livez, /readyz, /memberz and /metrics", Http.get(server.httpPort(), "/metrics/x"));
            assertEquals("404 there are /livez, /readyz, /memberz and /metrics", Http.get(server.httpPort(), "/"));
            assertEquals("405 GET only", Http.post(server.httpPort(), "/readyz"));
            new Socket(InetAddress.getLoopbackAddress(), server.grpcPort()).close();
            assertEquals(
                    "READY grpc=127.0.0.1:" + server.grpcPort() + " http=127.0.0.1:" + server.httpPort() + " cluster="
                            + server.cluster() + " epoch=1 unended=0 data=" + temp.resolve("data"),
                    server.readyLine());
        }
    }

    @Test
    @Timeout(60)
    void whoConnectsAndDoesNotAskHoldsUpNobodyForLong() throws Exception {
        List<Socket> silent = new ArrayList<>();
        try (CoordinatorServer server = start(Map.of())) {
            for (int i = 0; i < 20; i++) {
                Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.httpPort());
                silent.add(socket);
                socket.getOutputStream().write("GET /livez".getBytes(StandardCharsets.US_ASCII));
            }
            // Who had to wait for as long is cut off with those who never ask.
            Awaitility.await()
                    .ignoreException(IOException.class)
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> Http.get(server.httpPort(), "/livez").equals("200 alive"));
        } finally {
            for (Socket socket : silent) {
                socket.close();
            }
        }
    }

    @Test
    void everyStartLeadsAnotherEpochOfTheSameCluster() {
        CoordinatorServer first = start(Map.of());
        first.close();
        assertEquals(Ending.Cause.STOPPED, first.awaitTermination().cause());
        try (CoordinatorServer second =
                start(Map.of(ConfigKey.CLUSTER_ID, first.cluster().toString()))) {
            assertEquals(first.cluster(), second.cluster());
            assertTrue(second.readyLine().contains(" epoch=2 "), second.readyLine());
        }
    }

    @Test
    void stopsInOrderWithinTheLimitAndOnlyOnce() throws Exception {
        // A loopback address of its own: nobody else can get its ports as soon as they are free.
        InetAddress own = InetAddress.getByAddress(new byte[] {127, 7, 0, 7});
        CoordinatorServer server = start(
                Map.of(ConfigKey.GRPC_ADDRESS, own.getHostAddress(), ConfigKey.HTTP_ADDRESS, own.getHostAddress()));
        new Socket(own, server.grpcPort()).close();
        new Socket(own, server.httpPort()).close();
        assertTrue(server.stop(Duration.ofSeconds(60)), "nothing was running");
        server.close();
        assertEquals(new Ending(Ending.Cause.STOPPED, ""), server.awaitTermination());
        assertThrows(IOException.class, () -> new Socket(own, server.grpcPort()).close());
        assertThrows(IOException.class, () -> new Socket(own, server.httpPort()).close());
    }

    @Test
    void whoIsConnectedHearsThatItStops() {
        Set<String> ends = Set.of();
        // The last words have a moment to arrive, which a machine that stands still may miss.
        for (int i = 0; i < 5 && !ends.equals(Set.of("UNAVAILABLE DRAINING")); i++) {
            ends = endsAtAStop();
        }
        assertEquals(Set.of("UNAVAILABLE DRAINING"), ends);
    }

    /** What many clients are told whose coordinator stops: status, and our code for it. */
    private Set<String> endsAtAStop() {
        CoordinatorServer server = start(Map.of());
        List<ManagedChannel> channels = new ArrayList<>();
        List<CompletableFuture<String>> ends = new ArrayList<>();
        List<CompletableFuture<Void>> greetings = new ArrayList<>();
        try (server) {
            for (int i = 0; i < 20; i++) {
                ManagedChannel channel = NettyChannelBuilder.forAddress(
                                "localhost", server.grpcPort(), InsecureChannelCredentials.create())
                        .build();
                channels.add(channel);
                CompletableFuture<Void> greeted = new CompletableFuture<Void>().orTimeout(60, TimeUnit.SECONDS);
                greetings.add(greeted);
                ends.add(end(channel, () -> greeted.complete(null)));
            }
            greetings.forEach(CompletableFuture::join);
            server.stop(Duration.ZERO);
            return ends.stream().map(CompletableFuture::join).collect(Collectors.toSet());
        } finally {
            channels.forEach(ManagedChannel::shutdownNow);
        }
    }

    private static CompletableFuture<String> end(ManagedChannel channel, Runnable greeted) {
        CompletableFuture<String> ended = new CompletableFuture<String>().orTimeout(60, TimeUnit.SECONDS);
        var unused = ClientServiceGrpc.newStub(channel).clientStream(new StreamObserver<ClientStreamResponse>() {
            @Override
            public void onNext(ClientStreamResponse frame) {
                greeted.run();
            }

            @Override
            public void onError(Throwable cause) {
                Metadata trailers = Status.trailersFromThrowable(cause);
                String reason = trailers == null ? null : trailers.get(REASON);
                ended.complete(Status.fromThrowable(cause).getCode() + " " + reason);
            }

            @Override
            public void onCompleted() {
                ended.complete("OK");
            }
        });
        return ended;
    }

    @Test
    void refusesDataThatIsInUseOrOfAnotherCluster() {
        try (CoordinatorServer server = start(Map.of())) {
            LogRefusedException inUse = assertThrows(LogRefusedException.class, () -> start(Map.of()));
            assertEquals(LogRefusal.IN_USE, inUse.refusal());
            assertNotEquals(0, server.grpcPort());
        }
        LogRefusedException foreign =
                assertThrows(LogRefusedException.class, () -> start(Map.of(ConfigKey.CLUSTER_ID, "00000000000000ff")));
        assertEquals(LogRefusal.FOREIGN_CLUSTER, foreign.refusal());
        start(Map.of()).close();
    }

    @Test
    void namesThePortThatIsTakenAndLeavesNothingOpen() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}))) {
            String port = Integer.toString(taken.getLocalPort());
            for (ConfigKey<Integer> key : List.of(ConfigKey.GRPC_PORT, ConfigKey.HTTP_PORT)) {
                StartFailedException failed = assertThrows(StartFailedException.class, () -> start(Map.of(key, port)));
                assertTrue(failed.getMessage().contains("cannot listen on 127.0.0.1:" + port), failed.getMessage());
                assertTrue(failed.getMessage().contains("Address already in use. Stop"), failed.getMessage());
                assertTrue(failed.getMessage().contains("set " + key + " to another one"), failed.getMessage());
            }
        }
        for (ConfigKey<String> key : List.of(ConfigKey.GRPC_ADDRESS, ConfigKey.HTTP_ADDRESS)) {
            Map<ConfigKey<?>, String> nowhere = Map.of(key, "nowhere.invalid", ConfigKey.INSECURE, "true");
            StartFailedException failed = assertThrows(StartFailedException.class, () -> start(nowhere));
            assertTrue(failed.getMessage().contains("this name has no address"), failed.getMessage());
            assertTrue(failed.getMessage().contains(key + " must be one of this machine"), failed.getMessage());
        }
        start(Map.of()).close();
    }

    @Test
    void namesTheKeysOfFilesThatTlsCannotUse() throws IOException {
        String file = Files.writeString(temp.resolve("x.pem"), "no certificate").toString();
        StartFailedException failed = assertThrows(
                StartFailedException.class,
                () -> start(Map.of(ConfigKey.TLS_CERTIFICATE, file, ConfigKey.TLS_KEY, file)));
        assertTrue(failed.getMessage().contains("Check tls.certificate"), failed.getMessage());
        start(Map.of()).close();
    }

    @Test
    void stopsAtALogThatBreaksAnInvariant() throws Exception {
        Logs.forgeImpossibleEpoch(temp.resolve("data"));
        ProtocolViolation violation = assertThrows(ProtocolViolation.class, () -> start(Map.of()));
        assertEquals(Invariant.I8_EPOCHS_GROW, violation.invariant());
    }

    @Test
    void isNotReadyForNewTransactionsBelowTheFloorOfTheDisk() throws Exception {
        try (CoordinatorServer server = start(Map.of(ConfigKey.LOG_FREE_FLOOR, "1024GiB"))) {
            // It still answers: running transactions end, and their outcomes are told.
            assertEquals("200 ready", Http.get(server.httpPort(), "/readyz"));
        }
    }
}
