package io.troth.agent.xa;

/**
 * How a branch begins at the database.
 *
 * @param remainingMillis what is left of the transaction's timeout; the database's own backstop timeouts are set a
 *     little above it (protocol 5.7 is the agent's duty, the database only helps when the agent cannot)
 * @param isolation a constant of {@link java.sql.Connection}, or {@link #DEFAULT_ISOLATION}
 */
public record BranchStart(long remainingMillis, int isolation) {

    /** The isolation level that the database gives to a transaction that asks for none. */
    public static final int DEFAULT_ISOLATION = 0;

    public BranchStart {
        if (remainingMillis < 0) {
            throw new IllegalArgumentException("remaining time must not be negative, was " + remainingMillis);
        }
    }
}
