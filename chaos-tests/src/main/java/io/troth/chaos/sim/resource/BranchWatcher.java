package io.troth.chaos.sim.resource;

import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;

/** Hears at once what becomes of each branch in a database, which nobody in the simulated system can know. */
public interface BranchWatcher {

    /** Where a branch stands. */
    enum State {
        ACTIVE,
        PREPARED,
        COMMITTED,
        ROLLED_BACK,
        /** It wrote nothing, and is over. */
        READ_ONLY
    }

    /** Something was done to a branch of T behind everybody's back: nobody can vouch for T any more. */
    void excused(GlobalTxId tx);

    /** The branch has come to this state; for the first time ACTIVE. */
    void moved(String resource, GlobalTxId tx, BranchId branch, State state);

    /** A statement of this call has run in the branch; {@code scope} tells one execution of the call from another. */
    void executed(GlobalTxId tx, BranchId branch, long call, long scope);
}
