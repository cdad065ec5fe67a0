package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An applied COMMIT whose END is not applied yet, of any epoch. */
final class CommittedTransaction {

    final GlobalTxId tx;
    final List<CommittedBranch> branches = new ArrayList<>(2);
    /** The branches that are not done. */
    int undone;

    boolean endHanded;
    boolean retryRunning;
    /** Some branch was resolved against the decision, or the COMMIT was closed by an operator. */
    @Nullable
    BranchId mixed;

    CommittedTransaction(GlobalTxId tx) {
        this.tx = tx;
    }

    @Nullable
    CommittedBranch branch(BranchId id) {
        for (int i = 0; i < branches.size(); i++) {
            CommittedBranch candidate = branches.get(i);
            if (candidate.record.branch().equals(id)) {
                return candidate;
            }
        }
        return null;
    }
}
