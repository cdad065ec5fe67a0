package io.troth.core.participant;

import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.coordinator.Fate;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.coordinator.StateReader;
import io.troth.core.coordinator.StateWriter;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How branches ended that finished without a decision of the leader: committed in one phase, or rolled back before they
 * were prepared (protocol 8.3). Kept for some sweeps, so that a later question gets the truth and not "not known".
 */
final class KeptResults {

    /**
     * One result.
     *
     * @param transaction the hash of T, in place of an id that would take as much room as all the rest
     * @param fate never NOT_KNOWN
     * @param reason why it was rolled back or lost, null otherwise
     * @param proof by which the database can tell what a LOST one does not; null otherwise
     * @param sweep the number of the sweep it was kept at
     */
    record Kept(
            int transaction,
            OnePhaseFate fate,
            @Nullable Reason reason,
            @Nullable Proof proof,
            int sweep) {}

    /** Oldest first. */
    private final Map<BranchId, Kept> results = new LinkedHashMap<>();

    private int sweep;

    int size() {
        return results.size();
    }

    void keep(GlobalTxId tx, BranchId branch, OnePhaseFate fate, @Nullable Reason reason, @Nullable Proof proof) {
        results.put(branch, new Kept(tx.hashCode(), fate, reason, fate == OnePhaseFate.LOST ? proof : null, sweep));
    }

    /** What the database has said of a LOST one is its result from now on: one that is restored may say otherwise later. */
    void settle(GlobalTxId tx, BranchId branch, Fate fate) {
        Kept kept = find(tx, branch);
        if (kept != null && kept.fate() == OnePhaseFate.LOST) {
            if (fate == Fate.COMMITTED) {
                results.put(branch, new Kept(kept.transaction(), OnePhaseFate.COMMITTED, null, null, kept.sweep()));
            } else if (fate == Fate.ROLLED_BACK) {
                results.put(
                        branch,
                        new Kept(kept.transaction(), OnePhaseFate.ROLLED_BACK, kept.reason(), null, kept.sweep()));
            }
        }
    }

    /**
     * That of T's branch. Where a running process was copied, two have one instance id, and the branch of this id is another
     * transaction's in each.
     */
    @Nullable
    Kept find(GlobalTxId tx, BranchId branch) {
        Kept kept = results.get(branch);
        return kept != null && kept.transaction() == tx.hashCode() ? kept : null;
    }

    /** That of a branch of this very process. */
    @Nullable
    Kept find(BranchId branch) {
        return results.get(branch);
    }

    /** Everything grows one sweep older; what has grown too old is forgotten. */
    void sweep(int keptSweeps) {
        sweep++;
        Iterator<Kept> oldest = results.values().iterator();
        while (oldest.hasNext() && oldest.next().sweep() + keptSweeps <= sweep) {
            oldest.remove();
        }
    }

    void write(StateWriter out) {
        // Folded: how many sweeps ago.
        int base = out.isFolded() ? sweep : 0;
        out.int32(sweep - base);
        out.int32(results.size());
        results.forEach((branch, kept) -> {
            out.branch(branch);
            out.int32(kept.transaction());
            out.constant(kept.fate());
            out.optional(kept.reason(), out::reason);
            out.optional(kept.proof(), out::proof);
            out.int32(kept.sweep() - base);
        });
    }

    void read(StateReader in) {
        sweep = in.int32();
        for (int left = in.count(); left > 0; left--) {
            BranchId branch = in.branch();
            results.put(
                    branch,
                    new Kept(
                            in.int32(),
                            in.constant(OnePhaseFate.values()),
                            in.optional(in::reason),
                            in.optional(in::proof),
                            in.int32()));
        }
    }
}
