package io.troth.core;

/**
 * The name of one branch: the {@code bqual} of its Xid (protocol 2). A branch id is never used twice, not even by the
 * same instance for the same transaction after a rollback, so it also tells which agent instance holds the branch.
 *
 * @param instance the random 64-bit id that the agent process drew when it started
 * @param counter counted up by that instance from 1
 */
public record BranchId(long instance, long counter) implements Comparable<BranchId> {

    /** Written out: branches are looked up many times in each transaction, and a record's own hash costs more. */
    @Override
    public int hashCode() {
        return Long.hashCode(31 * instance + counter);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof BranchId that && instance == that.instance && counter == that.counter;
    }

    @Override
    public int compareTo(BranchId other) {
        int byInstance = Long.compareUnsigned(instance, other.instance);
        return byInstance != 0 ? byInstance : Long.compareUnsigned(counter, other.counter);
    }

    /** Thirty-two hexadecimal digits: instance, then counter. */
    @Override
    public String toString() {
        return Hex.of(instance) + Hex.of(counter);
    }

    /**
     * Reads what {@link #toString()} writes.
     *
     * @throws IllegalArgumentException when the text is anything else
     */
    public static BranchId parse(String text) {
        if (text.length() != 2 * Hex.DIGITS_PER_LONG) {
            throw new IllegalArgumentException("a branch id has 32 hexadecimal digits, found " + text.length());
        }
        return new BranchId(
                Hex.parse(text.substring(0, Hex.DIGITS_PER_LONG)), Hex.parse(text.substring(Hex.DIGITS_PER_LONG)));
    }
}
