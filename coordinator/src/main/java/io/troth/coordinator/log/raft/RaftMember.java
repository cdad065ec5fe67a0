package io.troth.coordinator.log.raft;

import io.troth.coordinator.engine.LeadershipLostException;
import io.troth.coordinator.log.Incarnation;
import io.troth.coordinator.log.LogEnvironment;
import io.troth.coordinator.log.LogRefusal;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.core.ClusterId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.SnapshotManagementRequest;
import org.apache.ratis.protocol.TransferLeadershipRequest;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations;
import org.apache.ratis.util.FileUtils;
import org.apache.ratis.util.LifeCycle;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One member of a replicated decision log, in this process. It follows or leads as Raft decides; for each term in which
 * it leads, its listener is given a log of its own. Thread-safe.
 */
public final class RaftMember implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(RaftMember.class);

    /** Below the data directory: Raft's own log, its votes, and the checkpoints. */
    static final String DIRECTORY = "raft";

    /** The second half of a group's id; the first one is the cluster. */
    private static final long GROUP = 0x7472_6f74_682d_31L;

    /** Raft gives a transfer of the leadership up after this time. */
    private static final long TRANSFER_MILLIS = 10_000;

    private final RaftSettings settings;
    private final RaftGroupId group;
    private final ClientId client = ClientId.randomId();
    private final AtomicLong calls = new AtomicLong();
    private final DecisionStateMachine machine;
    private final RaftServer server;

    private RaftMember(
            RaftSettings settings,
            LogEnvironment environment,
            LeadershipListener listener,
            UnaryOperator<EntrySender> decorator,
            RaftStorage.StartupOption option)
            throws IOException {
        this.settings = settings;
        ClusterId cluster = Objects.requireNonNull(settings.log().cluster());
        group = RaftGroupId.valueOf(new UUID(cluster.value(), GROUP));
        EntrySender sender = decorator.apply(this::send);
        machine = new DecisionStateMachine(
                settings,
                environment,
                listener,
                (term, store) -> new RaftDecisionLog(settings, environment, term, store, sender, () -> stepDown(term)));
        server = RaftServer.newBuilder()
                .setServerId(RaftPeerId.valueOf(settings.node()))
                .setGroup(RaftGroup.valueOf(group, peers()))
                .setStateMachineRegistry(id -> machine)
                .setProperties(RatisProperties.of(settings))
                .setOption(option)
                .build();
    }

    private List<RaftPeer> peers() {
        return settings.nodes().entrySet().stream()
                .map(node -> RaftPeer.newBuilder()
                        .setId(node.getKey())
                        .setAddress(node.getValue())
                        .build())
                .toList();
    }

    /**
     * Makes a new member on a data directory that does not exist, or is empty. Every member of the first configuration is
     * made so once; a member that has lost its directory must not be: it could vote twice.
     *
     * @throws LogRefusedException when the directory is not to be used
     * @throws IOException when it cannot listen
     */
    public static RaftMember create(RaftSettings settings, LogEnvironment environment, LeadershipListener listener)
            throws IOException {
        return create(settings, environment, listener, UnaryOperator.identity());
    }

    /** For tests: with something between the leader and Raft. */
    static RaftMember create(
            RaftSettings settings,
            LogEnvironment environment,
            LeadershipListener listener,
            UnaryOperator<EntrySender> decorator)
            throws IOException {
        Path directory = settings.log().directory();
        if (Incarnation.read(directory) != null) {
            throw new LogRefusedException(LogRefusal.NOT_EMPTY, directory, "there is a log already");
        }
        // What a crash has left before the directory was anybody's: nothing was promised with it.
        FileUtils.deleteFully(directory.resolve(DIRECTORY));
        return start(settings, environment, listener, decorator, RaftStorage.StartupOption.FORMAT);
    }

    /**
     * Opens a member that was made with {@link #create}.
     *
     * @throws LogRefusedException when the directory is not to be used: the message says why and what to do
     * @throws IOException when it cannot listen
     */
    public static RaftMember open(RaftSettings settings, LogEnvironment environment, LeadershipListener listener)
            throws IOException {
        return open(settings, environment, listener, UnaryOperator.identity());
    }

    /** For tests: with something between the leader and Raft. */
    static RaftMember open(
            RaftSettings settings,
            LogEnvironment environment,
            LeadershipListener listener,
            UnaryOperator<EntrySender> decorator)
            throws IOException {
        Path directory = settings.log().directory();
        Path promises = directory
                .resolve(DIRECTORY)
                .resolve(new UUID(
                                Objects.requireNonNull(settings.log().cluster()).value(), GROUP)
                        .toString())
                .resolve("current")
                .resolve("raft-meta");
        if (Incarnation.read(directory) == null || !Files.exists(promises)) {
            throw new LogRefusedException(
                    LogRefusal.MEMBER_LOST, directory, "there is no whole member of this cluster");
        }
        return start(settings, environment, listener, decorator, RaftStorage.StartupOption.RECOVER);
    }

    private static RaftMember start(
            RaftSettings settings,
            LogEnvironment environment,
            LeadershipListener listener,
            UnaryOperator<EntrySender> decorator,
            RaftStorage.StartupOption option)
            throws IOException {
        Files.createDirectories(settings.log().directory().resolve(DIRECTORY));
        RaftMember member = new RaftMember(settings, environment, listener, decorator, option);
        boolean started = false;
        try {
            member.server.start();
            started = true;
            return member;
        } catch (IOException | RuntimeException e) {
            // What the store itself has to say comes through Ratis as the cause of something.
            for (Throwable cause = e; cause != null; cause = cause.getCause()) {
                if (cause instanceof LogRefusedException refused) {
                    throw refused;
                }
            }
            throw e;
        } finally {
            if (!started) {
                member.close();
            }
        }
    }

    private CompletableFuture<Void> send(byte[] entry) {
        try {
            RaftClientRequest request = RaftClientRequest.newBuilder()
                    .setClientId(client)
                    .setServerId(server.getId())
                    .setGroupId(group)
                    .setCallId(calls.incrementAndGet())
                    .setMessage(Message.valueOf(bytes(entry)))
                    .setType(RaftClientRequest.writeRequestType())
                    .build();
            return server.submitClientRequestAsync(request).thenAccept(RaftMember::check);
        } catch (IOException | RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /** The bytes are nobody else's. */
    private static ByteString bytes(byte[] entry) {
        return UnsafeByteOperations.unsafeWrap(entry);
    }

    private static void check(RaftClientReply reply) {
        if (!reply.isSuccess()) {
            throw new LeadershipLostException("not done", reply.getException());
        }
        Message message = reply.getMessage();
        if (message != null && message.getContent().equals(DecisionStateMachine.FENCED.getContent())) {
            throw new LeadershipLostException("fenced");
        }
    }

    /** Gives a term up in which nobody may append any more, so that a new one can begin. */
    private void stepDown(long term) {
        try {
            if (server.getDivision(group).getInfo().getCurrentTerm() == term) {
                CompletableFuture<RaftClientReply> unused = server.transferLeadershipAsync(transferTo(null));
            }
        } catch (IOException | RuntimeException e) {
            LOG.info("could not step down from term {}: {}", term, e.toString());
        }
    }

    private TransferLeadershipRequest transferTo(@Nullable RaftPeerId node) {
        return new TransferLeadershipRequest(
                client, server.getId(), group, calls.incrementAndGet(), node, TRANSFER_MILLIS);
    }

    /**
     * Lets another member lead; this one must lead.
     *
     * @return completed when it leads; failed when it does not, with the reason
     */
    public CompletableFuture<Void> transferLeadership(String node) {
        try {
            return server.transferLeadershipAsync(transferTo(RaftPeerId.valueOf(node)))
                    .thenAccept(RaftMember::check);
        } catch (IOException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /** Copies the store now, if anything was applied since the last time, so that the log behind it can go. For tests. */
    CompletableFuture<Void> checkpoint() {
        SnapshotManagementRequest request = SnapshotManagementRequest.newCreate(
                client, server.getId(), group, calls.incrementAndGet(), TRANSFER_MILLIS, 1);
        return server.snapshotManagementAsync(request).thenAccept(RaftMember::check);
    }

    /** For tests. */
    DecisionStateMachine machine() {
        return machine;
    }

    /** Stops following and leading. What a leader has sent may still be applied by the others. Idempotent. */
    @Override
    public void close() {
        machine.closes();
        try {
            if (server.getLifeCycleState() != LifeCycle.State.CLOSED) {
                server.close();
            }
        } catch (IOException e) {
            LOG.warn("the member could not be closed", e);
        }
        machine.close();
    }
}
