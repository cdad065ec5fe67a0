package io.troth.agent.engine;

import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;

/**
 * Hears when a branch reaches a point at which a crash is interesting. A listener may block: the points before a step
 * then hold the whole engine, the others only the thread that carries the database's answer.
 */
@FunctionalInterface
public interface StepListener {

    /** Hears and does nothing: what production uses. */
    StepListener NONE = (point, tx, branch) -> {};

    /** The points, in the order of a branch's life. */
    enum Point {
        /** All checks passed; the database has not been asked. */
        BEFORE_PREPARE,
        /** The prepare is durable, and nobody knows it yet. */
        AFTER_PREPARE_BEFORE_VOTE,
        /** The YES was handed to the stream. */
        AFTER_VOTE,
        /** All checks passed; the commit of the only branch has not been sent. */
        BEFORE_ONE_PHASE,
        /** The database has answered the commit of the only branch, and nobody knows it yet. */
        AFTER_ONE_PHASE_BEFORE_RESULT,
        /** The decision is heard; the database has not been asked. */
        BEFORE_PHASE_TWO,
        /** The database has finished the prepared branch, and nobody knows it yet. */
        AFTER_PHASE_TWO_BEFORE_DONE
    }

    /** The branch is at the point. */
    void reached(Point point, GlobalTxId tx, BranchId branch);
}
