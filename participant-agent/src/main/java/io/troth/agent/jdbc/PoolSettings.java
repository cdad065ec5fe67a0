package io.troth.agent.jdbc;

/**
 * How many connections a resource uses, and how long one waits.
 *
 * @param branches the most connections for branches and local work together
 * @param finishers the most connections that only recovery uses: phase 2, lists of prepared branches, fates. They are
 *     apart so that open branches, however many, never keep a prepared one from its end
 * @param idleMin how many connections of each pool stay open without work
 * @param waitMillis how long local work and recovery wait for a connection; a branch waits no longer than its transaction
 *     lives, and nobody longer than about a second while the database refuses to connect
 * @param hangMillis how long a prepare, commit or rollback may take before its connection is cut and its outcome counts
 *     as lost; longer than the driver's own limit for an answer
 */
public record PoolSettings(int branches, int finishers, int idleMin, long waitMillis, long hangMillis) {

    /** HikariCP does not wait shorter. */
    static final long WAIT_MILLIS_MIN = 250;

    public PoolSettings {
        if (branches < 1 || finishers < 1 || idleMin < 0 || waitMillis < WAIT_MILLIS_MIN || hangMillis < 1) {
            throw new IllegalArgumentException(
                    "a pool needs at least 1 connection for branches and 1 for recovery, and " + WAIT_MILLIS_MIN
                            + " ms to wait");
        }
    }

    /** The defaults for a pool of this size: half as many finishers, since a branch needs them half as long. */
    public static PoolSettings ofSize(int branches) {
        return new PoolSettings(branches, Math.max(2, branches / 2), 1, 10_000, 40_000);
    }
}
