package io.troth.core;

/**
 * The secret of a client session: 128 random bits made with the session. It travels with T in every call and in every
 * enlist, commit and rollback; the leader refuses a message about T without it (protocol 2). Never logged.
 */
public final class SessionKey {

    private final long high;
    private final long low;

    public SessionKey(long high, long low) {
        this.high = high;
        this.low = low;
    }

    public long high() {
        return high;
    }

    public long low() {
        return low;
    }

    /** Thirty-two hexadecimal digits, for the wire only. */
    public String reveal() {
        return Hex.of(high) + Hex.of(low);
    }

    /**
     * Reads what {@link #reveal()} writes.
     *
     * @throws IllegalArgumentException when the text is anything else; the message does not repeat it
     */
    public static SessionKey parse(String text) {
        if (text.length() != 2 * Hex.DIGITS_PER_LONG) {
            throw new IllegalArgumentException("a session key has 32 hexadecimal digits, found " + text.length());
        }
        return new SessionKey(
                Hex.parse(text.substring(0, Hex.DIGITS_PER_LONG)), Hex.parse(text.substring(Hex.DIGITS_PER_LONG)));
    }

    /** Takes the same time wherever the first difference is, so that a key cannot be guessed piece by piece. */
    @Override
    public boolean equals(Object other) {
        return other instanceof SessionKey that && ((high ^ that.high) | (low ^ that.low)) == 0;
    }

    @Override
    public int hashCode() {
        return Long.hashCode(high * 31 + low);
    }

    /** Says nothing of the key. */
    @Override
    public String toString() {
        return "SessionKey[secret]";
    }
}
