package io.troth.chaos.sim.log;

import io.troth.chaos.sim.log.SimulatedDisk.Batch;
import io.troth.chaos.sim.log.SimulatedDisk.Family;
import io.troth.chaos.sim.world.Fault;
import io.troth.chaos.sim.world.SimProcess;
import io.troth.chaos.sim.world.World;
import io.troth.coordinator.engine.LogListener;
import io.troth.coordinator.engine.Recovered;
import io.troth.coordinator.log.AppendRules;
import io.troth.coordinator.log.Meta;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A decision log for the simulated coordinator: the real records and keys, batches and laziness as in the real one, and
 * everything that can go wrong with its disk. One for each life of the process; {@link SimulatedStore} outlives it.
 */
public final class SimulatedLog implements LeaderLog {

    private static final long MILLI = 1_000_000;
    private static final long LAZY_IDLE_NANOS = 1_000 * MILLI;
    private static final long STALL_LIMIT_NANOS = 10_000 * MILLI;

    private final SimulatedStore store;
    private final World world;
    private final SimProcess process;
    private final LogWatcher watcher;
    private final List<LogRecord> waiting = new ArrayList<>();
    private TableWriter writer = new TableWriter(new SimulatedDisk.Tables(), 0);
    private @Nullable AppendRules rules;
    private @Nullable LogListener listener;
    private LogRecord.@Nullable Horizon appliedHorizon;
    private World.@Nullable Task idle;
    private Recovered recovered;
    private long epochNumber;
    private long durableBatch;
    private boolean forcedWaits;
    private boolean planned;
    private boolean writing;
    private boolean dead;
    /** Another leader owns the log. What was read before can still be read. */
    private boolean fenced;
    /** The next write, whatever it is, finds no room. */
    private boolean full;

    /** Whether the last entries of the leader before are applied only after the recovery, before the own EPOCH. */
    private boolean endIsLate;

    private final List<LogEntry> late = new ArrayList<>();

    SimulatedLog(SimulatedStore store, World world, SimProcess process, LogWatcher watcher) {
        this.store = store;
        this.world = world;
        this.process = process;
        this.watcher = watcher;
        this.recovered = new Recovered(0, 0);
    }

    /** As in a replicated log: what the leader before wrote last becomes known only with the own EPOCH (protocol 3). */
    void hearsTheEndLate() {
        endIsLate = true;
    }

    @Override
    public Recovered recover(Consumer<LogEntry> applier) {
        SimulatedDisk.Tables tables = store.disk().open();
        byte[] last = tables.of(Family.META).get(Meta.LAST_BATCH);
        durableBatch = last == null ? 0 : Meta.lastBatch(last).batch();
        writer = new TableWriter(tables, durableBatch);
        LogReplay replay = new LogReplay(tables, durableBatch);
        replay.run(entry -> {
            if (endIsLate && replay.isOfLastBatch(entry)) {
                late.add(entry);
            } else {
                applier.accept(entry);
            }
        });
        replay.commits().forEach(watcher::committed);
        replay.heuristics().forEach(watcher::forced);
        appliedHorizon = replay.horizon();
        recovered = new Recovered(replay.highestEpoch(), durableBatch);
        return recovered;
    }

    @Override
    public void start(long number, LogListener hears) {
        rules = new AppendRules(number, recovered);
        epochNumber = number;
        writer.leads(number);
        listener = hears;
    }

    @Override
    public void append(LogRecord record, boolean forced) {
        if (rules == null) {
            throw new IllegalStateException("append before start");
        }
        rules.check(record, forced);
        if (dead) {
            return;
        }
        if (record instanceof LogRecord.Commit commit) {
            store.handed(commit);
        }
        add(record, forced);
    }

    private void add(LogRecord record, boolean forced) {
        waiting.add(record);
        forcedWaits |= forced;
        if (forcedWaits) {
            planWrite();
        } else if (idle == null) {
            idle = process.after(LAZY_IDLE_NANOS, () -> "the log is idle", () -> {
                idle = null;
                planWrite();
            });
        }
    }

    private void planWrite() {
        if (!planned && !writing && !dead && !waiting.isEmpty()) {
            planned = true;
            // What comes together is written together.
            long gathers =
                    world.random().nextInt(3) == 0 ? world.random().nextLong(endIsLate ? 500 * MILLI : MILLI) : 0;
            endIsLate = false;
            world.after(gathers, process, () -> "", this::write);
        }
    }

    private void write() {
        planned = false;
        if (dead || writing || waiting.isEmpty()) {
            return;
        }
        int size = Math.min(waiting.size(), store.recordsPerBatchMax());
        List<LogRecord> records = List.copyOf(waiting.subList(0, size));
        waiting.subList(0, size).clear();
        boolean forced = forcedWaits;
        forcedWaits = forcedWaits && !waiting.isEmpty();
        Batch batch = writer.batch(records);
        writing = true;
        store.inFlight(records);
        if (full || (forced && world.fault(Fault.FSYNC_FAILS))) {
            if (full || !store.disk().writePart(batch, world.faultRandom())) {
                world.saw("append error with the entry lost");
            } else {
                world.saw("append error with the entry surviving");
            }
            world.after(world.shortDelay(), process, () -> "the log's flush fails", () -> fail("flush failed"));
            return;
        }
        store.disk().write(batch);
        if (!forced) {
            world.after(
                    world.shortDelay(), process, () -> "the log has written " + records, () -> done(records, false));
        } else if (world.fault(Fault.FSYNC_HANGS)) {
            hang(records);
        } else {
            world.after(world.shortDelay(), process, () -> "the log has flushed " + records, () -> done(records, true));
        }
    }

