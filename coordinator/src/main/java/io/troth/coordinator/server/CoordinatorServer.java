package io.troth.coordinator.server;

import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.engine.StepListener;
import io.troth.coordinator.grpc.GrpcServer;
import io.troth.coordinator.log.rocksdb.RocksDbDecisionLog;
import io.troth.coordinator.metrics.CoordinatorMetrics;
import io.troth.core.ClusterId;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * One coordinator, wired and running: log, gRPC and the engine on it, meters, HTTP. It never ends the process; {@link
 * CoordinatorProcess} does. Thread-safe.
 */
public final class CoordinatorServer implements RunningCoordinator {

    private final GrpcServer grpc;
    private final Leadership leadership;
    private final HttpEndpoint http;
    private final ClusterId cluster;
    private final CoordinatorMetrics metrics = new CoordinatorMetrics(ProcessEnvironment::nanoTime);

    /** What was started, the last one first. Guarded by this. */
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();

    private CoordinatorServer(CoordinatorConfig config, StepListener steps) {
        boolean started = false;
        parts.push(metrics);
        try {
            RocksDbDecisionLog log = RocksDbDecisionLog.open(config.log(), ProcessEnvironment.log(metrics.observer()));
            parts.push(log);
            cluster = log.cluster();
            GrpcServer door = Doors.grpc(config, metrics);
            grpc = door;
            parts.push(door);
            leadership = new Leadership(config, log, cluster, steps, door, metrics);
            parts.push(leadership);
            http = Doors.http(config, leadership::isAlive, leadership::notReady, leadership::notReady, metrics);
            parts.push(http);
            leadership.start();
            Doors.listen(door, config);
            started = true;
        } finally {
            if (!started) {
                Parts.close(parts);
            }
        }
    }

    /**
     * Opens the log, recovers, leads a new epoch and listens. Returns when everything is answered.
     *
     * @throws io.troth.coordinator.log.LogRefusedException when the data directory is not to be used
     * @throws io.troth.core.ProtocolViolation when what the log holds breaks an invariant
     * @throws StartFailedException when it cannot start for another reason; the message says what to do
     */
    public static CoordinatorServer start(CoordinatorConfig config) {
        return start(config, StepListener.NONE);
    }

    /** The same, for who wants to hear of crash points. */
    public static CoordinatorServer start(CoordinatorConfig config, StepListener steps) {
        return new CoordinatorServer(config, steps);
    }

    /** The port of gRPC. */
    public int grpcPort() {
        return grpc.port();
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
        return leadership.readyLine(http.port());
    }

    @Override
    public String startedLine() {
        return readyLine();
    }

    @Override
    public Ending awaitTermination() {
        return leadership.ending().join();
    }

    @Override
    public synchronized boolean stop(Duration drainLimit) {
        if (parts.isEmpty()) {
            return false;
        }
        boolean drained = leadership.drain(drainLimit);
        grpc.shutdown(Doors.GOODBYE_MILLIS);
        Parts.close(parts);
        return drained;
    }

    @Override
    public void close() {
        stop(Duration.ZERO);
    }
}
