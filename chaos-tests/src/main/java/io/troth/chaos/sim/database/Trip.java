package io.troth.chaos.sim.database;

import java.util.List;

/** What a round trip is for, and how its faults are counted: before the server heard, after it did, and long after. */
enum Trip {
    STATEMENT(
            DatabaseFault.CONNECTION_LOST_IN_STATEMENT,
            DatabaseFault.CONNECTION_LOST_IN_STATEMENT,
            DatabaseFault.CONNECTION_LOST_IN_STATEMENT),
    PREPARE(
            DatabaseFault.CONNECTION_LOST_BEFORE_PREPARE,
            DatabaseFault.REPLY_OF_PREPARE_LOST,
            DatabaseFault.PREPARE_COMPLETED_AFTER_ITS_CONNECTION_DIED),
    COMMIT(
            DatabaseFault.CONNECTION_LOST_BEFORE_COMMIT,
            DatabaseFault.REPLY_OF_COMMIT_LOST,
            DatabaseFault.COMMIT_COMPLETED_AFTER_ITS_CONNECTION_DIED),
    PHASE_TWO(
            DatabaseFault.CONNECTION_LOST_BEFORE_PHASE_TWO,
            DatabaseFault.REPLY_OF_PHASE_TWO_LOST,
            DatabaseFault.PHASE_TWO_COMPLETED_AFTER_ITS_CONNECTION_DIED),
    OTHER(
            DatabaseFault.CONNECTION_LOST_OTHERWISE,
            DatabaseFault.CONNECTION_LOST_OTHERWISE,
            DatabaseFault.CONNECTION_LOST_OTHERWISE);

    final DatabaseFault before;
    final DatabaseFault after;
    final DatabaseFault later;

    Trip(DatabaseFault before, DatabaseFault after, DatabaseFault later) {
        this.before = before;
        this.after = after;
        this.later = later;
    }

    List<DatabaseFault> faults() {
        return before == after ? List.of(before) : List.of(before, after, later);
    }
}
