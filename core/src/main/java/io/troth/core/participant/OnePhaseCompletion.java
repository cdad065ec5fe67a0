package io.troth.core.participant;

import io.troth.core.Reason;
import io.troth.core.coordinator.OnePhaseFate;
import org.jspecify.annotations.Nullable;

/**
 * How a commit in one phase ended at the database (protocol 8.1).
 *
 * @param fate never {@link OnePhaseFate#NOT_KNOWN}
 * @param reason with {@code ROLLED_BACK} and {@code LOST} only
 */
public record OnePhaseCompletion(
        OnePhaseFate fate, @Nullable Reason reason) {

    public OnePhaseCompletion {
        if (fate == OnePhaseFate.NOT_KNOWN) {
            throw new IllegalArgumentException("the database was asked to commit: it knows the branch");
        }
    }

    public static OnePhaseCompletion committed() {
        return new OnePhaseCompletion(OnePhaseFate.COMMITTED, null);
    }

    /** The branch wrote nothing, and the database has committed it. */
    public static OnePhaseCompletion readOnly() {
        return new OnePhaseCompletion(OnePhaseFate.READ_ONLY, null);
    }

    /** Certain: the database said so, or no commit was ever sent to it. */
    public static OnePhaseCompletion rolledBack(Reason reason) {
        return new OnePhaseCompletion(OnePhaseFate.ROLLED_BACK, reason);
    }

    /** The connection was lost after the commit was sent. */
    public static OnePhaseCompletion lost(Reason reason) {
        return new OnePhaseCompletion(OnePhaseFate.LOST, reason);
    }
}
