package io.troth.chaos.stack;

import io.troth.coordinator.engine.CoordinatorEngine;
import io.troth.coordinator.engine.EngineListener;
import io.troth.coordinator.engine.EnginePorts;
import io.troth.coordinator.engine.StepListener;
import io.troth.coordinator.grpc.EdgeListener;
import io.troth.coordinator.grpc.GrpcServer;
import io.troth.coordinator.grpc.GrpcSettings;
import io.troth.coordinator.grpc.GrpcStreamGateway;
import io.troth.coordinator.log.LogSettings;
import io.troth.coordinator.log.rocksdb.RocksDbDecisionLog;
import io.troth.coordinator.server.EngineLoop;
import io.troth.coordinator.server.ProcessEnvironment;
import io.troth.core.ProtocolViolation;
import io.troth.core.coordinator.CoordinatorLimits;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.Notice;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A coordinator in this JVM, put together as the product's, the engine on the event loop that serves the streams, with
 * {@link CostCounters} between its parts; and every flush of the log is counted.
 */
final class CountedCoordinator implements AutoCloseable {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final CostCounters counters = new CostCounters();
    private final AtomicInteger forces = new AtomicInteger();
    private final CoordinatorEngine engine;
    private final EngineLoop turns;
    private final GrpcServer server;
    private final RocksDbDecisionLog log;

    CountedCoordinator(Path directory) throws Exception {
        SecureRandom random = new SecureRandom();
        log = RocksDbDecisionLog.open(
                LogSettings.defaults(directory), ProcessEnvironment.log((records, forced, nanos) -> {
                    if (forced) {
                        forces.incrementAndGet();
                    }
                }));
        GrpcStreamGateway gateway = new GrpcStreamGateway(log.cluster(), 0);
        engine = new CoordinatorEngine(
                0,
                CoordinatorLimits.DEFAULTS,
                new EnginePorts(
                        counters.log(log),
                        counters.gateway(gateway),
                        StepListener.NONE,
                        new Complaints(),
                        System::nanoTime,
                        random::nextLong,
                        Runnable::run));
        server = new GrpcServer(
                GrpcSettings.loopback(0), EdgeListener.NONE, System::nanoTime, List.of(counters.messages()));
        engine.start();
        server.serve(counters.inbox(engine), gateway);
        turns = new EngineLoop(engine, server.engineLoop());
        turns.start();
        server.start();
    }

    /** {@code host:port}. */
    String address() {
        return "localhost:" + server.port();
    }

    /** What was counted so far. */
    CostCounters counters() {
        return counters;
    }

    /** How often the log was flushed so far. */
    int forces() {
        return forces.get();
    }

    /** Runs this while the coordinator does nothing: what is asked of it meanwhile is certain not to be answered yet. */
    void whileItStands(Runnable action) {
        CountDownLatch goesOn = new CountDownLatch(1);
        var unused = engine.look(machine -> {
            try {
                return goesOn.await(LIMIT.toSeconds(), TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        try {
            action.run();
        } finally {
            goesOn.countDown();
        }
    }

    @Override
    public void close() {
        try {
            engine.drain(Duration.ZERO)
                    .orTimeout(LIMIT.toSeconds(), TimeUnit.SECONDS)
                    .join();
            turns.join(LIMIT.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        server.close();
        log.close();
    }

    /** Nothing may go wrong here; if it does, it must be seen. */
    private static final class Complaints implements EngineListener {

        private static final Logger LOG = LoggerFactory.getLogger(CountedCoordinator.class);

        @Override
        public void heard(Notice notice) {
            LOG.debug("{}", notice);
        }

        @Override
        public void applied(LogEntry entry) {
            LOG.debug("{}", entry);
        }

        @Override
        public void logFailed(Throwable cause) {
            LOG.error("the log failed", cause);
        }

        @Override
        public void violated(ProtocolViolation violation) {
            LOG.error("an invariant is broken", violation);
        }

        @Override
        public void crashed(Throwable cause) {
            LOG.error("the engine crashed", cause);
        }
    }
}
