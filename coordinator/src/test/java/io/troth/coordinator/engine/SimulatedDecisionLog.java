package io.troth.coordinator.engine;

import io.troth.coordinator.log.AppendRules;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A decision log in memory whose every step the test takes by hand: records wait until {@link #write}, a write can
 * fail or hang, and {@link #crash} gives the log of the next process. Thread-safe; the listener is called by the
 * thread that writes.
 *
 * <p>Use {@link #writeAtOnce} where the log is not what the test is about.
 */
public final class SimulatedDecisionLog implements DecisionLog {

    private final Disk disk;
    private final Deque<Pending> pending = new ArrayDeque<>();
    private @Nullable AppendRules rules;
    private @Nullable LogListener listener;
    private @Nullable Failure nextFailure;
    private LogRecord.@Nullable Horizon appliedHorizon;
    private @Nullable EpochId ownEpoch;
    private long epochNumber;
    private boolean writesAtOnce;
    private boolean stalled;
    private boolean dead;
    private @Nullable Error findError;
    private int forcedWrites;
    private int lazyWrites;
    private int recordsWritten;

    private record Pending(LogRecord record, boolean forced) {}

    private record Failure(RuntimeException cause, boolean survives) {}

    private record Written(long batch, LogEntry entry) {}

    /** What is on the disk: {@code written} is in the page cache at least, up to {@code durableBatch} it is safe. */
    private static final class Disk {
        private final List<Written> written = new ArrayList<>();
        private long batch;
        private long durableBatch;
    }

    /** A new, empty log. */
    public SimulatedDecisionLog() {
        this(new Disk());
    }

    private SimulatedDecisionLog(Disk disk) {
        this.disk = disk;
    }

    @Override
    public synchronized Recovered recover(Consumer<LogEntry> applier) {
        entries().filter(e -> e.record() instanceof LogRecord.Epoch).forEach(applier);
        entries().filter(e -> e.record() instanceof LogRecord.Distrust).forEach(applier);
        entries().filter(e -> e.record() instanceof LogRecord.Horizon).forEach(applier);
        entries().filter(e -> e.record() instanceof LogRecord.Heuristic).forEach(applier);
        Set<GlobalTxId> ended = ended();
        TreeMap<GlobalTxId, LogEntry> open = new TreeMap<>();
        entries().forEach(e -> {
            if (e.record() instanceof LogRecord.Commit commit && !ended.contains(commit.tx())) {
                open.put(commit.tx(), e);
            }
        });
        open.values().forEach(applier);
        appliedHorizon = entries()
                .map(e -> e.record() instanceof LogRecord.Horizon horizon ? horizon : null)
                .filter(Objects::nonNull)
                .max(HORIZON_ORDER)
                .orElse(null);
        disk.durableBatch = disk.batch;
        return recovered();
    }

    @Override
    public synchronized void start(long number, LogListener hears) {
        rules = new AppendRules(number, recovered());
        epochNumber = number;
        listener = hears;
    }

    @Override
    public synchronized void append(LogRecord record, boolean forced) {
        if (rules == null) {
            throw new IllegalStateException("append before start");
        }
        rules.check(record, forced);
        if (dead) {
            return;
        }
        pending.add(new Pending(record, forced));
        if (writesAtOnce) {
            write();
        }
    }

    /** From now on nothing can be read. */
    synchronized void failFinds(Error error) {
        findError = error;
    }

    @Override
    public synchronized LogRecord.@Nullable Commit find(GlobalTxId tx) {
        if (dead) {
            throw new IllegalStateException("the log has failed or is closed");
        }
        if (findError != null) {
            throw findError;
        }
        return entries()
                .map(e -> e.record() instanceof LogRecord.Commit commit
                                && commit.tx().equals(tx)
                        ? commit
                        : null)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
    }

    @Override
    public synchronized void purge(LogRecord.Horizon horizon) {
        if (appliedHorizon == null || HORIZON_ORDER.compare(horizon, appliedHorizon) > 0) {
            throw new IllegalArgumentException("no HORIZON applied up to " + horizon);
        }
        Set<GlobalTxId> ended = ended();
        Set<GlobalTxId> open = new HashSet<>();
        entries().forEach(e -> {
            if (e.record() instanceof LogRecord.Commit commit && !ended.contains(commit.tx())) {
                open.add(commit.tx());
            }
        });
        disk.written.removeIf(w -> {
            GlobalTxId tx = subject(w.entry().record());
            return tx != null && !open.contains(tx) && upTo(tx, horizon);
        });
    }

    @Override
    public synchronized void close() {
        if (!dead && listener != null) {
            write();
        }
        dead = true;
    }

    /** From now on every append is written in its own batch before it returns. */
    public synchronized SimulatedDecisionLog writeAtOnce() {
        writesAtOnce = true;
        return this;
    }

    /** Writes what waits as one batch, reports it, and says how many records that were. Nothing happens in a stall. */
    public synchronized int write() {
        if (dead || stalled || pending.isEmpty()) {
            return 0;
        }
        List<LogEntry> entries = new ArrayList<>();
        boolean forced = false;
        for (Pending each : pending) {
            entries.add(new LogEntry(epochNumber, each.record()));
            forced |= each.forced();
        }
        pending.clear();
        Failure failure = nextFailure;
        if (failure == null || failure.survives()) {
            writeToDisk(entries, forced);
        }
        LogListener hears = Objects.requireNonNull(listener);
        if (failure != null) {
            dead = true;
            hears.failed(failure.cause());
            return 0;
        }
        forcedWrites += forced ? 1 : 0;
        lazyWrites += forced ? 0 : 1;
        recordsWritten += entries.size();
        hears.applied(entries, disk.durableBatch);
        return entries.size();
    }

    /** The next write reports this failure; its records are in the log of the next process, or are not. */
    public synchronized void failNextWrite(RuntimeException cause, boolean recordsSurvive) {
        nextFailure = new Failure(cause, recordsSurvive);
    }

    /** Begins or ends a hanging write; nothing is written meanwhile. */
    public synchronized void stall(boolean hangs) {
        stalled = hangs;
        Objects.requireNonNull(listener).stalled(hangs);
    }

    /** Reports the free space of the disk. */
    public synchronized void reportFree(boolean aboveFloor, long freeBytes) {
        Objects.requireNonNull(listener).free(aboveFloor, freeBytes);
    }

    /** The process is gone: this log is dead, and the answer is the log the next process opens. */
    public synchronized SimulatedDecisionLog crash(boolean losesUnforced) {
        dead = true;
        pending.clear();
        if (losesUnforced) {
            disk.written.removeIf(w -> w.batch() > disk.durableBatch);
            disk.batch = disk.durableBatch;
        }
        return new SimulatedDecisionLog(disk);
    }

    /** How many batches were forced to disk by this process. */
    public synchronized int forcedWrites() {
        return forcedWrites;
    }

    /** How many batches were written without a force by this process. */
    public synchronized int lazyWrites() {
        return lazyWrites;
    }

    /** How many records were written by this process. */
    public synchronized int recordsWritten() {
        return recordsWritten;
    }

    /** How many records wait for {@link #write}. */
    public synchronized int waiting() {
        return pending.size();
    }

    /** Everything in the log, in order. */
    public synchronized List<LogEntry> written() {
        return entries().toList();
    }

    private void writeToDisk(List<LogEntry> entries, boolean forced) {
        disk.batch++;
        for (LogEntry entry : entries) {
            if (entry.record() instanceof LogRecord.Epoch epoch) {
                ownEpoch = epoch.epoch();
            }
            boolean fenced = entry.record() instanceof LogRecord.Commit commit
                    && !commit.tx().epoch().equals(ownEpoch);
            if (!fenced) {
                disk.written.add(new Written(disk.batch, entry));
            }
            if (entry.record() instanceof LogRecord.Horizon horizon
                    && (appliedHorizon == null || HORIZON_ORDER.compare(horizon, appliedHorizon) > 0)) {
                appliedHorizon = horizon;
            }
        }
        if (forced) {
            disk.durableBatch = disk.batch;
        }
    }

    private Recovered recovered() {
        long highest = entries()
                .mapToLong(e -> e.record() instanceof LogRecord.Epoch epoch
                        ? epoch.epoch().number()
                        : e.record() instanceof LogRecord.Distrust distrust ? distrust.epochNumber() : 0)
                .max()
                .orElse(0);
        return new Recovered(highest, disk.durableBatch);
    }

    private Stream<LogEntry> entries() {
        return disk.written.stream().map(Written::entry);
    }

    private Set<GlobalTxId> ended() {
        Set<GlobalTxId> ended = new HashSet<>();
        entries().forEach(e -> {
            if (e.record() instanceof LogRecord.End end) {
                ended.add(end.tx());
            }
        });
        return ended;
    }

    private static final Comparator<LogRecord.Horizon> HORIZON_ORDER =
            Comparator.comparing(LogRecord.Horizon::epoch).thenComparingLong(LogRecord.Horizon::session);

    private static boolean upTo(GlobalTxId tx, LogRecord.Horizon horizon) {
        return HORIZON_ORDER.compare(new LogRecord.Horizon(tx.epoch(), tx.session()), horizon) <= 0;
    }

    private static @Nullable GlobalTxId subject(LogRecord record) {
        if (record instanceof LogRecord.Commit commit) {
            return commit.tx();
        }
        if (record instanceof LogRecord.End end) {
            return end.tx();
        }
        return record instanceof LogRecord.Heuristic heuristic ? heuristic.tx() : null;
    }
}
