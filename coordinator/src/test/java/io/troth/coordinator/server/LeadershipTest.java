package io.troth.coordinator.server;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.engine.DecisionLog;
import io.troth.coordinator.engine.LeadershipLostException;
import io.troth.coordinator.engine.LogListener;
import io.troth.coordinator.engine.Recovered;
import io.troth.coordinator.engine.StepListener;
import io.troth.coordinator.grpc.GrpcServer;
import io.troth.coordinator.metrics.CoordinatorMetrics;
import io.troth.core.ClusterId;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Goal: a leadership that can not become one, since no majority answers, does not hold up a member that is to stop. */
class LeadershipTest {

    private static final long LIMIT_SECONDS = 60;

    @TempDir
    Path temp;

    private final CountDownLatch appended = new CountDownLatch(1);
    private GrpcServer grpc;
    private Leadership leadership;

    @BeforeEach
    void make() {
        CoordinatorConfig config = CoordinatorConfig.onFreePorts(temp.resolve("data"), Map.of());
        CoordinatorMetrics metrics = new CoordinatorMetrics(System::nanoTime);
        grpc = Doors.grpc(config, metrics);
        leadership = new Leadership(config, new SilentLog(), new ClusterId(1), StepListener.NONE, grpc, metrics);
    }

    @AfterEach
    void close() {
        leadership.close();
        grpc.close();
    }

    @Test
    void drainingEndsAStartThatWaits() throws Exception {
        CompletableFuture<Void> start =
                CompletableFuture.runAsync(leadership::start, task -> new Thread(task, "starts").start());
        assertTrue(appended.await(LIMIT_SECONDS, TimeUnit.SECONDS));
        leadership.drain(Duration.ZERO);
        ExecutionException ended =
                assertThrows(ExecutionException.class, () -> start.get(LIMIT_SECONDS, TimeUnit.SECONDS));
        assertInstanceOf(LeadershipLostException.class, ended.getCause());
    }

    @Test
    void whatWasDrainedDoesNotWaitWhenItStarts() {
        leadership.drain(Duration.ZERO);
        assertThrows(LeadershipLostException.class, leadership::start);
    }

    /** Takes everything, and nothing is ever applied. */
    private final class SilentLog implements DecisionLog {
        @Override
        public Recovered recover(Consumer<LogEntry> applier) {
            return new Recovered(0, 0);
        }

        @Override
        public void start(long epochNumber, LogListener listener) {}

        @Override
        public void append(LogRecord record, boolean forced) {
            appended.countDown();
        }

        @Override
        public LogRecord.@Nullable Commit find(GlobalTxId tx) {
            return null;
        }

        @Override
        public void purge(LogRecord.Horizon horizon) {}

        @Override
        public void close() {}
    }
}
