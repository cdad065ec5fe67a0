package io.troth.coordinator.server;

import io.troth.coordinator.admin.ClusterView;
import io.troth.coordinator.config.ConfigKey;
import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.engine.DecisionLog;
import io.troth.coordinator.engine.LeadershipLostException;
import io.troth.coordinator.engine.StepListener;
import io.troth.coordinator.grpc.GrpcServer;
import io.troth.coordinator.grpc.Redirect;
import io.troth.coordinator.log.DiskWatch;
import io.troth.coordinator.log.Incarnation;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.coordinator.log.raft.LeadershipListener;
import io.troth.coordinator.log.raft.RaftMember;
import io.troth.coordinator.log.raft.RaftSettings;
import io.troth.coordinator.log.raft.RaftStoppedException;
import io.troth.coordinator.metrics.CoordinatorMetrics;
import io.troth.core.ClusterId;
import io.troth.core.ErrorCode;
import io.troth.core.ProtocolViolation;
import io.troth.core.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A coordinator that is a member of a cluster: it follows, and leads, once or many times, one epoch each. It listens for
 * clients and agents all the time; while it does not lead it tells them who does. Thread-safe.
 *
 * <p>One thread begins and ends leaderships, one after the other; it holds a {@link Leadership} at most.
 */
public final class MemberServer implements RunningCoordinator {

    private static final Logger LOG = LoggerFactory.getLogger(MemberServer.class);

    private static final long LOOK_MILLIS = 1_000;

    private final CoordinatorConfig config;
    private final RaftSettings settings;
    private final StepListener steps;
    private final Consumer<String> says;
    private final ClusterId cluster;
    private final CoordinatorMetrics metrics = new CoordinatorMetrics(ProcessEnvironment::nanoTime);
    private final CompletableFuture<Ending> ending = new CompletableFuture<>();
    private final ExecutorService leading =
            Executors.newSingleThreadExecutor(ProcessEnvironment.threads("troth-leadership"));
    private final ScheduledExecutorService looking =
            Executors.newSingleThreadScheduledExecutor(ProcessEnvironment.threads("troth-members"));
    private final GrpcServer grpc;
    private final HttpEndpoint http;
    private final RaftMember member;

    /** What was started, the last one first. Guarded by this. */
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();

    private final CatchUp catchUp = new CatchUp();

    private volatile @Nullable ClusterOperations operations;
    private volatile @Nullable Leadership current;
    /** As Raft has named it last; compared as the same object. */
    private final AtomicReference<@Nullable String> leader = new AtomicReference<>();

    private volatile boolean stopping;

    /** Whether gRPC listens, once that is known: a leader whom nobody can ask does not say that it is ready. */
    private final CompletableFuture<Boolean> listens = new CompletableFuture<>();

    // Leadership thread only.
    private @Nullable DecisionLog currentLog;

