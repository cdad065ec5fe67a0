package io.troth.chaos.sim.log;

import io.troth.chaos.sim.world.SimProcess;
import io.troth.chaos.sim.world.World;
import io.troth.core.EpochId;
import io.troth.core.coordinator.LogRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** The disk of the decision log of a single node. One thread. */
public final class SimulatedStore implements LogStore {

    /** As many starts as no backup is old. */
    private static final long EPOCHS_ABOVE = 1_000_000;

    private final World world;
    private final LogWatcher watcher;
    private SimulatedDisk disk = new SimulatedDisk();
    private final int recordsPerBatchMax;
    /** COMMITs that were handed over and of which nobody knows that they are in the log. */
    private final List<LogRecord.Commit> unsettled = new ArrayList<>();

    private List<LogRecord> inFlight = List.of();
    private @Nullable SimulatedLog current;

    public SimulatedStore(World world, LogWatcher watcher) {
        this.world = world;
        this.watcher = watcher;
        recordsPerBatchMax = world.random().nextInt(4) == 0 ? 1 : 1_024;
    }

    @Override
    public SimulatedLog open(SimProcess process) {
        SimulatedLog log = new SimulatedLog(this, world, process, watcher);
        current = log;
        return log;
    }

    /** Of what the one before was writing, any first part is in the log. */
    @Override
    public SimulatedLog takeOver(SimProcess process) {
        SimulatedLog old = current;
        List<LogRecord> written = inFlight;
        // Of a write that has failed, which its process has not heard yet, nobody can make a whole one.
        boolean kept = world.faultRandom().nextBoolean() && !disk.isTorn();
        if (kept) {
            disk.sync();
        } else {
            losePower();
        }
        if (old != null) {
            old.fence(kept ? written : List.of());
        }
        SimulatedLog log = open(process);
        log.hearsTheEndLate();
        return log;
    }

    @Override
    public void losePower() {
        if (disk.losePower(world.faultRandom())) {
            world.saw(disk.isTorn() ? "unflushed end of the log torn" : "unflushed end of the log lost");
        }
    }

    @Override
    public boolean decay() {
        return disk.decay(world.faultRandom());
    }

    @Override
    public void restore() {
        disk.restore();
    }

    @Override
    public LongSupplier backup() {
        SimulatedDisk then = disk.copy();
        return () -> restore(then);
    }

    private long restore(SimulatedDisk backup) {
        disk = backup;
        unsettled.clear();
        inFlight = List.of();
        SimulatedLog log = open(world.process("restore"));
        long highest = log.recover(entry -> {}).highestEpoch();
        watcher.restored(log::find);
        log.distrust(new EpochId(highest + 1, world.random().nextLong()), highest + EPOCHS_ABOVE);
        return highest + EPOCHS_ABOVE;
    }

    SimulatedDisk disk() {
        return disk;
    }

    int recordsPerBatchMax() {
        return recordsPerBatchMax;
    }

    void inFlight(List<LogRecord> records) {
        inFlight = records;
    }

    void handed(LogRecord.Commit commit) {
        unsettled.add(commit);
    }

    void settled(LogRecord.Commit commit) {
        unsettled.remove(commit);
    }

    /** What earlier leaders have handed over; it may be in the log all the same. */
    List<LogRecord.Commit> takeLost() {
        List<LogRecord.Commit> lost = List.copyOf(unsettled);
        unsettled.clear();
        return lost;
    }
}
