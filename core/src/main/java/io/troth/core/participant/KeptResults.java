package io.troth.core.participant;

import io.troth.core.BranchId;
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
     * @param fate never NOT_KNOWN
     * @param reason why it was rolled back or lost, null otherwise
     * @param proof by which the database can tell what a LOST one does not; null otherwise
     * @param sweep the number of the sweep it was kept at
     */
    record Kept(
            OnePhaseFate fate,
            @Nullable Reason reason,
            @Nullable Proof proof,
            long sweep) {}

    /** Oldest first. */
    private final Map<BranchId, Kept> results = new LinkedHashMap<>();

    private long sweep;

    int size() {
        return results.size();
    }

    void keep(BranchId branch, OnePhaseFate fate, @Nullable Reason reason, @Nullable Proof proof) {
        results.put(branch, new Kept(fate, reason, fate == OnePhaseFate.LOST ? proof : null, sweep));
    }

    /** What the database has said of a LOST one is its result from now on: one that is restored may say otherwise later. */
    void settle(BranchId branch, Fate fate) {
        Kept kept = results.get(branch);
        if (kept != null && kept.fate() == OnePhaseFate.LOST) {
            if (fate == Fate.COMMITTED) {
                results.put(branch, new Kept(OnePhaseFate.COMMITTED, null, null, kept.sweep()));
            } else if (fate == Fate.ROLLED_BACK) {
                results.put(branch, new Kept(OnePhaseFate.ROLLED_BACK, kept.reason(), null, kept.sweep()));
            }
        }
    }

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
        long base = out.isFolded() ? sweep : 0;
        out.int64(sweep - base);
        out.int32(results.size());
        results.forEach((branch, kept) -> {
            out.branch(branch);
            out.constant(kept.fate());
            out.optional(kept.reason(), out::reason);
            out.optional(kept.proof(), out::proof);
            out.int64(kept.sweep() - base);
        });
    }

    void read(StateReader in) {
        sweep = in.int64();
        for (int left = in.count(); left > 0; left--) {
            BranchId branch = in.branch();
            results.put(
                    branch,
                    new Kept(
                            in.constant(OnePhaseFate.values()),
                            in.optional(in::reason),
                            in.optional(in::proof),
                            in.int64()));
        }
    }
}
