package io.troth.coordinator.grpc;

import static org.awaitility.Awaitility.await;

import io.grpc.ConnectivityState;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.Reason;
import io.troth.proto.v1.AgentEntry;
import io.troth.proto.v1.AgentHello;
import io.troth.proto.v1.AgentResource;
import io.troth.proto.v1.AgentServiceGrpc;
import io.troth.proto.v1.AgentStreamRequest;
import io.troth.proto.v1.AgentStreamResponse;
import io.troth.proto.v1.BranchId;
import io.troth.proto.v1.ClientEntry;
import io.troth.proto.v1.ClientServiceGrpc;
import io.troth.proto.v1.ClientStreamRequest;
import io.troth.proto.v1.ClientStreamResponse;
import io.troth.proto.v1.GlobalTxId;
import io.troth.proto.v1.SessionKey;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/** A real server on a loopback port over an engine that only takes notes; the test thread is the engine thread. */
final class Edge implements AutoCloseable {

    static final ClusterId CLUSTER = new ClusterId(0xC0FFEE);
    static final EpochId EPOCH = new EpochId(3, 33);
    static final int EVERYTHING = 1_000_000;

    final SimulatedInbox inbox = new SimulatedInbox();
    final GrpcStreamGateway gateway = new GrpcStreamGateway(CLUSTER, 0);
    final List<Reason> refusals = new CopyOnWriteArrayList<>();
    final AtomicLong streams = new AtomicLong();
    final AtomicLong nanos = new AtomicLong();
    final GrpcServer server;
    final ManagedChannel channel;

    Edge() throws IOException {
        this(GrpcSettings.loopback(0));
    }

    Edge(WireLimits limits) throws IOException {
        this(GrpcSettings.loopback(0).withLimits(limits));
    }

    Edge(GrpcSettings settings) throws IOException {
        server = new GrpcServer(settings, new Listener(), nanos::get);
        server.serve(inbox, gateway);
        server.start();
        channel = NettyChannelBuilder.forAddress("localhost", server.port(), InsecureChannelCredentials.create())
                .directExecutor()
                .build();
        // Connected before the first call: a call that waits for the connection can be overtaken by the next one.
        until(() -> channel.getState(true) == ConnectivityState.READY);
    }

    void ready() {
        gateway.flush(EPOCH, 1);
        gateway.ready(true);
    }

    RawStream<ClientStreamResponse> client() {
        return RawStream.open(channel, ClientServiceGrpc.getClientStreamMethod(), EVERYTHING);
    }

    RawStream<ClientStreamResponse> client(int reads) {
        return RawStream.open(channel, ClientServiceGrpc.getClientStreamMethod(), reads);
    }

    /** A client stream of a ready coordinator that has been greeted. */
    RawStream<ClientStreamResponse> greetedClient() {
        RawStream<ClientStreamResponse> client = client();
        until(() -> !client.frames().isEmpty());
        return client;
    }

    RawStream<AgentStreamResponse> agent() {
        return RawStream.open(channel, AgentServiceGrpc.getAgentStreamMethod(), EVERYTHING);
    }

    static ClientStreamRequest batch(ClientEntry.Builder... entries) {
        ClientStreamRequest.Builder batch = ClientStreamRequest.newBuilder();
        for (ClientEntry.Builder entry : entries) {
            batch.addEntries(entry);
        }
        return batch.build();
    }

    static AgentStreamRequest batch(AgentEntry.Builder... entries) {
        AgentStreamRequest.Builder batch = AgentStreamRequest.newBuilder();
        for (AgentEntry.Builder entry : entries) {
            batch.addEntries(entry);
        }
        return batch.build();
    }

    static AgentEntry.Builder hello(long instance, String resource) {
        return AgentEntry.newBuilder()
                .setHello(AgentHello.newBuilder()
                        .setInstance(instance)
                        .setClusterId(CLUSTER.value())
                        .addResources(AgentResource.newBuilder()
                                .setName(resource)
                                .setKind("postgresql")
                                .setIdentity("1/" + resource)
                                .setRole("troth")
                                .setSqlAddress(resource + ":7710")));
    }

    static GlobalTxId tx(long sequence) {
        return GlobalTxId.newBuilder()
                .setEpoch(EPOCH.number())
                .setNonce(EPOCH.nonce())
                .setSession(1)
                .setSequence(sequence)
                .build();
    }

    static BranchId branch(long instance, long counter) {
        return BranchId.newBuilder().setInstance(instance).setCounter(counter).build();
    }

    static SessionKey key() {
        return SessionKey.newBuilder().setHigh(7).setLow(8).build();
    }

    static void until(BooleanSupplier condition) {
        await().atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(2))
                .until(condition::getAsBoolean);
    }

    @Override
    public void close() {
        channel.shutdownNow();
        server.close();
        try {
            channel.awaitTermination(30, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private final class Listener implements EdgeListener {
        @Override
        public void refused(Reason reason) {
            refusals.add(reason);
        }

        @Override
        public void streamOpened(Kind kind) {
            streams.incrementAndGet();
        }

        @Override
        public void streamClosed(Kind kind) {
            streams.decrementAndGet();
        }
    }
}
