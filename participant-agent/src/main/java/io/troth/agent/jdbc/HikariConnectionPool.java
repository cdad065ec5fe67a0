package io.troth.agent.jdbc;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.SQLExceptionOverride;
import com.zaxxer.hikari.pool.HikariPool;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.ThreadFactory;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** HikariCP behind our interface; see docs/adr/0006. */
final class HikariConnectionPool implements ConnectionPool {

    private static final long VALIDATION_MILLIS = 5_000;

    /** How long one waits while the database refuses every attempt to connect. */
    private static final long REFUSED_WAIT_MILLIS = 1_000;

    private final String name;
    private final HikariPool pool;
    private final int sizeMax;
    private final long refusedWaitMillis;
    private volatile boolean closed;

    HikariConnectionPool(String name, DataSource source, int sizeMax, int idleMin, ThreadFactory threads) {
        this(name, source, sizeMax, idleMin, threads, REFUSED_WAIT_MILLIS);
    }

    HikariConnectionPool(
            String name, DataSource source, int sizeMax, int idleMin, ThreadFactory threads, long refusedWaitMillis) {
        HikariConfig config = new HikariConfig();
        config.setPoolName(name);
        config.setDataSource(source);
        config.setMaximumPoolSize(sizeMax);
        config.setMinimumIdle(Math.min(idleMin, sizeMax));
        config.setValidationTimeout(VALIDATION_MILLIS);
        config.setThreadFactory(threads);
        // A database that is down when the agent starts is the self-test's to report.
        config.setInitializationFailTimeout(-1);
        config.setExceptionOverride(new NoEviction());
        config.validate();
        this.name = name;
        this.sizeMax = sizeMax;
        this.refusedWaitMillis = refusedWaitMillis;
        this.pool = new HikariPool(config);
    }

    /** Whether a connection is fit for reuse is asked of its driver; an SQLState alone would end healthy branches. */
    private static final class NoEviction implements SQLExceptionOverride {
        @java.lang.Override
        public SQLExceptionOverride.Override adjudicate(SQLException failure) {
            return SQLExceptionOverride.Override.DO_NOT_EVICT;
        }
    }

    @Override
    public Connection take(long waitMillis) throws SQLException {
        if (!Thread.interrupted()) {
            return waitFor(waitMillis);
        }
        try {
            // One that has waited is asked whether it lives, and a virtual thread's interrupt would close them one by
            // one.
            return waitFor(0);
        } finally {
            Thread.currentThread().interrupt();
        }
    }

    private Connection waitFor(long waitMillis) throws SQLException {
        throwIfClosed();
        long left = Math.max(1, waitMillis);
        long now = Math.min(left, refusedWaitMillis);
        while (true) {
            try {
                return pool.getConnection(now);
            } catch (SQLException e) {
                throwIfClosed();
                left -= now;
                SQLException refused = refusal(e);
                boolean interrupted = Thread.currentThread().isInterrupted();
                if (left <= 0 || refused != null || interrupted) {
                    String waited = interrupted
                            ? ": interrupted while waiting for one"
                            : " within " + (waitMillis - left) + " ms";
                    String why = "no connection of pool " + name + waited + ", " + stats()
                            + (refused == null
                                    ? ""
                                    : ", SQLState " + refused.getSQLState() + ": " + refused.getMessage());
                    throw SqlErrors.of(new Reason(ErrorCode.DATABASE_UNAVAILABLE, why), e);
                }
                // Each wait begins at the end of the queue, so that nobody's turn would come while others come too.
                // Where all connections are out only who gives one back can help, and the rest is waited for at
                // once.
                now = pool.getActiveConnections() >= sizeMax ? left : Math.min(left, refusedWaitMillis);
            }
        }
    }

    /** Hikari's pool itself lets whoever comes later wait for nothing. */
    private void throwIfClosed() throws SQLException {
        if (closed) {
            throw SqlErrors.of(new Reason(ErrorCode.DRAINING, "pool " + name + " is closed, its agent has stopped"));
        }
    }

    /**
     * What the database said to the last attempt to connect, when waiting is of no use: no connection lives that somebody
     * could give back. Null otherwise.
     */
    private @Nullable SQLException refusal(SQLException timedOut) {
        return pool.getTotalConnections() == 0 && timedOut.getCause() instanceof SQLException refused ? refused : null;
    }

    @Override
    public void giveBack(Connection connection) {
        try {
            connection.close();
        } catch (SQLException e) {
            pool.evictConnection(connection);
        }
    }

    @Override
    public void evict(Connection connection) {
        pool.evictConnection(connection);
    }

    @Override
    public PoolStats stats() {
        return new PoolStats(
                pool.getActiveConnections(), pool.getIdleConnections(), pool.getThreadsAwaitingConnection(), sizeMax);
    }

    @Override
    public void close() {
        closed = true;
        try {
            pool.shutdown();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
