package io.troth.agent.grpc;

import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.proto.v1.AgentEntry;
import io.troth.proto.v1.AgentEntry.EntryCase;
import io.troth.proto.v1.AgentHello;
import io.troth.proto.v1.AgentOrder;
import io.troth.proto.v1.AgentServiceGrpc;
import io.troth.proto.v1.AgentStreamRequest;
import io.troth.proto.v1.AgentStreamResponse;
import io.troth.proto.v1.BranchId;
import io.troth.proto.v1.CommitBranch;
import io.troth.proto.v1.CommitOnePhase;
import io.troth.proto.v1.Enlist;
import io.troth.proto.v1.Prepare;
import io.troth.proto.v1.RollbackBranch;
import io.troth.proto.v1.VoteEntry;
import io.troth.proto.v1.Welcome;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A coordinator's side of the agents' streams, over real gRPC: the test says what it says. It welcomes every agent
 * unless it is told not to, and remembers what agents say, in order.
 */
public final class SimulatedAgentService implements AutoCloseable {

    public static final ClusterId CLUSTER = new ClusterId(0x7107_0000_0000_00c1L);

    private static final long LIMIT_SECONDS = 60;

    private final LinkedBlockingQueue<AgentEntry> received = new LinkedBlockingQueue<>();
    private final List<AgentStreamRequest> batches = new CopyOnWriteArrayList<>();
    private final List<StreamObserver<AgentStreamResponse>> streams = new CopyOnWriteArrayList<>();
    private final List<Long> openedNanos = new CopyOnWriteArrayList<>();
    private volatile ClusterId cluster = CLUSTER;
    private volatile EpochId epoch = new EpochId(1, 0xe90c);
    private volatile boolean welcoming = true;
    private volatile boolean still;
    private final HeldPort port = new HeldPort();
    private @Nullable Server server;

    /** Listens on a free port of this machine. */
    public static SimulatedAgentService start() {
        SimulatedAgentService coordinator = new SimulatedAgentService();
        coordinator.listen();
        return coordinator;
    }

