package io.troth.chaos.sim.database;

/**
 * How a simulated server is set up.
 *
 * @param slots PostgreSQL's {@code max_prepared_transactions}
 * @param lockWaitMillis how long a statement waits for a lock where the agent does not say (all but PostgreSQL)
 * @param lowestBalance what a balance must not fall below
 * @param flushes false when a prepared or committed transaction is not durable: PostgreSQL's {@code fsync=off}
 */
public record ServerSettings(int slots, long lockWaitMillis, long lowestBalance, boolean flushes) {}
