package io.troth.core.coordinator;

/** How a one-phase commit ended at the instance that holds the branch (protocol 8.1, 8.3). */
public enum OnePhaseFate {
    /** The database committed it. */
    COMMITTED,
    /** The branch wrote nothing and is finished. */
    READ_ONLY,
    /** The database rolled it back, or the agent did before any commit was sent. */
    ROLLED_BACK,
    /** The connection was lost during the commit. */
    LOST,
    /** The instance does not know the branch (any more). */
    NOT_KNOWN
}
