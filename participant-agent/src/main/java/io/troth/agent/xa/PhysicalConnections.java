package io.troth.agent.xa;

import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** A source of physical connections, without the parts of a DataSource that mean nothing for one. */
abstract class PhysicalConnections implements DataSource {

    /** Opens one, and lets none stay open when it throws. */
    abstract Connection open() throws SQLException;

    /** Whatever comes out of the application's source is a failure that a pool tells on. */
    @Override
    public Connection getConnection() throws SQLException {
        try {
            return open();
        } catch (RuntimeException | Error e) {
            throw new SQLException("the driver threw " + e, "HY000", e);
        }
    }

    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        throw new SQLException("all branches of a resource use one role", "0A000");
    }

    /** Closes what cannot be used; what the driver says to that is of no use either. */
    static void close(AutoCloseable unusable, Throwable because) {
        try {
            unusable.close();
        } catch (Exception | Error e) {
            because.addSuppressed(e);
        }
    }

    @Override
    public @Nullable PrintWriter getLogWriter() {
        return null;
    }

    @Override
    public void setLogWriter(PrintWriter out) {
        // Nothing is written.
    }

    @Override
    public void setLoginTimeout(int seconds) {
        // The pool would set its own wait; the limit belongs to the source that the application configured.
    }

    /** Only the pool asks, at its end: how long it waits for the thread that opens connections, before it warns. */
    @Override
    public int getLoginTimeout() {
        return 1;
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        throw new SQLFeatureNotSupportedException("no java.util.logging here");
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        if (type.isInstance(this)) {
            return type.cast(this);
        }
        throw new SQLException("not a " + type.getName(), "0A000");
    }

    @Override
    public boolean isWrapperFor(Class<?> type) {
        return type.isInstance(this);
    }
}
