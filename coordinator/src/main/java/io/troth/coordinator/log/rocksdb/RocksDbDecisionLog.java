package io.troth.coordinator.log.rocksdb;

import io.troth.coordinator.engine.DecisionLog;
import io.troth.coordinator.engine.LogListener;
import io.troth.coordinator.engine.Recovered;
import io.troth.coordinator.log.AppendRules;
import io.troth.coordinator.log.DiskWatch;
import io.troth.coordinator.log.LogEnvironment;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.coordinator.log.LogSettings;
import io.troth.core.ClusterId;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The decision log of a single node on RocksDB. Thread-safe; docs/LOG.md describes the files.
 *
 * <p><b>Writing.</b> One thread ({@link LogThread}) drains what was appended, at most {@code recordsPerBatchMax}
 * records, into one batch of the store, and flushes it when one of them is forced. Lazy records wait for a forced one,
 * or for the idle time. Every batch carries the next batch number.
 *
 * <p><b>Places.</b> A COMMIT lies in the family {@code open} until its END moves it to {@code ended} in one batch;
 * recovery reads only {@code open}, questions read both, the purge deletes only from {@code ended}.
 *
 * <p><b>Failure.</b> A write that throws has an unknown end (protocol L4): nothing is written, answered or retried
 * after it. What really is in the log is read by the next process.
 *
 * <p><b>Loss.</b> What the store notices by itself, what the files beside it notice and what only the agents' echo of
 * the durable batch number notices is listed, and measured, in docs/LOG.md.
 */
public final class RocksDbDecisionLog implements DecisionLog {

    private final LogSettings settings;
    private final LogEnvironment environment;
    private final OpenLog log;
    private final BatchWriter writer;
    private final LongSupplier freeBytes;

    // Guarded by this.
    private @Nullable Recovered recovered;
    private @Nullable LogReader reader;
    private boolean closed;
    private boolean released;

    private volatile @Nullable AppendRules rules;
    private volatile @Nullable LogThread thread;

    private RocksDbDecisionLog(
            LogSettings settings, LogEnvironment environment, OpenLog log, BatchWriter writer, LongSupplier freeBytes) {
        this.settings = settings;
        this.environment = environment;
        this.log = log;
        this.writer = writer;
        this.freeBytes = freeBytes;
    }

    /**
     * Locks and opens the data directory, or makes a new log in it.
     *
     * @throws LogRefusedException when the directory is not to be used: the message says why and what to do
     */
    public static RocksDbDecisionLog open(LogSettings settings, LogEnvironment environment) {
        OpenLog log = OpenLog.open(settings, environment).asSingle();
        return new RocksDbDecisionLog(settings, environment, log, log.store(), DiskWatch.freeBytes(settings));
    }

    /** For tests: with a writer around the store's, and another measure of free space. */
    static RocksDbDecisionLog open(
            LogSettings settings, LogEnvironment environment, WriterDecorator decorator, LongSupplier freeBytes) {
        OpenLog log = OpenLog.open(settings, environment).asSingle();
        return new RocksDbDecisionLog(settings, environment, log, decorator.around(log.store()), freeBytes);
    }

    /** Puts something between the log and the store. */
    @FunctionalInterface
    interface WriterDecorator {
        BatchWriter around(BatchWriter writer);
    }

    /** The cluster whose decisions it holds. */
    public ClusterId cluster() {
        return log.incarnation().cluster();
    }

    @Override
    public synchronized Recovered recover(Consumer<LogEntry> applier) {
        if (recovered != null) {
            throw new IllegalStateException("recovered already");
        }
        LogReader reading = new LogReader(log);
        reading.replay(applier);
        reader = reading;
        recovered = new Recovered(reading.highestEpoch(), log.lastBatch().batch());
        return recovered;
    }

    @Override
    public synchronized void start(long epochNumber, LogListener listener) {
        if (recovered == null || reader == null || thread != null || closed) {
            throw new IllegalStateException("start comes once, after recover");
        }
        rules = new AppendRules(epochNumber, recovered);
        RecordWriter records =
                new RecordWriter(log.store(), writer, epochNumber, recovered.durableBatch(), reader.lowWater());
        DiskWatch watch = new DiskWatch(
                listener,
                environment.nanoTime(),
                freeBytes,
                environment.threads(),
                settings.stallLimitMillis(),
                settings.freeFloorBytes());
        LogThread started =
                new LogThread(settings, environment, records, watch, listener, epochNumber, reader.horizon());
        thread = started;
        started.start();
    }

    @Override
    public void append(LogRecord record, boolean forced) {
        AppendRules checks = rules;
        LogThread writing = thread;
        if (checks == null || writing == null) {
            throw new IllegalStateException("append before start");
        }
        checks.check(record, forced);
        writing.append(record, forced);
    }

    @Override
    public LogRecord.@Nullable Commit find(GlobalTxId tx) {
        LogThread writing = thread;
        if (writing != null && writing.hasFailed()) {
            throw new IllegalStateException("the log has failed");
        }
        return log.find(tx);
    }

    @Override
    public void purge(LogRecord.Horizon horizon) {
        LogThread writing = thread;
        if (writing == null) {
            throw new IllegalStateException("purge before start");
        }
        writing.purge(horizon);
    }

    /** Waits for the writer as long as a write may stall; after that the store stays open, until it is closed again. */
    @Override
    public void close() {
        tryClose();
    }

    /** The same; false when a write still hangs, so that nothing was released. */
    synchronized boolean tryClose() {
        closed = true;
        LogThread writing = thread;
        // A thread that hangs in a write still uses the store: then nothing is released, the process ends anyway.
        if (!released
                && (writing == null || writing.stop(TimeUnit.MILLISECONDS.toNanos(settings.stallLimitMillis())))) {
            log.close();
            released = true;
        }
        return released;
    }
}
