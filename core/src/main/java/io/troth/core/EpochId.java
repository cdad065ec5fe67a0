package io.troth.core;

/**
 * One leadership of a coordinator shard: a number that only grows, and the 64 random bits of the {@code EPOCH} record
 * that opened it. Both together name the epoch: an epoch number that comes back after a restore or from a cloned disk
 * has another nonce and therefore is another epoch (protocol 2 and 3).
 *
 * @param number counted up by one at every start of a leader; the first epoch is 1
 * @param nonce fresh from a secure random source for every {@code EPOCH} record
 */
public record EpochId(long number, long nonce) implements Comparable<EpochId> {

    public EpochId {
        if (number < 1) {
            throw new IllegalArgumentException("epoch number must be at least 1, was " + number);
        }
    }

    /**
     * Written out, as that of every id is: ids are compared at each step, and what the compiler makes of a record is a chain
     * of method handles too deep to be inlined.
     */
    @Override
    public int hashCode() {
        return Long.hashCode(31 * number + nonce);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof EpochId that && number == that.number && nonce == that.nonce;
    }

    /** Orders by number, then by nonce (unsigned) so that the order is total; only the number has a meaning in time. */
    @Override
    public int compareTo(EpochId other) {
        int byNumber = Long.compare(number, other.number);
        return byNumber != 0 ? byNumber : Long.compareUnsigned(nonce, other.nonce);
    }

    /** {@code number.nonce} with the nonce as 16 hexadecimal digits. */
    @Override
    public String toString() {
        return number + "." + Hex.of(nonce);
    }
}
