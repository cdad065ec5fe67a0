package io.troth.coordinator.server;

import io.troth.coordinator.config.ConfigKey;
import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.engine.CoordinatorEngine;
import io.troth.coordinator.engine.DecisionLog;
import io.troth.coordinator.engine.EngineListener;
import io.troth.coordinator.engine.EnginePorts;
import io.troth.coordinator.engine.StepListener;
import io.troth.coordinator.grpc.GrpcServer;
import io.troth.coordinator.grpc.GrpcStreamGateway;
import io.troth.coordinator.metrics.CoordinatorMetrics;
import io.troth.core.ClusterId;
import io.troth.core.Reason;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.Notice;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One leadership, wired: the engine on its log and on a thread of gRPC, and what gRPC serves. It begins once and ends once;
 * the next one of the same process is another object. The log and gRPC are not its own. Thread-safe.
 */
final class Leadership implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Leadership.class);

    private static final int SHARD = 0;
    private static final int LOOKUP_THREADS = 2;
    /** Stopping an engine that need not wait for transactions takes one turn. */
    private static final long ENGINE_STOP_MILLIS = 5_000;

    private final CoordinatorConfig config;
    private final EngineWatch watch;
    private final GrpcStreamGateway gateway;
    private final CoordinatorEngine engine;
    private final GrpcServer grpc;
    private final ClusterId cluster;

    /** What was started, the last one first. Guarded by this. */
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();

    private volatile Notice.@Nullable Ready ready;
    private volatile @Nullable EngineLoop turns;

    /** Nothing runs yet. */
    Leadership(
            CoordinatorConfig config,
            DecisionLog log,
            ClusterId cluster,
            StepListener steps,
            GrpcServer grpc,
            CoordinatorMetrics metrics) {
        this.config = config;
        this.grpc = grpc;
        this.cluster = cluster;
        watch = new EngineWatch(config.get(ConfigKey.DATA_DIRECTORY));
        gateway = new GrpcStreamGateway(cluster, SHARD);
        ExecutorService lookups =
                Executors.newFixedThreadPool(LOOKUP_THREADS, ProcessEnvironment.threads("troth-lookup"));
        parts.push(lookups::shutdownNow);
        engine = new CoordinatorEngine(
                SHARD,
                config.limits(),
                new EnginePorts(
                        log,
                        gateway,
                        steps,
                        EngineListener.all(
                                List.of(metrics.listener(), new NoticeLog(ProcessEnvironment::nanoTime), watch)),
                        ProcessEnvironment::nanoTime,
                        ProcessEnvironment::secureBits,
                        lookups));
        metrics.watch(engine);
    }

    /**
     * Recovers, leads the next epoch and serves. Returns when everything is answered.
     *
     * @throws io.troth.coordinator.engine.LeadershipLostException when somebody else leads already, or it was drained
     *     before it was ready
     * @throws io.troth.core.ProtocolViolation when what the log holds breaks an invariant
     * @throws StartFailedException when it cannot start for another reason; the message says what to do
     */
    synchronized void start() {
        engine.start();
        // Before anybody is listened to.
        Set<String> onHold = config.find(ConfigKey.RESOURCES_ON_HOLD);
        if (onHold != null) {
            LOG.warn("on hold by {}: {}", ConfigKey.RESOURCES_ON_HOLD, onHold);
            engine.submit(
                    onHold.stream()
                            .<Event>map(resource -> new Event.ResourceHeld(resource, true))
                            .toList(),
                    () -> {});
        }
        grpc.serve(engine, gateway);
        EngineLoop started = new EngineLoop(engine, grpc.engineLoop());
        turns = started;
        parts.push(() -> drain(Duration.ZERO));
        started.start();
        ready = watch.awaitReady();
    }

    /** Whether the process should go on. */
    boolean isAlive() {
        return !engine.isStopped();
    }

    /** Why nobody should be sent here, null when it is ready. */
    @Nullable
    Reason notReady() {
        return engine.notReady();
    }

    /** Completed when it has ended by itself, or was closed. */
    CompletableFuture<Ending> ending() {
        return watch.ending();
    }

    /** One line: where it listens, whose it is, what it found. */
    String readyLine(int httpPort) {
        Notice.Ready now = ready;
        if (now == null) {
            throw new IllegalStateException("not started");
        }
        return "READY grpc=" + Doors.address(config, ConfigKey.GRPC_ADDRESS, grpc.port()) + " http="
                + Doors.address(config, ConfigKey.HTTP_ADDRESS, httpPort) + " cluster=" + cluster + " epoch="
                + now.epoch().number() + " unended=" + now.inDoubt() + " data="
                + config.get(ConfigKey.DATA_DIRECTORY);
    }

    /**
     * Begins no new transaction, lets the running ones end, at most this long, and stops the engine; {@link #close}
     * then closes the rest. Ends a {@link #start} that still waits, as one does without a majority. Any thread.
     *
     * @return true when every transaction had ended
     */
    boolean drain(Duration limit) {
        try {
            return drainEngine(limit);
        } finally {
            watch.drained();
        }
    }

    private boolean drainEngine(Duration limit) {
        EngineLoop running = turns;
        if (running == null) {
            return true;
        }
        try {
            boolean drained = engine.drain(limit).get(limit.toMillis() + ENGINE_STOP_MILLIS, TimeUnit.MILLISECONDS);
            running.join(ENGINE_STOP_MILLIS);
            return drained;
        } catch (ExecutionException | TimeoutException e) {
            LOG.warn("the engine does not stop; what it was doing is found by the next leader", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return false;
    }

    /** Stops at once what still runs. Idempotent. */
    @Override
    public synchronized void close() {
        Parts.close(parts);
        watch.stopped();
    }
}
