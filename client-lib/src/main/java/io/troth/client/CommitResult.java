package io.troth.client;

import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import org.jspecify.annotations.Nullable;

/**
 * How a commit went well.
 *
 * @param tx the transaction
 * @param outcome {@code COMMITTED}, or {@code READ_ONLY} when nothing was written
 * @param completing true when the transaction is committed and some branch may not show its writes yet: always possible
 *     with {@link WaitFor#DECIDED}, otherwise only when a branch could not be reached within the completion limit
 * @param heuristic {@code HEURISTIC_MIXED} when somebody has settled a branch against the decision, so that the databases
 *     disagree and people must repair the data (protocol 10.6); null when the coordinator knows of none, which with
 *     {@code completing} may be too early to say
 */
public record CommitResult(
        GlobalTxId tx,
        Outcome outcome,
        boolean completing,
        @Nullable Reason heuristic) {

    public CommitResult {
        if (outcome != Outcome.COMMITTED && outcome != Outcome.READ_ONLY) {
            throw new IllegalArgumentException("not a commit: " + outcome);
        }
    }
}
