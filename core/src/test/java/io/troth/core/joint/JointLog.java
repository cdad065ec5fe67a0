package io.troth.core.joint;

import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The decision log as protocol 3 promises it, and not more: what the leader has handed over becomes durable later, or,
 * when another epoch begins, is kept or lost from some entry on; and a lost COMMIT may be proposed again in a later epoch.
 */
final class JointLog {

    private final List<LogEntry> durable = new ArrayList<>();
    /** Handed over by the current leader and not durable. */
    private final Deque<LogEntry> handed = new ArrayDeque<>();

    private final List<LogRecord.Commit> lost = new ArrayList<>();
    private long batches;
    private long epoch;
    private boolean epochDurable;
    private final Ledger ledger;

    JointLog(Ledger ledger) {
        this.ledger = ledger;
    }

    long batches() {
        return batches;
    }

    /** A new leader begins: {@code kept} of what the last one handed over turns out to be durable. */
    void begin(long newEpoch, int kept) {
        for (int i = 0; i < kept; i++) {
            makeDurable(handed.remove());
        }
        for (LogEntry entry : handed) {
            if (entry.record() instanceof LogRecord.Commit commit) {
                lost.add(commit);
            }
        }
        handed.clear();
        epoch = newEpoch;
        epochDurable = false;
    }

    int handed() {
        return handed.size();
    }

    void append(long epochNumber, LogRecord record) {
        if (epochNumber == epoch) {
            handed.add(new LogEntry(epochNumber, record));
        }
    }

    LogEntry advance() {
        LogEntry entry = handed.remove();
        makeDurable(entry);
        epochDurable |= entry.record() instanceof LogRecord.Epoch;
        return entry;
    }

    private void makeDurable(LogEntry entry) {
        durable.add(entry);
        batches++;
        if (entry.record() instanceof LogRecord.Commit commit
                && commit.tx().epoch().number() == entry.epochNumber()) {
            ledger.committed(commit);
        }
    }

    boolean mayProposeAgain() {
        return !lost.isEmpty() && epochDurable;
    }

    /** A COMMIT that was lost, proposed once more in the current epoch. */
    LogEntry proposeAgain() {
        LogEntry entry = new LogEntry(epoch, lost.remove(0));
        makeDurable(entry);
        return entry;
    }

    /** What a new leader is given: everything but ENDs and the COMMITs that have one. */
    List<LogEntry> recovered() {
        Set<GlobalTxId> ended = ended();
        List<LogEntry> all = new ArrayList<>();
        for (LogEntry entry : durable) {
            boolean over = entry.record() instanceof LogRecord.Commit commit && ended.contains(commit.tx());
            if (!over && !(entry.record() instanceof LogRecord.End)) {
                all.add(entry);
            }
        }
        return all;
    }

    private Set<GlobalTxId> ended() {
        Set<GlobalTxId> ended = new HashSet<>();
        for (LogEntry entry : durable) {
            if (entry.record() instanceof LogRecord.End end) {
                ended.add(end.tx());
            }
        }
        return ended;
    }

    /** The applied COMMIT; one of a wrong epoch was never applied. */
    LogRecord.@Nullable Commit find(GlobalTxId tx) {
        for (LogEntry entry : durable) {
            if (entry.record() instanceof LogRecord.Commit commit
                    && commit.tx().equals(tx)
                    && entry.epochNumber() == tx.epoch().number()) {
                return commit;
            }
        }
        return null;
    }

    /** Deletes what the leader says may go: ended or not is for the core to know. */
    void purge(LogRecord.Horizon horizon) {
        Set<GlobalTxId> ended = ended();
        durable.removeIf(entry -> entry.record() instanceof LogRecord.Commit commit
                && ended.contains(commit.tx())
                && isAtOrBelow(commit.tx(), horizon)
                && ledger.purged(commit.tx()));
    }

    private static boolean isAtOrBelow(GlobalTxId tx, LogRecord.Horizon horizon) {
        int byEpoch = Long.compare(tx.epoch().number(), horizon.epoch().number());
        return byEpoch < 0 || (byEpoch == 0 && tx.session() <= horizon.session());
    }
}
