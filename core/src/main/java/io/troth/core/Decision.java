package io.troth.core;

/** What phase 2 carries out on a prepared branch. */
public enum Decision {
    COMMIT,
    ROLLBACK
}
