package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.Decision;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What concerns operators: forced decisions, and prepared branches that were left alone. */
final class OperatorTable {

    /** How many branches that were left alone are listed. */
    static final int LEFT_ALONE_MAX = 10_000;

    private static final Comparator<BranchId> BRANCH_ORDER = Comparator.nullsFirst(Comparator.naturalOrder());

    /** A branch, or (branch null) a whole transaction. */
    record BranchKey(GlobalTxId tx, @Nullable BranchId branch) implements Comparable<BranchKey> {
        @Override
        @SuppressWarnings("NullAway") // The comparator takes nulls.
        public int compareTo(BranchKey other) {
            int byTx = tx.compareTo(other.tx);
            return byTx != 0 ? byTx : BRANCH_ORDER.compare(branch, other.branch);
        }
    }

    /** A prepared branch that an agent asked about and nobody may resolve. */
    record LeftAlone(String resource, StreamId stream, Outcome answer) {}

    /** A HEURISTIC that was handed to the log and not applied. */
    record Handed(LogRecord.Heuristic record, RequestId request) {}

    /** The applied HEURISTIC records above the horizon. */
    final TreeMap<BranchKey, LogRecord.Heuristic> heuristics = new TreeMap<>();

    /** Those of them that were found to be against the outcome of their transaction, which is told once. */
    final TreeSet<BranchKey> mixed = new TreeSet<>();

    final TreeMap<BranchKey, LeftAlone> leftAlone = new TreeMap<>();
    final List<Handed> handed = new ArrayList<>();

    /** The applied forced decision about a branch or (branch null) a transaction. */
    LogRecord.@Nullable Heuristic heuristic(GlobalTxId tx, @Nullable BranchId branch) {
        return heuristics.isEmpty() ? null : heuristics.get(new BranchKey(tx, branch));
    }

    /**
     * A forced decision about a branch of T that contradicts this outcome of T, or else the one that closed its COMMIT;
     * null when there is neither.
     */
    LogRecord.@Nullable Heuristic against(GlobalTxId tx, Outcome outcome) {
        boolean certain = outcome == Outcome.COMMITTED || outcome == Outcome.ROLLED_BACK;
        if (!certain || heuristics.isEmpty()) {
            return null;
        }
        Decision opposite = outcome == Outcome.COMMITTED ? Decision.ROLLBACK : Decision.COMMIT;
        LogRecord.Heuristic closed = null;
        for (LogRecord.Heuristic each :
                heuristics.tailMap(new BranchKey(tx, null), true).values()) {
            if (!each.tx().equals(tx)) {
                return closed;
            }
            if (each.branch() == null) {
                closed = each;
            } else if (each.decision() == opposite) {
                return each;
            }
        }
        return closed;
    }

    /** A forced decision about this that waits for the log; null when there is none. */
    @Nullable
    Handed handed(GlobalTxId tx, @Nullable BranchId branch) {
        BranchKey key = new BranchKey(tx, branch);
        for (Handed candidate : handed) {
            if (new BranchKey(candidate.record().tx(), candidate.record().branch()).equals(key)) {
                return candidate;
            }
        }
        return null;
    }

    void leave(GlobalTxId tx, BranchId branch, LeftAlone what) {
        BranchKey key = new BranchKey(tx, branch);
        // Over the limit the list is incomplete, nothing else: each agent asks again and again.
        if (leftAlone.size() < LEFT_ALONE_MAX || leftAlone.containsKey(key)) {
            leftAlone.put(key, what);
        }
    }

    void resolved(GlobalTxId tx, BranchId branch) {
        if (!leftAlone.isEmpty()) {
            leftAlone.remove(new BranchKey(tx, branch));
        }
    }
}
