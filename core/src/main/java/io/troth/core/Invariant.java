package io.troth.core;

/**
 * What both machines assert in production, always on. A broken one stops the shard or the agent: better stopped than
 * wrong.
 */
public enum Invariant {
    /** The leader hands COMMIT to the log only for a T of its own epoch that is preparing with every vote in. */
    I1_DECIDES_OWN_FULLY_VOTED,
    /** After COMMIT was handed to the log, T never becomes rolled back. */
    I2_NEVER_BACK_AFTER_HANDING,
    /** COMMITTED is answered only with an applied record, or the one-phase word of the database. */
    I3_COMMITTED_ONLY_WITH_RECORD,
    /** ROLLED_BACK is answered only by a ready leader, for a T that has ended or can never start any more. */
    I4_ROLLED_BACK_ONLY_WHEN_CERTAIN,
    /** The branches in a COMMIT are branches of T that voted YES. */
    I5_COMMIT_SET_VOTED_YES,
    /** A sequence of a session ends at most once. */
    I6_ENDS_ONCE,
    /** Only ended transactions at or below an applied HORIZON are purged. */
    I7_PURGES_ONLY_ENDED,
    /** Epochs only grow, and a record belongs to the epoch it is applied in. */
    I8_EPOCHS_GROW,
    /** An agent votes YES only for a branch that the database has durably prepared. */
    I9_YES_ONLY_PREPARED,
    /** No statement of a branch runs from its prepare on, and a branch never moves to another connection. */
    I10_NO_STATEMENT_AFTER_PREPARE,
    /** Everything that is counted stays within its limit. */
    I11_WITHIN_LIMITS
}
