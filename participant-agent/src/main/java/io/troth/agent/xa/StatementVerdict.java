package io.troth.agent.xa;

/** What an SQLException of a statement means for its branch. */
public enum StatementVerdict {
    /** The branch is as it was before the statement: the statement never did anything, or not at the database. */
    UNHARMED,
    /** The branch can only be rolled back, unless a savepoint undoes the statement. */
    FAILED,
    /**
     * The same, but the driver alone has failed, after the statement had run or a part of it: the database knows of no
     * failure, so nothing that it says tells whether this one was undone.
     */
    FAILED_AT_DRIVER,
    /** The connection is gone, and the unprepared branch with it. */
    CONNECTION_LOST
}
