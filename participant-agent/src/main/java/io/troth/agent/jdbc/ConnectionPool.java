package io.troth.agent.jdbc;

import java.sql.Connection;
import java.sql.SQLException;

/** A bounded pool of one resource's connections. Thread-safe. */
interface ConnectionPool extends AutoCloseable {

    /**
     * Takes a connection out. It is in auto-commit mode and no transaction uses it.
     *
     * @param waitMillis how long to wait for one that works; about a second while the database refuses to connect and no
     *     connection lives that somebody could give back
     * @throws SQLException DATABASE_UNAVAILABLE when there was none in time, with the database's words when it refuses
     */
    Connection take(long waitMillis) throws SQLException;

    /** Puts a clean connection back; its open statements are closed. */
    void giveBack(Connection connection);

    /** Closes a connection instead, without waiting for the database. */
    void evict(Connection connection);

    PoolStats stats();

    /** Closes every connection, also those that are out. */
    @Override
    void close();
}
