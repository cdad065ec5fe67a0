package io.troth.chaos.sim.check;

import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;
import java.util.List;

/**
 * What a database knows of one branch, as nobody in the system can see it. Times are virtual, in nanoseconds.
 *
 * @param resource the database's name
 * @param state where the branch stands
 * @param ending who brought it there
 * @param touchedByRestore true when a restored backup has changed the branch's state since, or the bytes of its work
 * @param steps what its statements did, in their order; statements that failed are not among them
 * @param beganNanos when its first statement ran
 * @param deadlineNanos when its transaction's time was over, as the agent was told
 * @param preparedNanos when it was prepared; -1 when it never was
 * @param endedNanos when its locks were released; -1 when it holds them still
 */
public record BranchFacts(
        String resource,
        GlobalTxId tx,
        BranchId branch,
        State state,
        Ending ending,
        boolean touchedByRestore,
        List<Step> steps,
        long beganNanos,
        long deadlineNanos,
        long preparedNanos,
        long endedNanos) {

    /** Where a branch stands. */
    public enum State {
        ACTIVE,
        PREPARED,
        COMMITTED,
        ROLLED_BACK
    }

    /** Who ended a branch. */
    public enum Ending {
        /** Nobody yet. */
        NONE,
        /** An agent, before it was prepared or in phase 2. */
        AGENT,
        /** The database, with the session or the server. */
        DATABASE,
        /** Somebody at the database's own console, when it was prepared. */
        BY_HAND,
        /** SQL text inside the branch. */
        BYPASSED,
        /** An agent in phase 2, as an operator had decided by force. */
        BY_FORCE
    }

    public BranchFacts {
        steps = List.copyOf(steps);
    }

    /** Whether anything of it can be in the rows. */
    public boolean wrote() {
        return steps.stream().anyMatch(Step::writes);
    }

    /** Whether its end was not the protocol's doing, so that nobody can vouch for it. */
    public boolean isExcused() {
        return touchedByRestore || ending == Ending.BY_HAND || ending == Ending.BY_FORCE;
    }

    /** The same, when its end is that of an operator's. */
    public BranchFacts endedByForce() {
        return new BranchFacts(
                resource,
                tx,
                branch,
                state,
                Ending.BY_FORCE,
                touchedByRestore,
                steps,
                beganNanos,
                deadlineNanos,
                preparedNanos,
                endedNanos);
    }
}