    /** Listens again on its port. */
    public void listen() {
        try {
            server = NettyServerBuilder.forAddress(port.address())
                    .executor(this::run)
                    .permitKeepAliveTime(5, TimeUnit.SECONDS)
                    .addService(new Service())
                    .build()
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void run(Runnable task) {
        if (!still) {
            task.run();
        }
    }

    /** From now on it does nothing, and its connections stand. */
    public void standStill() {
        still = true;
    }

    /** Is gone, with every stream. */
    public void stop() {
        Server running = server;
        if (running != null) {
            running.shutdownNow();
            try {
                running.awaitTermination(LIMIT_SECONDS, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    public String endpoint() {
        return "localhost:" + port.number();
    }

    public int port() {
        return port.number();
    }

    /** From now on it is another one. */
    public void becomes(ClusterId itsCluster, EpochId itsEpoch) {
        cluster = itsCluster;
        epoch = itsEpoch;
    }

    /** Whether agents are welcomed. */
    public void welcomes(boolean itDoes) {
        welcoming = itDoes;
    }

    public EpochId epoch() {
        return epoch;
    }

    /** When each stream was opened, by {@code System.nanoTime()}. */
    public List<Long> openedNanos() {
        return List.copyOf(openedNanos);
    }

    /** Everything that was read as one message. */
    public List<AgentStreamRequest> batches() {
        return List.copyOf(batches);
    }

    /** Breaks the newest stream. */
    public void cut() {
        cut(Status.UNAVAILABLE, "cut by the test");
    }

    /** Breaks the newest stream with this status. */
    public void cut(Status status, String description) {
        newest().onError(status.withDescription(description).asRuntimeException());
    }

    /** Breaks the newest stream because there is a newer one, which it is not. */
    public void replace() {
        Metadata trailers = new Metadata();
        trailers.put(Metadata.Key.of("troth-reason", Metadata.ASCII_STRING_MARSHALLER), "STREAM_BROKEN");
        newest().onError(Status.ABORTED.asRuntimeException(trailers));
    }

    /** Does not lead any more, and says on the newest stream who does. */
    public void redirect(String leader) {
        Metadata trailers = new Metadata();
        trailers.put(Metadata.Key.of("troth-reason", Metadata.ASCII_STRING_MARSHALLER), "NOT_LEADER");
        trailers.put(Metadata.Key.of("troth-leader", Metadata.ASCII_STRING_MARSHALLER), leader);
        newest().onError(Status.UNAVAILABLE.asRuntimeException(trailers));
    }

    private StreamObserver<AgentStreamResponse> newest() {
        return streams.get(streams.size() - 1);
    }

    /** Says this on the newest stream. */
    public void say(AgentOrder... orders) {
        say(AgentStreamResponse.newBuilder()
                .setEpoch(wire(epoch))
                .setDurableBatch(1)
                .addAllOrders(List.of(orders))
                .build());
    }

    /** Says this on the newest stream, whatever it is. */
    public void say(AgentStreamResponse response) {
        synchronized (this) {
            newest().onNext(response);
        }
    }

    public AgentOrder welcome() {
        return AgentOrder.newBuilder()
                .setWelcome(Welcome.newBuilder().setClusterId(cluster.value()).setEpoch(wire(epoch)))
                .build();
    }

    public void prepare(Enlist branch, int calls) {
        say(AgentOrder.newBuilder()
                .setPrepare(Prepare.newBuilder()
                        .setTx(branch.getTx())
                        .setBranch(branch.getBranch())
                        .setCalls(calls))
                .build());
    }

    public void commitOnePhase(Enlist branch, int calls) {
        say(AgentOrder.newBuilder()
                .setCommitOnePhase(CommitOnePhase.newBuilder()
                        .setTx(branch.getTx())
                        .setBranch(branch.getBranch())
                        .setCalls(calls))
                .build());
    }

    public void commit(Enlist branch, VoteEntry vote) {
        say(AgentOrder.newBuilder()
                .setCommitBranch(CommitBranch.newBuilder()
                        .setTx(branch.getTx())
                        .setBranch(branch.getBranch())
                        .setResource(branch.getResource())
                        .setProof(vote.getProof())
                        .setFirstAttempt(true))
                .build());
    }

    public void rollback(io.troth.proto.v1.GlobalTxId tx, BranchId branch, String resource) {
        say(AgentOrder.newBuilder()
                .setRollbackBranch(
                        RollbackBranch.newBuilder().setTx(tx).setBranch(branch).setResource(resource))
                .build());
    }

    public AgentHello awaitHello() {
        return await(EntryCase.HELLO).getHello();
    }

    public Enlist awaitEnlist() {
        return await(EntryCase.ENLIST).getEnlist();
    }

    public VoteEntry awaitVote() {
        return await(EntryCase.VOTE).getVote();
    }

    /** The next entry of the kind; what comes before it is skipped. */
    public AgentEntry await(EntryCase kind) {
        try {
            while (true) {
                AgentEntry entry = received.poll(LIMIT_SECONDS, TimeUnit.SECONDS);
                if (entry == null) {
                    throw new AssertionError("no " + kind + " in " + LIMIT_SECONDS + " s");
                }
                if (entry.getEntryCase() == kind) {
                    return entry;
                }
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** What was said and not awaited yet. */
    public List<AgentEntry> unread() {
        return List.copyOf(received);
    }

    /** The name of a transaction of this coordinator's epoch. */
    public GlobalTxId transaction(long sequence) {
        return new GlobalTxId(0, epoch, 1, sequence);
    }

    /** As it stands on the wire. */
    public static io.troth.proto.v1.GlobalTxId wire(GlobalTxId tx) {
        return io.troth.proto.v1.GlobalTxId.newBuilder()
                .setShard(tx.shard())
                .setEpoch(tx.epoch().number())
                .setNonce(tx.epoch().nonce())
                .setSession(tx.session())
                .setSequence(tx.sequence())
                .build();
    }

    private static io.troth.proto.v1.EpochId wire(EpochId epoch) {
        return io.troth.proto.v1.EpochId.newBuilder()
                .setNumber(epoch.number())
                .setNonce(epoch.nonce())
                .build();
    }

    @Override
    public void close() {
        stop();
        port.close();
    }

    private final class Service extends AgentServiceGrpc.AgentServiceImplBase {

        @Override
        public StreamObserver<AgentStreamRequest> agentStream(StreamObserver<AgentStreamResponse> responses) {
            openedNanos.add(System.nanoTime());
            // With a handler, saying something to an agent that is gone is no error.
            ((ServerCallStreamObserver<AgentStreamResponse>) responses).setOnCancelHandler(() -> {});
            streams.add(responses);
            return new StreamObserver<>() {
                @Override
                public void onNext(AgentStreamRequest request) {
                    batches.add(request);
                    // Before the test hears of the hello: it may break the stream next, and two must not use it at
                    // once.
                    if (welcoming
                            && request.getEntriesCount() > 0
                            && request.getEntries(0).hasHello()) {
                        say(welcome());
                    }
                    received.addAll(request.getEntriesList());
                }

                @Override
                public void onError(Throwable cause) {
                    // The agent has broken the stream.
                }

                @Override
                public void onCompleted() {
                    if (responses == newest()) {
                        responses.onCompleted();
                    }
                }
            };
        }
    }
}
