package io.troth.bench.recovery;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.chaos.process.Children;
import io.troth.coordinator.log.LogEnvironment;
import io.troth.coordinator.log.LogObserver;
import io.troth.coordinator.log.LogSettings;
import io.troth.coordinator.log.rocksdb.RocksDbDecisionLog;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Goal: what is measured is there. Method: small logs are read again, and real processes start on them. */
class RecoveryTest {

    private static final int SOME = 40;
    private static final long MANY = 10_000;

    @TempDir
    Path directory;

    @Test
    void recoveryFindsEveryTransactionThatIsNotDone() throws InterruptedException {
        LogFiller.fill(directory.resolve("log"), SOME, false);
        assertEquals(SOME, commitsFoundByRecovery());
    }

    @Test
    void recoveryLeavesWhatIsDoneInTheLog() throws InterruptedException {
        LogFiller.fill(directory.resolve("log"), SOME, true);
        assertEquals(0, commitsFoundByRecovery());
    }

    private long commitsFoundByRecovery() {
        LogEnvironment environment =
                new LogEnvironment(System::nanoTime, Clock.systemUTC(), () -> 7, Thread::new, LogObserver.NONE);
        List<LogEntry> found = new ArrayList<>();
        try (RocksDbDecisionLog log =
                RocksDbDecisionLog.open(LogSettings.defaults(directory.resolve("log")), environment)) {
            log.recover(found::add);
            assertNotNull(log.find(LogFiller.transaction(SOME - 1)));
        }
        return found.stream()
                .filter(entry -> entry.record() instanceof LogRecord.Commit)
                .count();
    }

    @Test
    void aCoordinatorServesOnAFilledLog() throws Exception {
        try (Children children = new Children(Files.createDirectory(directory.resolve("output")))) {
            SizeRun run = new SizeRun(children, SOME, Duration.ofMillis(200));
            Size size = run.measure(directory.resolve("log"), MANY, false);
            assertAll(
                    () -> assertTrue(size.readySeconds() > 0),
                    () -> assertTrue(size.perSecond() > 0),
                    () -> assertTrue(size.cpuMicros() > 0),
                    () -> assertTrue(size.heapBytes() > 0),
                    () -> assertTrue(RecoveryReport.table(List.of(size)).contains("10,000   open"), "table"));
        }
    }

    @Test
    void anAgentResolvesWhatAnotherLeftInDoubt() throws Exception {
        try (Children children = new Children(Files.createDirectory(directory.resolve("output")))) {
            assertTrue(InDoubtRun.seconds(children, directory.resolve("in-doubt"), SOME) > 0);
        }
    }
}
