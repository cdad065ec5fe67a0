package io.troth.agent.jdbc;

/**
 * One resource at one moment, for metrics.
 *
 * @param branches the pool of branches and of local work
 * @param finishers the pool that recovery has to itself
 */
public record ResourceStats(PoolStats branches, PoolStats finishers) {}
