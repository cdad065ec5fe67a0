package io.troth.coordinator.log.rocksdb;

import static io.troth.coordinator.log.Records.commit;
import static io.troth.coordinator.log.Records.end;
import static io.troth.coordinator.log.Records.epoch;
import static io.troth.coordinator.log.Records.tx;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.log.DiskWatch;
import io.troth.coordinator.log.LogRefusal;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.coordinator.log.LogSettings;
import io.troth.coordinator.log.RecordingListener;
import io.troth.coordinator.log.rocksdb.FaultyWriter.Fault;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.RocksDBException;
import org.rocksdb.Status;

/**
 * Goal: a disk that fails, hangs or fills up never makes the log say durable, and is never asked twice (pitfall 2).
 * Method: faults at the seam right above the store; what is really there is read by the next open.
 */
class DiskFaultsTest {

    private static final long FLOOR_BYTES = 1_000;
    private static final long STALL_MILLIS = 20;

    @TempDir
    Path temp;

    private final AtomicLong freeBytes = new AtomicLong(Long.MAX_VALUE);
    private final CountDownLatch answered = new CountDownLatch(1);
    private volatile boolean answers = true;
    private volatile boolean asked;
    private final RecordingListener heard = new RecordingListener();
    private FaultyWriter writer;
    private RocksDbDecisionLog log;

    @BeforeEach
    void lead() {
        log = RocksDbDecisionLog.open(
                new LogSettings(temp.resolve("data"), Logs.CLUSTER, 16, 5, STALL_MILLIS, FLOOR_BYTES),
                Logs.environment(),
                store -> {
                    writer = new FaultyWriter(store);
                    return writer;
                },
                this::freeBytes);
        log.recover(entry -> {});
        log.start(1, heard);
        log.append(epoch(1), true);
        Logs.eventually().until(() -> heard.entries().size() == 1);
    }

    private long freeBytes() {
        if (!answers) {
            asked = true;
            Logs.eventually().until(() -> answered.getCount() == 0);
        }
        return freeBytes.get();
    }

    @AfterEach
    void close() {
        answered.countDown();
        writer.release();
        released();
    }

    /** A loaded machine may need longer than the stall limit: nobody touches the directory before the log lets it go. */
    private void released() {
        Logs.eventually().until(log::tryClose);
    }

    private List<LogRecord> reopened() {
        released();
        List<LogEntry> replayed = new ArrayList<>();
        try (RocksDbDecisionLog next = Logs.open(temp.resolve("data"))) {
            next.recover(replayed::add);
        }
        return replayed.stream().map(LogEntry::record).toList();
    }

    @Test
    void aFullDiskFailsTheLogOnceAndTheNextStartKnowsAllThatWasAcknowledged() {
        writer.quota(1_000);
        for (long sequence = 1; sequence <= 50; sequence++) {
            log.append(commit(tx(1, 1, sequence)), true);
            log.append(end(tx(1, 1, sequence)), false);
        }
        Logs.eventually().until(() -> heard.failure() != null);
        assertTrue(
                heard.failure().getMessage().contains("No space left"),
                heard.failure().getMessage());
        // Space comes back, and is of no use any more: this process has to end.
        writer.quota(Long.MAX_VALUE);
        log.append(commit(tx(1, 1, 99)), true);
        List<LogRecord> acknowledged = heard.records();
        List<LogRecord> found = reopened();
        assertEquals(1, heard.failures().size());
        assertEquals(0, writer.writesAfterFailure());
        assertEquals(acknowledged, heard.records());
        for (LogRecord record : acknowledged) {
            boolean ended = record instanceof LogRecord.Commit ofTx && acknowledged.contains(end(ofTx.tx()));
            boolean isEnd = record instanceof LogRecord.End;
            assertTrue(isEnd || ended || found.contains(record), record + " was acknowledged and is gone");
        }
        assertFalse(found.contains(commit(tx(1, 1, 99))));
    }

    @Test
    void aFailedFlushIsNeverRepeatedAndItsRecordIsUnknownNotFailed() {
        writer.next(Fault.FAILS_WRITTEN);
        log.append(commit(tx(1, 1, 1)), true);
        Logs.eventually().until(() -> heard.failure() != null);
        log.append(commit(tx(1, 1, 2)), true);
        assertEquals(List.of(epoch(1)), heard.records());
        assertEquals(List.of(epoch(1), commit(tx(1, 1, 1))), reopened());
        assertEquals(0, writer.writesAfterFailure());
    }

