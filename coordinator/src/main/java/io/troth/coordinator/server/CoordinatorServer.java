package io.troth.coordinator.server;

import io.troth.coordinator.config.ConfigKey;
import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.engine.CoordinatorEngine;
import io.troth.coordinator.engine.EngineListener;
import io.troth.coordinator.engine.EnginePorts;
import io.troth.coordinator.engine.StepListener;
import io.troth.coordinator.grpc.GrpcServer;
import io.troth.coordinator.grpc.GrpcSettings;
import io.troth.coordinator.grpc.GrpcStreamGateway;
import io.troth.coordinator.log.rocksdb.RocksDbDecisionLog;
import io.troth.coordinator.metrics.CoordinatorMetrics;
import io.troth.core.ClusterId;
import io.troth.core.coordinator.Notice;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One coordinator, wired and running: log, engine and its thread, gRPC, meters, HTTP. It never ends the process; {@link
 * CoordinatorProcess} does. Its engine thread keeps the process alive until {@link #close}. Thread-safe.
 */
public final class CoordinatorServer implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(CoordinatorServer.class);

    private static final int SHARD = 0;
    private static final int LOOKUP_THREADS = 2;
    /** Stopping an engine that need not wait for transactions takes one turn. */
    private static final long ENGINE_STOP_MILLIS = 5_000;

    private final CoordinatorConfig config;
    private final EngineWatch watch;
    private final ClusterId cluster;
    private final CoordinatorEngine engine;
    private final EngineThread thread;
    private final HttpEndpoint http;
    private final Notice.Ready ready;
    private final int grpcPort;
    private final CoordinatorMetrics metrics = new CoordinatorMetrics(ProcessEnvironment::nanoTime);

    /** What was started, the last one first. Guarded by this. */
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();

    private CoordinatorServer(CoordinatorConfig config, StepListener steps) {
        this.config = config;
        watch = new EngineWatch(config.get(ConfigKey.DATA_DIRECTORY));
        boolean started = false;
        try {
            RocksDbDecisionLog log = RocksDbDecisionLog.open(config.log(), ProcessEnvironment.log(metrics.observer()));
            parts.push(log);
            cluster = log.cluster();
            GrpcStreamGateway gateway = new GrpcStreamGateway(cluster, SHARD);
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
            http = listenHttp();
            parts.push(http);
            engine.start();
            thread = new EngineThread(engine, ProcessEnvironment.lastingThread("troth-engine"));
            parts.push(() -> stopEngine(Duration.ZERO));
            thread.start();
            ready = watch.awaitReady();
            GrpcServer grpc = listenGrpc(gateway);
            parts.push(grpc);
            grpcPort = grpc.port();
            started = true;
        } finally {
            if (!started) {
                closeParts();
            }
        }
    }

    /**
     * Opens the log, recovers, leads a new epoch and listens. Returns when everything is answered.
     *
     * @param steps hears of crash points; {@link StepListener#NONE} in production
     * @throws io.troth.coordinator.log.LogRefusedException when the data directory is not to be used
     * @throws io.troth.core.ProtocolViolation when what the log holds breaks an invariant
     * @throws StartFailedException when it cannot start for another reason; the message says what to do
     */
    public static CoordinatorServer start(CoordinatorConfig config, StepListener steps) {
        return new CoordinatorServer(config, steps);
    }

    private HttpEndpoint listenHttp() {
        String host = config.get(ConfigKey.HTTP_ADDRESS);
        int port = config.get(ConfigKey.HTTP_PORT);
        try {
            return new HttpEndpoint(
                    new InetSocketAddress(host, port), () -> !engine.isStopped(), engine::notReady, metrics::scrape);
        } catch (IOException e) {
            throw StartFailedException.cannotListen("HTTP", ConfigKey.HTTP_PORT, host, port, e);
        }
    }

    private GrpcServer listenGrpc(GrpcStreamGateway gateway) {
        GrpcSettings settings = WireSettings.of(config);
        GrpcServer server;
        try {
            server = new GrpcServer(settings, engine, gateway, new EdgeMeters(metrics), ProcessEnvironment::nanoTime);
        } catch (IllegalArgumentException e) {
            throw StartFailedException.tls(e);
        }
        try {
            server.start();
            return server;
        } catch (IOException e) {
            server.close();
            String host = config.get(ConfigKey.GRPC_ADDRESS);
            throw StartFailedException.cannotListen(
                    "gRPC", ConfigKey.GRPC_PORT, host, settings.address().getPort(), e);
        }
    }

    /** The port of gRPC. */
    public int grpcPort() {
        return grpcPort;
    }

    /** The port of HTTP. */
    public int httpPort() {
        return http.port();
    }

    /** The cluster whose decisions the log holds. */
    public ClusterId cluster() {
        return cluster;
    }

    /** One line for people and for programs that wait for it: where it listens, whose it is, what it found. */
    public String readyLine() {
        return "READY grpc=" + address(ConfigKey.GRPC_ADDRESS, grpcPort()) + " http="
                + address(ConfigKey.HTTP_ADDRESS, httpPort()) + " cluster=" + cluster + " epoch="
                + ready.epoch().number() + " unended=" + ready.inDoubt() + " data="
                + config.get(ConfigKey.DATA_DIRECTORY);
    }

    private String address(ConfigKey<String> key, int port) {
        String host = config.get(key);
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }

    /** Waits until it has ended: by itself, which still wants a {@link #close}, or by {@link #stop}. */
    public Ending awaitTermination() {
        return watch.ending().join();
    }

    /**
     * Begins no new transaction, lets the running ones end, at most this long, and closes everything. What has not ended
     * then is finished or rolled back by the next start.
     *
     * @return true when every transaction had ended
     */
    public synchronized boolean stop(Duration drainLimit) {
        boolean drained = !parts.isEmpty() && stopEngine(drainLimit);
        closeParts();
        watch.stopped();
        return drained;
    }

    /** Stops at once. Idempotent. */
    @Override
    public void close() {
        stop(Duration.ZERO);
    }

    private boolean stopEngine(Duration drainLimit) {
        try {
            boolean drained =
                    engine.drain(drainLimit).get(drainLimit.toMillis() + ENGINE_STOP_MILLIS, TimeUnit.MILLISECONDS);
            thread.join(ENGINE_STOP_MILLIS);
            return drained;
        } catch (ExecutionException | TimeoutException e) {
            LOG.warn("the engine does not stop; what it was doing is found by the next start", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return false;
    }

    private void closeParts() {
        while (!parts.isEmpty()) {
            AutoCloseable part = parts.pop();
            try {
                part.close();
            } catch (Exception e) {
                LOG.warn("could not close {}", part, e);
            }
        }
    }
}
