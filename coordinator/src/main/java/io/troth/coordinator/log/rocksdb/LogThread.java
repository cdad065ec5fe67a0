package io.troth.coordinator.log.rocksdb;

import io.troth.coordinator.engine.LogListener;
import io.troth.coordinator.log.AppliedHorizon;
import io.troth.coordinator.log.DiskWatch;
import io.troth.coordinator.log.Incarnation;
import io.troth.coordinator.log.LogEnvironment;
import io.troth.coordinator.log.LogSettings;
import io.troth.coordinator.log.Watermark;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that writes the log. It ends at {@link #stop} or at the first failure; after a failure it reports
 * nothing more, and what is appended is forgotten.
 */
final class LogThread {

    private static final Logger LOG = LoggerFactory.getLogger(LogThread.class);

    /** The watermark is written at most this often: it costs two flushes. */
    private static final long WATERMARK_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** With nothing to do for this long the log is idle. */
    private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** So many deleted keys make a scan slow: worth a compaction when idle. */
    private static final int ENDS_PER_COMPACTION = 100_000;

    private sealed interface Task {}

    private record Append(LogRecord record, boolean forced) implements Task {}

    private record Purge(LogRecord.Horizon horizon) implements Task {}

    private record Stop() implements Task {}

    private final LogSettings settings;
    private final LogEnvironment environment;
    private final RecordWriter writer;
    private final DiskWatch watch;
    private final LogListener listener;
    private final long epochNumber;
    private final Thread thread;
    private final HandOverQueue<Task> tasks;

    private final AppliedHorizon appliedHorizon = new AppliedHorizon();

    private volatile boolean failed;

    // Log thread only.
    private final List<LogRecord> waiting = new ArrayList<>();
    private boolean forcedWaits;
    private long firstWaitsSinceNanos;
    private long durableBatch;
    private long markedBatch;
    private long markedNanos;
    private @Nullable Task postponed;

    LogThread(
            LogSettings settings,
            LogEnvironment environment,
            RecordWriter writer,
            DiskWatch watch,
            LogListener listener,
            long epochNumber,
            LogRecord.@Nullable Horizon recoveredHorizon) {
        this.settings = settings;
        this.environment = environment;
        this.writer = writer;
        this.watch = watch;
        this.listener = listener;
        this.epochNumber = epochNumber;
        appliedHorizon.applied(recoveredHorizon);
        this.durableBatch = writer.batchNumber();
        this.tasks = new HandOverQueue<>(
                environment.nanoTime(), Thread::yield, Runtime.getRuntime().availableProcessors());
        this.thread = environment.threads().newThread(this::run);
    }

    void start() {
        thread.start();
    }

    void append(LogRecord record, boolean forced) {
        if (!failed) {
            tasks.add(new Append(record, forced));
        }
    }

    void purge(LogRecord.Horizon horizon) {
        appliedHorizon.checkPurge(horizon);
        if (!failed) {
            tasks.add(new Purge(horizon));
        }
    }

    boolean hasFailed() {
        return failed;
    }

    /** Writes what waits and ends the thread. False when it did not end in this time. Any other thread. */
    boolean stop(long limitNanos) {
        tasks.add(new Stop());
        try {
            thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(limitNanos)));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return !thread.isAlive();
    }

    private void run() {
        try (writer;
                watch) {
            while (true) {
                Task task = next();
                if (task instanceof Stop) {
                    writeWaiting();
                    mark(0);
                    return;
                }
                handle(task);
            }
        } catch (Throwable e) {
            fail(e);
        }
    }

    /** The one place where the log gives up: set before it is told, so that nobody reads after hearing of it. */
    private void fail(Throwable cause) {
        failed = true;
        watch.end();
        tasks.clear();
        listener.failed(cause);
    }

    private void handle(@Nullable Task task) throws RocksDBException, IOException {
        if (task == null) {
            timeIsOver();
        } else if (task instanceof Append append) {
            take(append);
            gather();
            if (forcedWaits || waiting.size() >= settings.recordsPerBatchMax()) {
                writeWaiting();
            }
        } else if (task instanceof Purge purge) {
            writeWaiting();
            watched(() -> writer.purge(purge.horizon()));
        }
        mark(WATERMARK_NANOS);
    }

    /** The next task, or null when a lazy record has waited long enough or the log is idle. */
    private @Nullable Task next() throws InterruptedException {
        Task task = postponed;
        if (task != null) {
            postponed = null;
            return task;
        }
        long limit = IDLE_NANOS;
        if (!waiting.isEmpty()) {
            long waited = environment.nanoTime().getAsLong() - firstWaitsSinceNanos;
            limit = TimeUnit.MILLISECONDS.toNanos(settings.lazyIdleMillis()) - waited;
        }
        return tasks.poll(limit);
    }

    /** Takes what is there, without waiting, as far as one batch goes. */
    private void gather() {
        while (waiting.size() < settings.recordsPerBatchMax()) {
            Task task = tasks.poll();
            if (!(task instanceof Append append)) {
                postponed = task;
                return;
            }
            take(append);
        }
    }

    private void take(Append append) {
        if (waiting.isEmpty()) {
            firstWaitsSinceNanos = environment.nanoTime().getAsLong();
        }
        waiting.add(append.record());
        forcedWaits |= append.forced();
    }

    private void timeIsOver() throws RocksDBException, IOException {
        if (!waiting.isEmpty()) {
            writeWaiting();
            return;
        }
        Incarnation.checkIsThere(settings.directory());
        if (writer.endsSinceCompaction() >= ENDS_PER_COMPACTION) {
            watched(writer::compact);
        }
    }

    private void writeWaiting() throws RocksDBException, IOException {
        if (waiting.isEmpty()) {
            return;
        }
        boolean sync = forcedWaits;
        long nanos = watched(() -> writer.write(waiting, sync));
        if (sync) {
            Incarnation.checkIsThere(settings.directory());
            durableBatch = writer.batchNumber();
        }
        List<LogEntry> entries = new ArrayList<>(waiting.size());
        for (LogRecord record : waiting) {
            entries.add(new LogEntry(epochNumber, record));
            if (record instanceof LogRecord.Horizon horizon) {
                appliedHorizon.applied(horizon);
            }
        }
        waiting.clear();
        forcedWaits = false;
        environment.observer().written(entries.size(), sync, nanos);
        listener.applied(entries, durableBatch);
    }

    @FunctionalInterface
    private interface Write {
        void run() throws RocksDBException;
    }

    private long watched(Write write) throws RocksDBException {
        watch.writeBegins();
        write.run();
        return watch.writeReturned();
    }

    /** Writes the watermark when the last one is old enough. A failure costs only the check it would have made. */
    private void mark(long ageNanos) {
        long now = environment.nanoTime().getAsLong();
        boolean due = markedBatch == 0 || now - markedNanos >= ageNanos;
        if (durableBatch == markedBatch || durableBatch == 0 || !due) {
            return;
        }
        watch.writeBegins();
        try {
            new Watermark(durableBatch, epochNumber).write(settings.directory());
        } catch (IOException e) {
            LOG.warn("the watermark of the log could not be written; the log itself is not touched by this", e);
        }
        watch.writeReturned();
        markedBatch = durableBatch;
        markedNanos = now;
    }
}
