package io.troth.chaos.sim.log;

import io.troth.chaos.sim.log.SimulatedDisk.Family;
import io.troth.coordinator.log.DamagedRecordException;
import io.troth.coordinator.log.RecordCodec;
import io.troth.coordinator.log.RecordKind;
import io.troth.coordinator.log.StoredRecord;
import io.troth.core.EpochId;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Reads the tables as recovery does, with the checks of the real reader. */
final class LogReplay {

    static final Comparator<LogRecord.Horizon> HORIZON_ORDER =
            Comparator.comparing(LogRecord.Horizon::epoch).thenComparingLong(LogRecord.Horizon::session);

    private final SimulatedDisk.Tables tables;
    private final long lastBatch;
    private final Set<EpochId> epochs = new TreeSet<>();
    private final List<LogRecord.Commit> commits = new ArrayList<>();
    private final List<LogRecord.Commit> youngest = new ArrayList<>();
    private final List<LogRecord.Heuristic> heuristics = new ArrayList<>();
    private long highestEpoch;
    private LogRecord.@Nullable Horizon horizon;

    LogReplay(SimulatedDisk.Tables tables, long lastBatch) {
        this.tables = tables;
        this.lastBatch = lastBatch;
    }

    /**
     * EPOCHs, DISTRUSTs, HORIZONs, HEURISTICs, and the COMMITs without END.
     *
     * @throws DamagedRecordException at the first record that is not what was written
     */
    void run(Consumer<LogEntry> applier) {
        for (StoredRecord stored : all(Family.EPOCH)) {
            EpochId epoch = ((LogRecord.Epoch) stored.record()).epoch();
            check(epoch.number() > highestEpoch, "epoch " + epoch + " after " + highestEpoch);
            highestEpoch = epoch.number();
            epochs.add(epoch);
            applier.accept(stored.entry());
        }
        List<StoredRecord> control = all(Family.CONTROL);
        for (RecordKind kind : List.of(RecordKind.DISTRUST, RecordKind.HORIZON, RecordKind.HEURISTIC)) {
            for (StoredRecord stored : control) {
                if (stored.kind() == kind) {
                    read(stored.record());
                    applier.accept(stored.entry());
                }
            }
        }
        for (StoredRecord stored : all(Family.OPEN)) {
            LogRecord.Commit commit = (LogRecord.Commit) stored.record();
            check(epochs.contains(commit.tx().epoch()), "no EPOCH for " + commit);
            commits.add(commit);
            if (stored.batch() == lastBatch) {
                youngest.add(commit);
            }
            applier.accept(stored.entry());
        }
    }

    private void read(LogRecord record) {
        if (record instanceof LogRecord.Distrust distrust) {
            highestEpoch = Math.max(highestEpoch, distrust.epochNumber());
        }
        if (record instanceof LogRecord.Horizon read && (horizon == null || HORIZON_ORDER.compare(read, horizon) > 0)) {
            horizon = read;
        }
        if (record instanceof LogRecord.Heuristic heuristic) {
            heuristics.add(heuristic);
        }
    }

    private List<StoredRecord> all(Family family) {
        List<StoredRecord> all = new ArrayList<>();
        tables.of(family).forEach((key, value) -> {
            StoredRecord stored = RecordCodec.decode(key, value);
            check(stored.batch() <= lastBatch, "batch " + stored.batch() + " after the last one");
            all.add(stored);
        });
        return all;
    }

    private static void check(boolean good, String what) {
        if (!good) {
            throw new DamagedRecordException(what);
        }
    }

    /** Whether this is a COMMIT of the last batch. */
    boolean isOfLastBatch(LogEntry entry) {
        return entry.record() instanceof LogRecord.Commit commit && youngest.contains(commit);
    }

    long highestEpoch() {
        return highestEpoch;
    }

    LogRecord.@Nullable Horizon horizon() {
        return horizon;
    }

    /** The COMMITs without END. */
    List<LogRecord.Commit> commits() {
        return commits;
    }

    /** What was decided by force. */
    List<LogRecord.Heuristic> heuristics() {
        return heuristics;
    }
}
