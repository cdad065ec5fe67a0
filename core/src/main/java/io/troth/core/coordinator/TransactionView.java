package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.Vote;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What operators see of one transaction.
 *
 * @param clientName what the client called itself when it opened the session; empty when that is not known any more
 * @param branches those in memory; an ended T has none
 * @param outcome COMMITTED from the applied record on; for an ended T its kept result; else null
 */
public record TransactionView(
        GlobalTxId tx,
        TransactionState state,
        String clientName,
        List<BranchView> branches,
        @Nullable Outcome outcome,
        @Nullable Reason reason) {

    /**
     * One branch.
     *
     * @param vote null when it has not voted
     * @param done phase 2 has ended at it
     */
    public record BranchView(
            BranchId branch, String resource, @Nullable Vote vote, boolean done) {}

    public TransactionView {
        branches = List.copyOf(branches);
    }
}
