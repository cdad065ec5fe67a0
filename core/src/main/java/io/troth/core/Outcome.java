package io.troth.core;

/**
 * What is said about a global transaction when somebody asks (protocol 9.1). {@code COMMITTED} and {@code ROLLED_BACK}
 * are final and never contradict each other; every other answer contradicts nothing.
 */
public enum Outcome {
    /** The decision is commit: every branch that voted YES is committed or will be. */
    COMMITTED,
    /** No branch of the transaction is or ever will be committed. The protocol literature says "aborted". */
    ROLLED_BACK,
    /** Every branch was read-only: the transaction left no trace. */
    READ_ONLY,
    /** Not decided yet, or decided and not yet durable: ask again. */
    PENDING,
    /** Nobody can tell. Never used where one of the certain answers is possible. */
    UNKNOWN,
    /** The transaction is older than the outcome retention: the record, if there was one, is purged. */
    FORGOTTEN,
    /** The one who was asked does not lead the epoch that could tell: ask the leader. */
    NOT_LEADER
}
