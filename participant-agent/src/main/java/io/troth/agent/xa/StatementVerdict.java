package io.troth.agent.xa;

/** What an SQLException of a statement means for its branch. */
public enum StatementVerdict {
    /** The branch is as it was before the statement: the statement never did anything, or not at the database. */
    UNHARMED,
    /** The branch can only be rolled back, unless a savepoint undoes the statement. */
    FAILED,
    /** The connection is gone, and the unprepared branch with it. */
    CONNECTION_LOST
}
