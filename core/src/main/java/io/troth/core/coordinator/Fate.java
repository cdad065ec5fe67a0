package io.troth.core.coordinator;

/** What a database says about the proof of a branch. */
public enum Fate {
    /** Committed, and nothing can have been confused: same server, same life. */
    COMMITTED,
    /** Certainly never committed. */
    ROLLED_BACK,
    /** Ask again. */
    IN_PROGRESS,
    /** The database can not tell. */
    UNKNOWN
}
