package io.troth.chaos.stack;

import io.troth.coordinator.engine.CoordinatorEngine;
import io.troth.coordinator.engine.EngineInbox;
import io.troth.coordinator.engine.EngineListener;
import io.troth.coordinator.engine.EnginePorts;
import io.troth.coordinator.engine.StepListener;
import io.troth.coordinator.engine.StreamGateway;
import io.troth.coordinator.grpc.EdgeListener;
import io.troth.coordinator.grpc.GrpcServer;
import io.troth.coordinator.grpc.GrpcSettings;
import io.troth.coordinator.grpc.GrpcStreamGateway;
import io.troth.coordinator.log.LogEnvironment;
import io.troth.coordinator.log.LogSettings;
import io.troth.coordinator.log.rocksdb.RocksDbDecisionLog;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.ProtocolViolation;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.CoordinatorLimits;
import io.troth.core.coordinator.CoordinatorStateMachine;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.Notice;
import io.troth.core.coordinator.StreamId;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A coordinator in this JVM, put together as the product's, with a counter at its door: every entry that comes or goes
 * is counted under the transaction it names, and every flush of the log is counted.
 */
final class CountedCoordinator implements AutoCloseable {

    private final Map<GlobalTxId, Map<String, Integer>> entries = new ConcurrentHashMap<>();
    private final AtomicInteger forces = new AtomicInteger();
    private final CoordinatorEngine engine;
    private final GrpcServer server;
    private final RocksDbDecisionLog log;
    private final Thread thread;

    CountedCoordinator(Path directory) throws Exception {
        SecureRandom random = new SecureRandom();
        log = RocksDbDecisionLog.open(
                LogSettings.defaults(directory, null),
                new LogEnvironment(
                        System::nanoTime,
                        Clock.systemUTC(),
                        random::nextLong,
                        task -> new Thread(task, "counted-log"),
                        this::written));
        GrpcStreamGateway gateway = new GrpcStreamGateway(log.cluster(), 0);
        engine = new CoordinatorEngine(
                0,
                CoordinatorLimits.DEFAULTS,
                new EnginePorts(
                        log,
                        new CountingGateway(gateway),
                        StepListener.NONE,
                        new Complaints(),
                        System::nanoTime,
                        random::nextLong,
                        Runnable::run));
        server = new GrpcServer(GrpcSettings.loopback(0), EdgeListener.NONE, System::nanoTime);
        server.serve(new CountingInbox(engine), gateway);
        engine.start();
        thread = new Thread(this::run, "counted-engine");
        engine.wakeWith(() -> LockSupport.unpark(thread));
        thread.start();
        server.start();
    }

    /** {@code host:port}. */
    String address() {
        return "localhost:" + server.port();
    }

    /** How many entries of each kind named the transaction so far. */
    Map<String, Integer> entries(GlobalTxId tx) {
        Map<String, Integer> counted = entries.getOrDefault(tx, Map.of());
        synchronized (counted) {
            return new TreeMap<>(counted);
        }
    }

    /** How often the log was flushed so far. */
    int forces() {
        return forces.get();
    }

    @Override
    public void close() {
        server.close();
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        log.close();
    }

    private void run() {
        while (!thread.isInterrupted()) {
            if (!engine.runOnce()) {
                LockSupport.parkNanos(engine.nanosToNextTurn());
            }
        }
    }

    private void written(int records, boolean forced, long nanos) {
        if (forced) {
            forces.incrementAndGet();
        }
    }

    /** Counts what names a transaction, by its kind. */
    private void count(Record entry) {
        try {
            Object tx = entry.getClass().getMethod("tx").invoke(entry);
            if (tx instanceof GlobalTxId named) {
                Map<String, Integer> counted = entries.computeIfAbsent(named, key -> new TreeMap<>());
                synchronized (counted) {
                    counted.merge(entry.getClass().getSimpleName(), 1, Integer::sum);
                }
            }
        } catch (NoSuchMethodException e) {
            // It is about no transaction: a hello, a session, a scan.
            return;
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
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

    private final class CountingInbox implements EngineInbox {

        private final EngineInbox target;

        CountingInbox(EngineInbox target) {
            this.target = target;
        }

        @Override
        public StreamId newStream() {
            return target.newStream();
        }

        @Override
        public SessionKey newSessionKey() {
            return target.newSessionKey();
        }

        @Override
        public void submit(List<Event> events, Runnable stepped) {
            events.forEach(event -> count((Record) event));
            target.submit(events, stepped);
        }

        @Override
        public <T> CompletableFuture<T> look(Function<CoordinatorStateMachine, T> look) {
            return target.look(look);
        }
    }

    private final class CountingGateway implements StreamGateway {

        private final StreamGateway target;

        CountingGateway(StreamGateway target) {
            this.target = target;
        }

        @Override
        public void sendToAgent(StreamId stream, AgentMessage message) {
            count((Record) message);
            target.sendToAgent(stream, message);
        }

        @Override
        public void sendToClient(StreamId stream, ClientMessage message) {
            count((Record) message);
            target.sendToClient(stream, message);
        }

        @Override
        public void close(StreamId stream, Reason reason) {
            target.close(stream, reason);
        }

        @Override
        public void flush(@Nullable EpochId epoch, long durableBatch) {
            target.flush(epoch, durableBatch);
        }
    }
}
