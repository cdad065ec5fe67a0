package io.troth.core.coordinator;

/** Where a global transaction of the leader's own epoch stands (protocol 14). {@code ENDED} carries an outcome. */
public enum TransactionState {
    /** Branches may enlist; nobody has asked for commit. Exits: ONE_PHASE, PREPARING, ENDED. */
    ACTIVE,
    /** Its only branch was told to commit by itself. Never presumed rolled back. Exit: ENDED. */
    ONE_PHASE,
    /** Prepare is out; votes are coming in. Exits: COMMITTING, ENDED. */
    PREPARING,
    /** COMMIT was handed to the log and is not applied: nobody may hear anything but PENDING. Exit: COMMITTED. */
    COMMITTING,
    /** COMMIT is applied; phase 2 runs until every YES branch is done. Exit: ENDED. */
    COMMITTED,
    /** The result is kept while its sequence is at or above the session's lowest open one. */
    ENDED
}
