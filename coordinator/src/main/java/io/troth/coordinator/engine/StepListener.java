package io.troth.coordinator.engine;

import io.troth.core.GlobalTxId;

/**
 * Hears when a transaction reaches a point at which a crash is interesting. A listener may block: it then holds the
 * whole engine, as a crash at that point would. Called on the engine thread. No static switch, no system property: who
 * wants to hear passes a listener to the engine, and production passes {@link #NONE}.
 */
@FunctionalInterface
public interface StepListener {

    /** Hears and does nothing: what production uses. */
    StepListener NONE = (point, tx) -> {};

    /** The points: before and after each force and each send, in the order of a transaction's life. */
    enum Point {
        /** The client asked for commit with two or more branches; no agent has been asked to prepare. */
        BEFORE_SEND_PREPARE,
        /** Prepare has left to every branch. */
        AFTER_SEND_PREPARE,
        /** The last vote is in; nothing was handed to the log. */
        BEFORE_APPEND_COMMIT,
        /** COMMIT was handed to the log; it may or may not be durable. */
        AFTER_APPEND_COMMIT,
        /** COMMIT is durable and applied; nobody has heard of it. */
        AFTER_COMMIT_DURABLE,
        /** Commit has left to every branch that voted YES and whose agent is connected; again after each retry. */
        AFTER_SEND_COMMIT,
        /** Every branch is done; END was not handed to the log. */
        BEFORE_APPEND_END,
        /** END was handed to the log. */
        AFTER_APPEND_END,
        /** The only branch is to commit by itself; it has not been told. */
        BEFORE_SEND_ONE_PHASE,
        /** The only branch was told to commit by itself. */
        AFTER_SEND_ONE_PHASE,
        /** Rollback has been decided, and there are branches to tell; nobody has heard of it. */
        BEFORE_SEND_ROLLBACK,
        /** Rollback has left to every branch that needs it. */
        AFTER_SEND_ROLLBACK,
        /** The outcome is known; its client has not heard of it. */
        BEFORE_SEND_ANSWER,
        /** The client's answer has left. */
        AFTER_SEND_ANSWER
    }

    /** The transaction is at the point. */
    void reached(Point point, GlobalTxId tx);
}
