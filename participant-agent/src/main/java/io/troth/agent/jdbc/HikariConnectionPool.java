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

/** HikariCP behind our interface; see docs/adr/0006. */
final class HikariConnectionPool implements ConnectionPool {

    private static final long VALIDATION_MILLIS = 5_000;

    private final String name;
    private final HikariPool pool;
    private final int sizeMax;

    HikariConnectionPool(String name, DataSource source, int sizeMax, int idleMin, ThreadFactory threads) {
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
        try {
            return pool.getConnection(Math.max(1, waitMillis));
        } catch (SQLException e) {
            PoolStats now = stats();
            String why =
                    "no connection of pool " + name + " within " + waitMillis + " ms, " + now + lastRefusal(e, now);
            throw SqlErrors.of(new Reason(ErrorCode.DATABASE_UNAVAILABLE, why), e);
        }
    }

    /** What the database said to the last attempt to connect, when a connection more would have been allowed. */
    private static String lastRefusal(SQLException timedOut, PoolStats now) {
        boolean full = now.active() >= now.sizeMax();
        return !full && timedOut.getCause() instanceof SQLException refused
                ? ", SQLState " + refused.getSQLState() + ": " + refused.getMessage()
                : "";
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
        try {
            pool.shutdown();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