    private MemberServer(CoordinatorConfig config, StepListener steps, Consumer<String> says) {
        this.config = config;
        this.steps = steps;
        this.says = says;
        settings = Objects.requireNonNull(config.member());
        cluster = Objects.requireNonNull(settings.log().cluster());
        boolean started = false;
        parts.push(metrics);
        try {
            http = Doors.http(config, () -> !ending.isDone(), this::notReady, this::notMember, metrics);
            parts.push(http);
            GrpcServer door = Doors.grpc(config, metrics);
            grpc = door;
            member = openMember();
            parts.push(member);
            ClusterOperations changes = new ClusterOperations(member, this::drain, settings.electionTimeoutMillis());
            operations = changes;
            parts.push(changes);
            parts.push(door);
            parts.push(this::stopLeading);
            door.isMember(changes);
            metrics.watchMember(member::figures);
            redirect();
            Doors.listen(door, config);
            listens.complete(true);
            parts.push(looking::shutdownNow);
            MemberWatch watch = new MemberWatch(settings.electionTimeoutMillis(), System::nanoTime);
            SpaceWatch space = new SpaceWatch(
                    DiskWatch.freeBytes(settings.log()), settings.log().freeFloorBytes());
            ScheduledFuture<?> unused = looking.scheduleWithFixedDelay(
                    () -> look(watch, space), LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
            started = true;
        } finally {
            if (!started) {
                listens.complete(false);
                Parts.close(parts);
                leading.shutdownNow();
                looking.shutdownNow();
            }
        }
    }

    /**
     * Opens the member's log and follows, or leads.
     *
     * @param steps hears of crash points; {@link StepListener#NONE} in production
     * @param says is told a line for people whenever this member begins to lead
     * @throws io.troth.coordinator.log.LogRefusedException when the data directory is not to be used
     * @throws StartFailedException when it cannot start for another reason; the message says what to do
     */
    public static MemberServer start(CoordinatorConfig config, StepListener steps, Consumer<String> says) {
        return new MemberServer(config, steps, says);
    }

    private RaftMember openMember() {
        try {
            return RaftMember.open(settings, ProcessEnvironment.log(metrics.observer()), new Hears());
        } catch (IllegalArgumentException e) {
            throw StartFailedException.memberTls(e);
        } catch (IOException e) {
            throw StartFailedException.member(settings, e);
        }
    }

    private @Nullable Reason notReady() {
        Leadership leads = current;
        if (leads != null) {
            return leads.notReady();
        }
        return elsewhere().reason();
    }

    /** Why this member does not do its part: it neither serves nor follows with what its leader has. */
    private @Nullable Reason notMember() {
        Reason elsewhere = notReady();
        if (elsewhere == null || current != null || operations == null) {
            // Without operations the member is still being opened.
            return elsewhere;
        }
        String node = leader.get();
        if (node == null || node.equals(settings.node())) {
            return elsewhere;
        }
        return catchUp.look(member.view(), member.leaderIndex());
    }

    /** Where to go while this member does not lead. */
    private Redirect elsewhere() {
        String node = leader.get();
        if (node == null) {
            return Redirect.nowhere(new Reason(ErrorCode.NOT_LEADER, "nobody is known to lead"));
        }
        if (node.equals(settings.node())) {
            return Redirect.hereSoon(new Reason(ErrorCode.NOT_READY, node + " begins to lead"));
        }
        // Null while this member is still being started: nobody is listened to yet.
        ClusterOperations known = operations;
        ClusterView.Member to = known == null ? null : known.view().member(node);
        String endpoint = to == null ? null : to.endpoint();
        return Redirect.to(new Reason(ErrorCode.NOT_LEADER, ClusterOperations.leads(node, endpoint)), endpoint);
    }

    /** What Raft says; any thread, and done on the one that leads. */
    private final class Hears implements LeadershipListener {
        @Override
        public void leads(DecisionLog log) {
            onLeadingThread(() -> lead(log));
        }

        @Override
        public void leaderChanged(@Nullable String node) {
            leader.set(node);
            LOG.info("leader is {}", node == null ? "nobody" : node);
            redirect();
        }

        @Override
        public void failed(Throwable cause) {
            end(Ending.Cause.LOG_FAILED, whatFailed(cause), cause);
        }
    }

    /** Raft names who leads, and does not say that a follower hears of its leader no more. */
    private void look(MemberWatch watch, SpaceWatch space) {
        try {
            Incarnation.checkIsThere(settings.log().directory());
            if (current == null) {
                // The leader's log says it by itself.
                space.look();
            }
            String before = leader.get();
            ClusterView view = member.view();
            watch.look(view);
            if (before != null && view.leader() == null && leader.compareAndSet(before, null)) {
                LOG.info("leader is nobody: {} is not heard of any more", before);
                redirect();
            }
        } catch (IOException e) {
            end(Ending.Cause.LOG_FAILED, whatFailed(e), e);
        } catch (RuntimeException e) {
            LOG.debug("Raft cannot be looked at", e);
        }
    }

    private String whatFailed(Throwable cause) {
        Path directory = settings.log().directory();
        if (cause instanceof LogRefusedException refused) {
            return "this process stops. " + refused.getMessage();
        }
        if (cause instanceof RaftStoppedException stopped) {
            return stopped.getMessage()
                    + ". This process stops. Unless it was removed, which troth cluster status shows,"
                    + " start it again on the same data in " + directory + ".";
        }
        return "the replicated log in " + directory + " failed: " + cause
                + ". This process stops. Check the disk (free space, kernel messages), then start it again on the same"
                + " data.";
    }

    /** Says to clients and agents who leads now, unless this member still does; a leadership says so when it ends. */
    private void redirect() {
        onLeadingThread(() -> {
            if (current == null) {
                grpc.refuse(elsewhere());
            }
        });
    }

    /** One that fails ends the process: this thread is the only one that begins and ends leaderships. */
    private void onLeadingThread(Runnable action) {
        try {
            leading.execute(() -> {
                try {
                    action.run();
                } catch (Throwable e) {
                    if (stopping) {
                        LOG.warn("while this member stops", e);
                        return;
                    }
                    end(Ending.Cause.LOG_FAILED, unforeseen(e), e);
                }
            });
        } catch (RejectedExecutionException e) {
            LOG.debug("stopping already", e);
        }
    }

    private String unforeseen(Throwable cause) {
        return "something happened that must not happen while this member began or ended to lead: " + cause
                + ". Without an engine it must not lead, so this process stops. Start it again on the same data in "
                + settings.log().directory() + ", and report this with the log lines above.";
    }

    private void lead(DecisionLog log) {
        endLeadership();
        currentLog = log;
        Leadership next = new Leadership(config, log, cluster, steps, grpc, metrics);
        current = next;
        if (stopping) {
            // Whoever stops this member either sees this leadership or is seen here.
            endLeadership();
            return;
        }
        try {
            next.start();
            if (listens.join()) {
                says.accept(next.readyLine(http.port()));
            }
            CompletableFuture<Void> unused = next.ending().thenAccept(end -> onLeadingThread(() -> ended(next, end)));
        } catch (LeadershipLostException e) {
            LOG.info("did not begin to lead: {}", e.getMessage());
            endLeadership();
        } catch (ProtocolViolation e) {
            end(Ending.Cause.VIOLATED, EngineWatch.violated(e, settings.log().directory()), e);
        } catch (RuntimeException e) {
            Ending early = next.ending().getNow(null);
            if (early != null) {
                ended(next, early);
            } else {
                boolean saysAll = e instanceof StartFailedException || e instanceof LogRefusedException;
                end(Ending.Cause.LOG_FAILED, saysAll ? String.valueOf(e.getMessage()) : unforeseen(e), e);
            }
        }
    }

    private void ended(Leadership which, Ending how) {
        if (current != which) {
            return;
        }
        endLeadership();
        switch (how.cause()) {
            case LEADERSHIP_LOST -> LOG.info(how.message());
            case LOG_FAILED, VIOLATED -> ending.complete(how);
            case STOPPED -> {
                // By stop(), which does the rest.
            }
        }
    }

    private void endLeadership() {
        Leadership before = current;
        if (before != null) {
            current = null;
            grpc.refuse(elsewhere());
            before.close();
        }
        DecisionLog log = currentLog;
        if (log != null) {
            currentLog = null;
            log.close();
        }
    }

    private void end(Ending.Cause cause, String message, Throwable thrown) {
        LOG.error(message, thrown);
        ending.complete(new Ending(cause, message));
    }

    @Override
    public String startedLine() {
        return "MEMBER node=" + settings.node() + " nodes="
                + settings.nodes().keySet().stream().sorted().toList()
                + " grpc=" + Doors.address(config, ConfigKey.GRPC_ADDRESS, grpc.port())
                + " http=" + Doors.address(config, ConfigKey.HTTP_ADDRESS, http.port()) + " cluster=" + cluster
                + " data="
                + settings.log().directory();
    }

    /** Whether this member leads and answers everything. */
    public boolean isReady() {
        return notReady() == null;
    }

    /** Before another member leads. */
    private void drain() {
        Leadership leads = current;
        if (leads == null) {
            return;
        }
        if (!leads.drain(Duration.ofMillis(config.get(ConfigKey.SHUTDOWN_DRAIN_LIMIT)))) {
            LOG.warn("transactions were still running; what is not prepared of them is rolled back (LEADER_CHANGED)");
        }
        // Its engine has stopped and hears of no loss any more: nobody else would end it and send its streams away.
        onLeadingThread(() -> {
            if (current == leads) {
                endLeadership();
            }
        });
    }

    @Override
    public Ending awaitTermination() {
        return ending.join();
    }

    @Override
    public synchronized boolean stop(Duration drainLimit) {
        stopping = true;
        Leadership leads = current;
        boolean drained = leads == null || leads.drain(drainLimit);
        ClusterOperations changes = operations;
        if (leads != null && changes != null && !ending.isDone()) {
            changes.handOverToAnybody();
            endLeading();
            grpc.shutdown(Doors.GOODBYE_MILLIS);
        }
        Parts.close(parts);
        ending.complete(new Ending(Ending.Cause.STOPPED, ""));
        return drained;
    }

    private void stopLeading() {
        endLeading();
        leading.shutdownNow();
    }

    private void endLeading() {
        try {
            leading.submit(this::endLeadership).get();
        } catch (ExecutionException e) {
            LOG.warn("could not end the leadership", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        stop(Duration.ZERO);
    }
}
