package io.troth.core.coordinator;

import io.troth.core.GlobalTxId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A decision log in memory that can lose what is not durable. */
final class SimulatedLog {

    private final List<LogEntry> durable = new ArrayList<>();
    /** Handed over; the first {@link #durableNotApplied} of them are durable. */
    private final List<LogEntry> handed = new ArrayList<>();

    private int durableNotApplied;

    void append(long epochNumber, LogRecord record, boolean forced) {
        boolean mayBeLazy = record instanceof LogRecord.End || record instanceof LogRecord.Horizon;
        if (!forced && !mayBeLazy) {
            throw new AssertionError("the log takes no lazy " + record);
        }
        handed.add(new LogEntry(epochNumber, record));
    }

    /** An entry that was written by someone else, such as the restore command. */
    void plant(LogEntry entry) {
        durable.add(entry);
    }

    boolean hasHanded() {
        return !handed.isEmpty();
    }

    /** Makes durable all that was handed over, and says nothing. */
    void flush() {
        durableNotApplied = handed.size();
    }

    /** Makes the next entry durable and hands it out to be applied. */
    LogEntry next() {
        LogEntry entry = handed.remove(0);
        durableNotApplied = Math.max(0, durableNotApplied - 1);
        durable.add(entry);
        return entry;
    }

    /** The process dies: what was only handed over is lost. */
    void crash() {
        durable.addAll(handed.subList(0, durableNotApplied));
        handed.clear();
        durableNotApplied = 0;
    }

    /** What a new leader is given: everything but ENDs and the COMMITs that have one. */
    List<LogEntry> recovered() {
        Set<GlobalTxId> ended = new HashSet<>();
        for (LogEntry entry : durable) {
            if (entry.record() instanceof LogRecord.End end) {
                ended.add(end.tx());
            }
        }
        List<LogEntry> kept = new ArrayList<>();
        for (LogEntry entry : durable) {
            boolean over = entry.record() instanceof LogRecord.Commit commit && ended.contains(commit.tx());
            if (!over && !(entry.record() instanceof LogRecord.End)) {
                kept.add(entry);
            }
        }
        return kept;
    }

    LogRecord.@Nullable Commit find(GlobalTxId tx) {
        for (LogEntry entry : durable) {
            if (entry.record() instanceof LogRecord.Commit commit && commit.tx().equals(tx)) {
                return commit;
            }
        }
        return null;
    }

    List<LogEntry> entries() {
        return List.copyOf(durable);
    }

    /** Deletes ended COMMITs up to the horizon, and their ENDs. */
    void purge(LogRecord.Horizon horizon) {
        Set<GlobalTxId> ended = new HashSet<>();
        for (LogEntry entry : durable) {
            if (entry.record() instanceof LogRecord.End end
                    && EpochTable.isAtOrBelow(end.tx().epoch(), end.tx().session(), horizon)) {
                ended.add(end.tx());
            }
        }
        durable.removeIf(entry -> (entry.record() instanceof LogRecord.Commit commit && ended.contains(commit.tx()))
                || (entry.record() instanceof LogRecord.End end && ended.contains(end.tx())));
    }
}
