package io.troth.coordinator.log.raft;

import io.troth.coordinator.admin.ClusterView;
import io.troth.coordinator.admin.MemberFigures;
import io.troth.coordinator.admin.OwnMember;
import io.troth.coordinator.engine.LeadershipLostException;
import io.troth.coordinator.log.Incarnation;
import io.troth.coordinator.log.LogEnvironment;
import io.troth.coordinator.log.LogRefusal;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.coordinator.log.rocksdb.AppliedStore;
import io.troth.core.ClusterId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.grpc.GrpcConfigKeys;
import org.apache.ratis.proto.RaftProtos;
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
import org.apache.ratis.util.ExitUtils;
import org.apache.ratis.util.LifeCycle;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One member of a replicated decision log, in this process. It follows or leads as Raft decides; for each term in which
 * it leads, its listener is given a log of its own. Thread-safe.
 */
public final class RaftMember implements OwnMember, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(RaftMember.class);

    /** The second half of a group's id; the first one is the cluster. */
    private static final long GROUP = 0x7472_6f74_682d_31L;

    /** Raft gives a transfer of the leadership up after this time. */
    private static final long TRANSFER_MILLIS = 10_000;

    static {
        // Ratis would end the process where it cannot listen, and also where a thread of anybody's throws.
        Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
        ExitUtils.disableSystemExit();
        Thread.setDefaultUncaughtExceptionHandler(before);
    }

    private final RaftSettings settings;
    private final ClusterId cluster;
    private final RaftGroupId group;
    private final MemberId own;
    private final ClientId client = ClientId.randomId();
    private final AtomicLong calls = new AtomicLong();
    private final Clock clock;
    private final DecisionStateMachine machine;
    private final Transfers transfers = new Transfers();
    private final MemberChanges changes;
    private final long transferMillis;
    private final RaftServer server;

    private RaftMember(
            RaftSettings settings,
            LogEnvironment environment,
            LeadershipListener listener,
            UnaryOperator<EntrySender> decorator,
            long transferMillis,
            MemberFile file)
            throws IOException {
        this.settings = settings;
        this.transferMillis = transferMillis;
        cluster = Objects.requireNonNull(settings.log().cluster());
        group = group(settings);
        own = file.id();
        clock = environment.clock();
        EntrySender sender = decorator.apply(this::send);
        machine = new DecisionStateMachine(
                settings,
                environment,
                listener,
                (term, store) -> new RaftDecisionLog(
                        settings, environment, term, store, sender, () -> transfers.whenOver(() -> stepDown(term))));
        Parameters parameters = new Parameters();
        RaftSettings.Tls files = settings.tls();
        MemberTls tls = files == null ? null : MemberTls.of(files, cluster, this::expected);
        changes = new MemberChanges(cluster, group, tls, this::server, client, calls);
        GrpcConfigKeys.Server.setServicesCustomizer(
                parameters,
                new Doorkeeper(own, this::introduction, tls, () -> expected().keySet(), machine::forcePromises));
        if (tls != null) {
            GrpcConfigKeys.TLS.setConf(parameters, tls.ratis());
        }
        server = RaftServer.newBuilder()
                .setServerId(own.raftId())
                .setGroup(RaftGroup.valueOf(group, founders(settings, file)))
                .setStateMachineRegistry(id -> machine)
                .setProperties(RatisProperties.of(settings))
                .setParameters(parameters)
                .setOption(RaftStorage.StartupOption.RECOVER)
                .build();
    }

    /** Who may show up as a member, and where: those of the configuration file, of the log, and who is just coming. */
    private Map<String, String> expected() {
        Map<String, String> expected = new HashMap<>(settings.nodes());
        try {
            division()
                    .getRaftConf()
                    .getAllPeers()
                    .forEach(peer -> expected.put(MemberId.nodeOf(peer.getId()), peer.getAddress()));
        } catch (IOException e) {
            LOG.debug("Raft has not begun", e);
        }
        expected.putAll(changes.coming());
        return expected;
    }

    private static RaftGroupId group(RaftSettings settings) {
        return group(Objects.requireNonNull(settings.log().cluster()));
    }

    static RaftGroupId group(ClusterId cluster) {
        return RaftGroupId.valueOf(new UUID(cluster.value(), GROUP));
    }

    /** What Raft begins with when it has no configuration of its own yet. */
    private static List<RaftPeer> founders(RaftSettings settings, MemberFile file) {
        return file.founders().stream()
                .map(member -> peer(
                        member,
                        settings.nodes().get(member.node()),
                        settings.endpoints().get(member.node())))
                .toList();
    }

    static RaftPeer peer(MemberId member, @Nullable String address, @Nullable String endpoint) {
        return RaftPeer.newBuilder()
                .setId(member.raftId())
                .setAddress(address)
                .setClientAddress(endpoint)
                .build();
    }

    /**
     * Makes the data directory of a new member, which does not exist or is empty. Nobody listens, and nothing is promised:
     * the member takes part when it is opened.
     *
     * @throws LogRefusedException when the directory is not to be used
     * @throws IOException when it cannot be written
     */
    public static void create(RaftSettings settings, LogEnvironment environment) throws IOException {
        Path directory = settings.log().directory();
        if (Incarnation.read(directory) != null) {
            throw new LogRefusedException(LogRefusal.NOT_EMPTY, directory, "there is a log already");
        }
        // Nobody else can have the directory before it is whole: the files of one that runs would be deleted.
        AppliedStore made = AppliedStore.open(settings.log(), environment);
        try {
            RaftFiles.of(settings).make(0);
            new MemberFile(new MemberId(settings.node(), environment.random().getAsLong()), List.of()).write(directory);
        } finally {
            made.close();
        }
    }

    /**
     * Opens a member that was made with {@link #create}. One that has never taken part waits here until it has heard of
     * the others: see {@link Founding}.
     *
     * @throws LogRefusedException when the directory is not to be used: the message says why and what to do
     * @throws BindException when it cannot listen
     * @throws IOException when its directory cannot be read or written
     */
    public static RaftMember open(RaftSettings settings, LogEnvironment environment, LeadershipListener listener)
            throws IOException {
        return open(settings, environment, listener, UnaryOperator.identity(), TRANSFER_MILLIS);
    }

    /** For tests: with something between the leader and Raft, and another time for transfers. */
    static RaftMember open(
            RaftSettings settings,
            LogEnvironment environment,
            LeadershipListener listener,
            UnaryOperator<EntrySender> decorator,
            long transferMillis)
            throws IOException {
        Path directory = settings.log().directory();
        MemberFile file = MemberFile.required(settings, environment);
        if (file.founders().isEmpty() && RaftFiles.of(settings).isNew()) {
            file = new MemberFile(file.id(), new Founding(settings, file.id(), MemberTls.of(settings)).run());
            file.write(directory);
        }
        return start(settings, environment, listener, decorator, transferMillis, file);
    }

    private static RaftMember start(
            RaftSettings settings,
            LogEnvironment environment,
            LeadershipListener listener,
            UnaryOperator<EntrySender> decorator,
            long transferMillis,
            MemberFile file)
            throws IOException {
        RaftMember member = new RaftMember(settings, environment, listener, decorator, transferMillis, file);
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
            if (e instanceof ExitUtils.ExitException) {
                throw cannotListen(e);
            }
            checkLog(settings);
            throw e;
        } finally {
            if (!started) {
                member.close();
            }
        }
    }

    /** What anything that is thrown by a listener that does not begin means here. */
    static BindException cannotListen(Exception cause) {
        BindException failure = new BindException(cause.getMessage());
        failure.initCause(cause);
        return failure;
    }

    /** Finds out whether it was the log that Ratis could not start with. */
    private static void checkLog(RaftSettings settings) {
        RaftFiles files = RaftFiles.of(settings);
        try {
            files.read(entry -> {});
        } catch (IOException e) {
            throw RaftFiles.unreadable(files.data(), e);
        }
    }

    /** What is said to those who ask at the door; any thread. */
    private Introduction introduction() {
        try {
            boolean isNew = RaftFiles.of(settings).isNew();
            List<MemberId> members = division().getRaftConf().getCurrentPeers().stream()
                    .map(peer -> MemberId.parse(peer.getId().toString()))
                    .toList();
            return new Introduction(cluster, own, isNew, members);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private RaftServer server() {
        return server;
    }

    private RaftServer.Division division() throws IOException {
        return server.getDivision(group);
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

    @Override
    public void stepDown(long term) {
        try {
            if (division().getInfo().getCurrentTerm() == term) {
                CompletableFuture<RaftClientReply> unused = server.transferLeadershipAsync(transferTo(null));
            }
        } catch (IOException | RuntimeException e) {
            LOG.info("could not step down from term {}: {}", term, e.toString());
        }
    }

    private TransferLeadershipRequest transferTo(@Nullable RaftPeerId node) {
        return new TransferLeadershipRequest(
                client, server.getId(), group, calls.incrementAndGet(), node, transferMillis);
    }

    @Override
    public CompletableFuture<Void> transferLeadership(String node) {
        return transfers.ask(() -> {
            RaftPeer to = peer(node);
            if (to == null) {
                throw new IOException("there is no member " + node);
            }
            return server.transferLeadershipAsync(transferTo(to.getId())).thenAccept(RaftMember::check);
        });
    }

    private @Nullable RaftPeer peer(String node) throws IOException {
        return division().getRaftConf().getCurrentPeers().stream()
                .filter(peer -> MemberId.nodeOf(peer.getId()).equals(node))
                .findFirst()
                .orElse(null);
    }

    @Override
    public ClusterView view() {
        try {
            return Views.of(cluster, own, division());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * The last entry that the leader has said to be committed, to this process; what this member knows itself when it
     * leads. -1 when nobody has said anything.
     */
    public long leaderIndex() {
        try {
            RaftServer.Division division = division();
            RaftPeerId leader = division.getInfo().getLeaderId();
            return division.getCommitInfos().stream()
                    .filter(info -> leader != null
                            && leader.equals(RaftPeerId.valueOf(info.getServer().getId())))
                    .mapToLong(RaftProtos.CommitInfoProto::getCommitIndex)
                    .findFirst()
                    .orElse(-1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** This member in numbers. */
    public MemberFigures figures() {
        Forces forces = Forces.of(own);
        Long snapshotMillis;
        try {
            Instant newest = machine.newestCheckpoint();
            snapshotMillis = newest == null
                    ? null
                    : Math.max(0, Duration.between(newest, clock.instant()).toMillis());
        } catch (IOException e) {
            // It went while it was looked at.
            snapshotMillis = null;
        }
        return new MemberFigures(
                view(),
                machine.leaderChanges(),
                forces.count(),
                forces.medianNanos(),
                forces.p99Nanos(),
                snapshotMillis);
    }

    @Override
    public CompletableFuture<Void> add(String node, String address, @Nullable String endpoint) {
        return changes.add(node, address, endpoint);
    }

    @Override
    public CompletableFuture<Void> remove(String node) {
        return changes.remove(node);
    }

    /** Copies the store now, if anything was applied since the last time, so that the log behind it can go. For tests. */
    CompletableFuture<Void> checkpoint() {
        SnapshotManagementRequest request = SnapshotManagementRequest.newCreate(
                client, server.getId(), group, calls.incrementAndGet(), TRANSFER_MILLIS, 1);
        return server.snapshotManagementAsync(request).thenAccept(RaftMember::check);
    }

    /** For tests. */
    MemberId id() {
        return own;
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
