package io.troth.chaos.sim.database;

import io.troth.chaos.sim.check.BranchFacts;
import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;

/** Hears at once what becomes of each branch at a server, which nobody in the simulated system can know. */
public interface Observer {

    /** Nobody hears anything. */
    Observer NOBODY = new Observer() {

        @Override
        public void moved(BranchFacts branch) {}

        @Override
        public void executed(GlobalTxId tx, BranchId branch, long call, long scope) {}
    };

    /** The branch is in a state in which it was not before; for the first time ACTIVE. */
    void moved(BranchFacts branch);

    /** A statement of this call has run in the branch. */
    void executed(GlobalTxId tx, BranchId branch, long call, long scope);
}
