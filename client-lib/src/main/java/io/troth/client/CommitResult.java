package io.troth.client;

import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;

/**
 * How a commit went well.
 *
 * @param tx the transaction
 * @param outcome {@code COMMITTED}, or {@code READ_ONLY} when nothing was written
 * @param completing true when the transaction is committed and some branch may not show its writes yet: always possible
 *     with {@link WaitFor#DECIDED}, otherwise only when a branch could not be reached within the completion limit
 */
public record CommitResult(GlobalTxId tx, Outcome outcome, boolean completing) {

    public CommitResult {
        if (outcome != Outcome.COMMITTED && outcome != Outcome.READ_ONLY) {
            throw new IllegalArgumentException("not a commit: " + outcome);
        }
    }
}
