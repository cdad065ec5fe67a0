package io.troth.agent.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.function.Predicate;
import org.slf4j.LoggerFactory;

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

    /**
     * Puts a connection back when it may be used again, and closes it otherwise. Throws nothing that comes out of the
     * driver: somebody waits for the end of the work that used the connection.
     *
     * @param whole false when it must be closed
     * @param clean asked of a whole one
     */
    default void release(Connection connection, boolean whole, Predicate<Connection> clean) {
        try {
            if (whole && clean.test(connection)) {
                giveBack(connection);
                return;
            }
        } catch (RuntimeException | Error e) {
            LoggerFactory.getLogger(ConnectionPool.class).error("a driver threw; its connection is closed", e);
        }
        evict(connection);
    }

    PoolStats stats();

    /** Closes every connection, also those that are out. */
    @Override
    void close();
}
