package io.troth.coordinator.log;

/**
 * How far the store of a member has come, kept in the store itself and written with every entry.
 *
 * <p>The epoch of a leader is {@code epochBase} + its term. The base grows when a DISTRUST names an epoch that the terms
 * have not reached, for the leaders after the one that appended it. A store that a cluster is founded on begins with the
 * epochs of whoever had it before.
 *
 * @param position the last entry that was applied
 * @param epochBase what a later leader adds to its term
 * @param epochTerm the term in which the last EPOCH was applied, 0 for none
 */
public record ReplicatedState(Position position, long epochBase, long epochTerm) {

    /** Nothing was applied. */
    public static final ReplicatedState START = new ReplicatedState(Position.START, 0, 0);

    /** Of a store that a cluster is founded on; its leaders take epochs above this one. */
    public static ReplicatedState founded(long highestEpoch) {
        return new ReplicatedState(Position.FOUNDED, Math.max(0, highestEpoch - Position.FOUNDED.term()), 0);
    }

    /** The same at another place. */
    public ReplicatedState at(Position other) {
        return new ReplicatedState(other, epochBase, epochTerm);
    }

    /** The same after the EPOCH of this term. */
    public ReplicatedState ledInTerm(long term) {
        return new ReplicatedState(position, epochBase, term);
    }

    /** The same after a DISTRUST that was appended in this term. */
    public ReplicatedState distrusting(long epochNumber, long term) {
        return new ReplicatedState(position, Math.max(epochBase, epochNumber - term), epochTerm);
    }
}
