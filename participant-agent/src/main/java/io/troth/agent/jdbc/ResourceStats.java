package io.troth.agent.jdbc;

/**
 * One resource at one moment, for metrics.
 *
 * @param branches the pool of branches and of local work
 * @param finishers the pool that recovery has to itself
 * @param prepared branches of this cluster that the last list showed as prepared, of all instances
 * @param oldestPreparedMillis how long the oldest of them has been seen by this process; 0 when there is none
 * @param otherClusterPrepared prepared branches of other Troth clusters in the last list: never touched
 */
public record ResourceStats(
        PoolStats branches, PoolStats finishers, int prepared, long oldestPreparedMillis, int otherClusterPrepared) {}