    /** What is open can still be written and flushed, and nobody will find it again. */
    @Test
    void nothingIsDurableInADirectoryThatIsGone() throws Exception {
        Path away = Files.move(temp.resolve("data"), temp.resolve("away"));
        log.append(commit(tx(1, 1, 1)), true);
        Logs.eventually().until(() -> heard.failure() != null);
        assertEquals(List.of(epoch(1)), heard.records());
        assertTrue(
                heard.failure().getMessage().contains("deleted, moved or unmounted"),
                heard.failure().getMessage());
        Files.move(away, temp.resolve("data"));
        assertEquals(List.of(epoch(1), commit(tx(1, 1, 1))), reopened());
    }

    @Test
    void aDirectoryThatIsGoneIsNotTakenForAFullDisk() throws Exception {
        LogSettings elsewhere = Logs.settings(Files.createDirectory(temp.resolve("elsewhere")));
        LongSupplier free = DiskWatch.freeBytes(elsewhere);
        Files.delete(temp.resolve("elsewhere"));
        assertEquals(Long.MAX_VALUE, free.getAsLong());
    }

    @Test
    void aBatchIsFlushedWhereverInItTheForcedRecordIs() {
        writer.next(Fault.HANGS);
        log.append(commit(tx(1, 1, 1)), true);
        Logs.eventually().until(() -> writer.writes() == 2);
        // Gathered while the disk is busy, so that they share a batch.
        log.append(end(tx(1, 1, 1)), false);
        log.append(commit(tx(1, 1, 2)), true);
        log.append(end(tx(1, 1, 9)), false);
        writer.release();
        Logs.eventually().until(() -> heard.entries().size() == 5);
        assertEquals(List.of(1, 1, 3), heard.batchSizes());
        assertTrue(writer.lastSynced(), "an answer stands on it");
    }

    /** Agents keep the number, and would refuse a log that has lost no more than it may. */
    @Test
    void whatIsOnlyWrittenIsNotToldAsDurable() {
        log.append(commit(tx(1, 1, 1)), true);
        Logs.eventually().until(() -> heard.entries().size() == 2);
        long durable = heard.durableBatch();
        log.append(end(tx(1, 1, 1)), false);
        Logs.eventually().until(() -> heard.entries().size() == 3);
        assertFalse(writer.lastSynced());
        assertEquals(durable, heard.durableBatch());
    }

    /** A slow disk may have been told as stalled before; what counts is what was told last. */
    private boolean isStalled() {
        List<Boolean> told = heard.stalls();
        return !told.isEmpty() && told.get(told.size() - 1);
    }

    /** A write hangs from now on, and the listener has been told so: of this one, not of a slow one before it. */
    private void hang() {
        writer.next(Fault.HANGS);
        log.append(commit(tx(1, 1, 1)), true);
        Logs.eventually().until(() -> writer.writes() == 2 && isStalled());
    }

    @Test
    void aHangingFlushIsToldAndNothingIsAppliedUntilItReturns() {
        hang();
        log.append(commit(tx(1, 1, 2)), true);
        assertEquals(1, heard.entries().size());
        assertEquals(2, writer.writes(), "a hanging write is not repeated");
        writer.release();
        Logs.eventually().until(() -> heard.entries().size() == 3);
        Logs.eventually().until(() -> !isStalled());
        assertNull(heard.failure());
    }

    @Test
    void aHangIsToldAlsoWhenTheDiskDoesNotSayHowMuchIsFree() {
        answers = false;
        Logs.eventually().until(() -> asked);
        hang();
    }

    @Test
    void closingDoesNotWaitForAFlushThatHangsForEver() {
        hang();
        log.close();
        assertEquals(1, heard.entries().size());
    }

    @Test
    void theFloorIsToldOnBothSidesAndRunningTransactionsStillEnd() {
        freeBytes.set(FLOOR_BYTES - 1);
        Logs.eventually().until(() -> heard.spaces().equals(List.of(false)));
        log.append(commit(tx(1, 1, 1)), true);
        log.append(end(tx(1, 1, 1)), false);
        Logs.eventually().until(() -> heard.entries().size() == 3);
        freeBytes.set(FLOOR_BYTES);
        Logs.eventually().until(() -> heard.spaces().equals(List.of(false, true)));
    }

    /** What RocksDB says when it finds no space at a start, where it writes before anything is led. */
    @Test
    void aFullDiskIsNoDamage() {
        Status full = new Status(Status.Code.IOError, Status.SubCode.NoSpace, "While appending to file");
        Status options = new Status(
                Status.Code.IOError, Status.SubCode.None, "DB::Open() failed --- IO error: No space left on device");
        for (Status each : List.of(full, options)) {
            LogRefusedException refused = OpenLog.damaged(temp, new RocksDBException(each.getState(), each));
            assertEquals(LogRefusal.UNUSABLE, refused.refusal(), refused::getMessage);
        }
    }
}
