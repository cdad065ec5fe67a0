package io.troth.core.coordinator;

import io.troth.core.Outcome;

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
    NOT_KNOWN;

    /** What it is for who waits for the commit; UNKNOWN when it is not for the instance to say. */
    public Outcome outcome() {
        return switch (this) {
            case COMMITTED -> Outcome.COMMITTED;
            case READ_ONLY -> Outcome.READ_ONLY;
            case ROLLED_BACK -> Outcome.ROLLED_BACK;
            case LOST, NOT_KNOWN -> Outcome.UNKNOWN;
        };
    }
}
