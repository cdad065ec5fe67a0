package io.troth.core.participant;

/** Where one branch stands at its agent (protocol 14, agent table). */
public enum BranchState {
    /** Takes work. Exits: prepare, commit in one phase, and everything that rolls an unprepared branch back. */
    ACTIVE,
    /** The database was asked to prepare. A rollback that comes now waits for its answer. */
    PREPARING,
    /** Voted YES. Left only by the decision, whatever the time. */
    PREPARED,
    /** The prepare's answer was lost; voted NO. The list of prepared xids and the outcome settle it. */
    IN_DOUBT,
    /** The database was asked to commit the only branch of T. Left only by its answer. */
    ONE_PHASE,
    /** Unprepared and dead: the database was asked to roll it back. It can never commit any more. */
    ROLLING_BACK,
    /** Phase 2 after COMMIT: repeated until the database is done. */
    COMMITTING,
    /** The rollback of a prepared branch: repeated until the database is done. */
    ROLLING_BACK_PREPARED,
    /** Nothing is left of it here but, for a while, its kept result. */
    FINISHED
}
