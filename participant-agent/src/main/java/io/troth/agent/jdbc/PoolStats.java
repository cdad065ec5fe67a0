package io.troth.agent.jdbc;

/**
 * A pool at one moment.
 *
 * @param active connections in use
 * @param idle connections that wait to be used
 * @param waiting threads that wait for a connection
 * @param sizeMax the most connections the pool opens
 */
public record PoolStats(int active, int idle, int waiting, int sizeMax) {}
