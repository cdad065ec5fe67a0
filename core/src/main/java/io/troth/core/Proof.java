package io.troth.core;

import java.util.Arrays;

/**
 * Up to 64 opaque bytes that come with a YES vote, by which the database can later tell the branch's fate
 * (protocol 7.1). Only the agent's database driver reads them; everyone else keeps and forwards them.
 */
public final class Proof {

    /** The largest proof that is accepted, in bytes. */
    public static final int BYTES_MAX = 64;

    private final byte[] bytes;

    private Proof(byte[] bytes) {
        this.bytes = bytes;
    }

    /**
     * Copies the bytes.
     *
     * @throws IllegalArgumentException when there are none or more than {@link #BYTES_MAX}
     */
    public static Proof of(byte[] bytes) {
        if (bytes.length == 0 || bytes.length > BYTES_MAX) {
            throw new IllegalArgumentException("a proof has 1 to " + BYTES_MAX + " bytes, found " + bytes.length);
        }
        return new Proof(bytes.clone());
    }

    /** A copy of the bytes. */
    public byte[] toByteArray() {
        return bytes.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Proof that && Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
        return "Proof[" + bytes.length + " bytes]";
    }
}
