package io.troth.core.coordinator;

import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Vote;

/**
 * A machine whose state a test can damage, as a bug or a flipped bit would. It is in the core's package because no
 * production code may do this.
 */
public final class CorruptibleLeader {

    private final Leader leader;
    private final CoordinatorStateMachine machine;

    public CorruptibleLeader(CoordinatorLimits limits) {
        leader = new Leader(0, limits);
        machine = new CoordinatorStateMachine(leader);
    }

    public CoordinatorStateMachine machine() {
        return machine;
    }

    /** T is in another state than its messages and records say. */
    public void setState(GlobalTxId tx, TransactionState state) {
        open(tx).state = state;
    }

    /** The first branch has voted otherwise than it did. */
    public void setFirstVote(GlobalTxId tx, Vote vote) {
        open(tx).branches.get(0).vote = vote;
    }

    /** The applied COMMIT is forgotten. */
    public void forgetCommit(GlobalTxId tx) {
        leader.committed.remove(tx);
    }

    /** A COMMIT that no log holds. */
    public void inventCommit(GlobalTxId tx) {
        leader.committed.put(tx, new CommittedTransaction(tx));
    }

    /** T has a kept result although it may be open. */
    public void inventEnd(GlobalTxId tx) {
        leader.sessions
                .byNumber
                .get(tx.session())
                .ended
                .put(tx.sequence(), new EndedTransaction(Outcome.ROLLED_BACK, null, null, null, false));
    }

    private GlobalTransaction open(GlobalTxId tx) {
        GlobalTransaction open = leader.open(tx);
        if (open == null) {
            throw new IllegalArgumentException(tx + " is not open");
        }
        return open;
    }
}
