package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One open T of the leader's own epoch. A plain structure: {@link Transactions}, {@link Endings} and {@link PhaseTwo}
 * carry out the transitions of protocol 14 on it. An ended T is only an {@link EndedTransaction}.
 */
final class GlobalTransaction {

    /** How many repeated Commits wait at the same time for one T. */
    static final int WAITERS_MAX = 8;

    final GlobalTxId tx;
    final ClientSession session;
    final List<TransactionBranch> branches = new ArrayList<>(2);
    final List<Waiter> waiters = new ArrayList<>(1);

    TransactionState state = TransactionState.ACTIVE;
    /** What the first Commit said; null while T is ACTIVE. */
    @Nullable
    CommitContent content;

    /** The first Commit brought the votes: its client tells its agents how T ended. */
    boolean votedInPlace;

    int votesMissing;
    int yesVotes;
    boolean deadlineRunning;
    boolean completionRunning;
    /** The completion limit is over: who asks now hears COMMITTED with completing. */
    boolean completionOver;

    GlobalTransaction(GlobalTxId tx, ClientSession session) {
        this.tx = tx;
        this.session = session;
    }

    /** The branch of this id, null when T has none. Linear: a T has few branches. */
    @Nullable
    TransactionBranch branch(BranchId id) {
        for (int i = 0; i < branches.size(); i++) {
            TransactionBranch candidate = branches.get(i);
            if (candidate.branch.equals(id)) {
                return candidate;
            }
        }
        return null;
    }
}
