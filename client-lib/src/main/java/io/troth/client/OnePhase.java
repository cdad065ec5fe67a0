package io.troth.client;

/** Whether a transaction with a single branch may commit it directly (protocol 8). */
public enum OnePhase {
    /** Faster; when the database connection breaks during that commit, the outcome can be unknown for ever. */
    ALLOWED,
    /** The branch is prepared like any other: one more forced write in the database and one in the log. */
    NEVER
}