    /** The flush returns, or throws, long after anybody expected it. */
    private void hang(List<LogRecord> records) {
        process.after(
                STALL_LIMIT_NANOS,
                () -> "the log's flush hangs",
                () -> listener().stalled(true));
        boolean throwsInTheEnd = world.faultRandom().nextInt(3) == 0;
        long nanos = STALL_LIMIT_NANOS + world.faultRandom().nextLong(10_000 * MILLI) + MILLI;
        process.after(nanos, () -> "the log's flush " + (throwsInTheEnd ? "throws" : "returns"), () -> {
            if (throwsInTheEnd) {
                fail("flush failed after a long time");
            } else {
                listener().stalled(false);
                done(records, true);
            }
        });
    }

    private void done(List<LogRecord> records, boolean forced) {
        if (dead) {
            return;
        }
        writing = false;
        if (forced) {
            store.disk().sync();
            durableBatch = writer.batchNumber();
        }
        List<LogEntry> entries = new ArrayList<>(late);
        late.clear();
        for (LogRecord record : records) {
            entries.add(new LogEntry(epochNumber, record));
            if (record instanceof LogRecord.Horizon horizon
                    && (appliedHorizon == null || LogReplay.HORIZON_ORDER.compare(horizon, appliedHorizon) > 0)) {
                appliedHorizon = horizon;
            }
            if (record instanceof LogRecord.Commit commit && writer.isOwn(commit)) {
                store.settled(commit);
                watcher.committed(commit);
            }
            if (record instanceof LogRecord.End end) {
                watcher.ended(end.tx());
            }
            if (record instanceof LogRecord.Heuristic heuristic) {
                watcher.forced(heuristic);
            }
        }
        listener().applied(entries, durableBatch);
        if (records.get(0) instanceof LogRecord.Epoch) {
            proposeAgain();
        }
        planWrite();
    }

    /** A log client that does not know better hands over what an earlier leader could not get through (protocol 3). */
    private void proposeAgain() {
        for (LogRecord.Commit lost : store.takeLost()) {
            if (world.fault(Fault.LOG_PROPOSES_AGAIN)) {
                world.after(world.shortDelay(), process, () -> "the log proposes again " + lost, () -> {
                    if (!dead) {
                        add(lost, true);
                    }
                });
            }
        }
    }

    private void fail(String why) {
        if (!dead) {
            die();
            listener().failed(new IllegalStateException(why));
        }
    }

    private void die() {
        dead = true;
        waiting.clear();
    }

    @Override
    public void reportFree(boolean aboveFloor, boolean nothingLeft) {
        full = nothingLeft && !aboveFloor;
        if (listener != null && !dead) {
            listener.free(aboveFloor, aboveFloor ? 1L << 40 : 1_000);
        }
    }

    /**
     * Another leader has taken the log over, and this one's process does not know it yet: what it is writing was kept, or
     * was lost, and it learns of neither for a while.
     */
    void fence(List<LogRecord> kept) {
        if (dead) {
            return;
        }
        boolean wasWriting = writing;
        // From now on nothing of it reaches the disk.
        die();
        fenced = true;
        if (listener == null) {
            return;
        }
        long learns = world.faultRandom().nextLong(4_000 * MILLI);
        if (wasWriting && !kept.isEmpty() && world.faultRandom().nextBoolean()) {
            List<LogEntry> entries = kept.stream()
                    .map(record -> new LogEntry(epochNumber, record))
                    .toList();
            world.after(
                    learns / 2,
                    process,
                    () -> "learns that it had written " + kept,
                    () -> listener().applied(entries, durableBatch));
        }
        world.after(learns, process, () -> "learns that another one leads", () -> {
            fenced = false;
            listener().failed(new IllegalStateException("fenced"));
        });
    }

    @Override
    public LogRecord.@Nullable Commit find(GlobalTxId tx) {
        if (dead && !fenced) {
            throw new IllegalStateException("the log has failed or is closed");
        }
        return writer.find(tx);
    }

    @Override
    public void purge(LogRecord.Horizon horizon) {
        if (appliedHorizon == null || LogReplay.HORIZON_ORDER.compare(horizon, appliedHorizon) > 0) {
            throw new IllegalArgumentException("no HORIZON applied up to " + horizon);
        }
        if (dead || writing) {
            // Something else is purged later; this comes with the next horizon.
            return;
        }
        store.disk().write(writer.purge(horizon, watcher));
    }

    /** Leads an epoch only to write that up to this number the absence of a record means nothing. */
    void distrust(EpochId epoch, long through) {
        start(epoch.number(), new Nobody());
        append(new LogRecord.Epoch(epoch), true);
        append(new LogRecord.Distrust(through), true);
        close();
    }

    /** Writes what was handed over, at once. */
    @Override
    public void close() {
        if (!dead && listener != null && !writing) {
            while (!waiting.isEmpty()) {
                List<LogRecord> records = List.copyOf(waiting);
                waiting.clear();
                store.disk().write(writer.batch(records));
                done(records, true);
            }
        }
        die();
    }

    private LogListener listener() {
        return Objects.requireNonNull(listener);
    }

    /** Whoever leads nothing. */
    private static final class Nobody implements LogListener {
        @Override
        public void applied(List<LogEntry> entries, long durableBatch) {}

        @Override
        public void failed(Throwable cause) {}

        @Override
        public void stalled(boolean stalled) {}

        @Override
        public void free(boolean aboveFloor, long freeBytes) {}
    }
}
