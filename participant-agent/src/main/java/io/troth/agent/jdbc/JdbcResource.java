package io.troth.agent.jdbc;

import io.troth.agent.ResourceOptions;
import io.troth.agent.engine.BranchDatabase;
import io.troth.agent.engine.BranchWorkspace;
import io.troth.agent.xa.PostgresDriver;
import io.troth.agent.xa.ResourceDriver;
import io.troth.agent.xa.ResourceDrivers;
import io.troth.agent.xa.ResourceUnsuitableException;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import java.sql.SQLException;
import java.util.concurrent.ThreadFactory;
import javax.sql.CommonDataSource;
import javax.sql.DataSource;
import javax.sql.XADataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.ds.common.BaseDataSource;

/** One resource, opened and found fit: its database for the engine, and its data source for applications. */
public final class JdbcResource implements AutoCloseable {

    /** How much longer than the driver's own limit an answer may take before its connection is cut. */
    private static final long HANG_MARGIN_MILLIS = 10_000;

    /** The class of SQLStates such as "too many connections". */
    private static final String INSUFFICIENT_RESOURCES = "53";

    /** What the driver says when it gives up by itself: no password, or no TLS, where one is wanted. */
    private static final String REJECTED = "08004";

    private final JdbcBranchDatabase database;
    private final boolean openedOutsideAllowed;
    private @Nullable DataSource dataSource;

    private JdbcResource(JdbcBranchDatabase database, boolean openedOutsideAllowed) {
        this.database = database;
        this.openedOutsideAllowed = openedOutsideAllowed;
    }

    /**
     * Opens the pools, checks the database and runs the canary (protocol 10.3). Blocks.
     *
     * @param threads makes daemons
     * @throws TrothException DATABASE_UNAVAILABLE when the database does not answer, DATABASE_MISCONFIGURED when it must
     *     not take part as it is; the message says what to change
     * @throws IllegalArgumentException when the source is of a kind that the agent cannot use
     */
    public static JdbcResource open(
            String name, CommonDataSource source, ResourceOptions options, ThreadFactory threads) {
        int answerMillis = (int) options.answerTimeout().toMillis();
        ResourceDriver driver = driver(name, source, answerMillis);
        checkReachable(name, driver);
        JdbcBranchDatabase database =
                new JdbcBranchDatabase(name, driver, pools(options.poolSize(), answerMillis), threads);
        try {
            database.selfTest();
            return new JdbcResource(database, options.openedOutsideAllowed());
        } catch (SQLException e) {
            database.close();
            throw refused(name, driver, e);
        } catch (ResourceUnsuitableException e) {
            database.close();
            throw new TrothException(
                    new Reason(ErrorCode.DATABASE_MISCONFIGURED, "resource " + name + ": " + e.getMessage()), e);
        } catch (RuntimeException e) {
            database.close();
            throw e;
        }
    }

    private static PoolSettings pools(int size, int answerMillis) {
        PoolSettings defaults = PoolSettings.ofSize(size);
        return new PoolSettings(
                defaults.branches(),
                defaults.finishers(),
                defaults.idleMin(),
                defaults.waitMillis(),
                answerMillis + HANG_MARGIN_MILLIS);
    }

    /** Without the pool, which would wait and then only say that it waited. */
    private static void checkReachable(String name, ResourceDriver driver) {
        try {
            driver.physicalConnections().getConnection().close();
        } catch (SQLException e) {
            throw refused(name, driver, e);
        }
    }

    /** The moment's, or somebody has to change something: that is told by what the database said, also to a pool. */
    private static TrothException refused(String name, ResourceDriver driver, SQLException e) {
        SQLException said = e;
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException sql) {
                said = sql;
            }
        }
        String state = String.valueOf(said.getSQLState());
        boolean passing =
                !state.equals(REJECTED) && (driver.isConnectionLost(said) || state.startsWith(INSUFFICIENT_RESOURCES));
        return new TrothException(
                new Reason(
                        passing ? ErrorCode.DATABASE_UNAVAILABLE : ErrorCode.DATABASE_MISCONFIGURED,
                        "resource " + name + ": SQLState " + state + ": " + said.getMessage()),
                e);
    }

    private static ResourceDriver driver(String name, CommonDataSource source, int answerMillis) {
        boolean ownSource = source instanceof DataSource
                && !(source instanceof XADataSource)
                && !(source instanceof BaseDataSource);
        try {
            return ownSource
                    ? new PostgresDriver((DataSource) source, answerMillis)
                    : ResourceDrivers.of(source, answerMillis);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("resource " + name + ": " + e.getMessage(), e);
        }
    }

    /**
     * Unpooled connections by URL.
     *
     * @param user empty when the URL says it
     * @param password null for none
     * @throws IllegalArgumentException when there is no driver for the URL
     */
    public static CommonDataSource source(String name, String url, String user, @Nullable String password) {
        if (!url.startsWith("jdbc:postgresql:")) {
            throw new IllegalArgumentException(
                    "resource " + name
                            + ": the agent as a process knows jdbc:postgresql: URLs; embed the agent in your service for others");
        }
        PGSimpleDataSource source = new PGSimpleDataSource();
        source.setUrl(url);
        if (!user.isEmpty()) {
            source.setUser(user);
        }
        if (password != null) {
            source.setPassword(password);
        }
        return source;
    }

    /** The engine's port. */
    public BranchDatabase database() {
        return database;
    }

    /**
     * Makes the data source. Before the first use, once.
     *
     * @param connectTimeoutMillis how long a branch's start waits for a stream to its transaction's leader
     */
    public void attach(BranchWorkspace workspace, long connectTimeoutMillis) {
        dataSource = new ResourceDataSource(database, workspace, openedOutsideAllowed, connectTimeoutMillis);
    }

    /** What applications use. */
    public DataSource dataSource() {
        DataSource attached = dataSource;
        if (attached == null) {
            throw new IllegalStateException("resource " + database.resource() + " is not attached");
        }
        return attached;
    }

    /** Pools and prepared branches at this moment. */
    public ResourceStats stats() {
        return database.stats();
    }

    @Override
    public void close() {
        database.close();
    }
}
