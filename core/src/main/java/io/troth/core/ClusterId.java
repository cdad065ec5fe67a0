package io.troth.core;

/**
 * The random identity of a cluster, made once when the cluster is created. It is part of every gtrid, so that a
 * coordinator and an agent can tell their own Xids from those of any other cluster (protocol 2).
 */
public record ClusterId(long value) {

    /** Sixteen hexadecimal digits. */
    @Override
    public String toString() {
        return Hex.of(value);
    }

    /**
     * Reads what {@link #toString()} writes.
     *
     * @throws IllegalArgumentException when the text is anything else
     */
    public static ClusterId parse(String text) {
        return new ClusterId(Hex.parse(text));
    }
}
