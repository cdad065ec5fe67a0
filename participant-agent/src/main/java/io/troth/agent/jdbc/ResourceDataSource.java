package io.troth.agent.jdbc;

import io.troth.agent.engine.BranchRefusedException;
import io.troth.agent.engine.BranchWorkspace;
import io.troth.client.context.CallScope;
import io.troth.core.BranchId;
import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * The {@code DataSource} that applications see. Inside a global transaction its connections are handles on the
 * transaction's branch; outside they are plain connections of the same pool. Thread-safe.
 *
 * <p>Inside, {@code commit}, {@code rollback}, {@code setAutoCommit(true)} and {@code unwrap} are refused with {@code
 * TRANSACTION_CONTROL_REFUSED}; savepoints work, and rolling back to one undoes what failed after it was set. Every
 * refusal carries the SQLState of its {@link io.troth.core.ErrorCode}, whose name begins the message.
 */
public final class ResourceDataSource implements DataSource {

    private final JdbcBranchDatabase database;
    private final BranchWorkspace workspace;
    private final boolean localUsableInTransactions;
    private final long connectTimeoutMillis;

    /**
     * A data source for a resource.
     *
     * @param localUsableInTransactions true to let connections opened outside a transaction work inside one, apart from it;
     *     else they are refused there, since such work would be committed by itself
     * @param connectTimeoutMillis how long a branch's start waits for a stream to its transaction's leader
     */
    public ResourceDataSource(
            JdbcBranchDatabase database,
            BranchWorkspace workspace,
            boolean localUsableInTransactions,
            long connectTimeoutMillis) {
        this.database = database;
        this.workspace = workspace;
        this.localUsableInTransactions = localUsableInTransactions;
        this.connectTimeoutMillis = connectTimeoutMillis;
    }

    /**
     * Joins the caller's global transaction, or gives a local connection when there is none.
     *
     * @throws SQLException with the code of {@link BranchRefusedException} when the branch takes no work, such as
     *     NO_COORDINATOR, after a wait, as {@code SQLTransientConnectionException}; DATABASE_UNAVAILABLE when no connection is free
     */
    @Override
    public Connection getConnection() throws SQLException {
        CallScope scope = CallScope.current();
        if (scope == null) {
            return LocalConnection.open(database, localUsableInTransactions);
        }
        try {
            BranchId branch = workspace.join(scope, database.resource(), connectTimeoutMillis);
            return BranchConnection.open(scope, database.session(scope, workspace, branch));
        } catch (BranchRefusedException e) {
            throw SqlErrors.of(e.reason());
        }
    }

    /** Refused: all connections of a resource use one role, since no other could finish its branches. */
    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        throw new SQLFeatureNotSupportedException("all connections of a resource use its configured role", "0A000");
    }

    @Override
    public @Nullable PrintWriter getLogWriter() {
        return null;
    }

    @Override
    public void setLogWriter(PrintWriter out) {
        // Nothing is written: logs go to SLF4J.
    }

    @Override
    public void setLoginTimeout(int seconds) throws SQLException {
        throw new SQLFeatureNotSupportedException("set it at the source that the resource was made of", "0A000");
    }

    @Override
    public int getLoginTimeout() {
        return 0;
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
        throw new SQLException("not a wrapper for " + type.getName(), "0A000");
    }

    @Override
    public boolean isWrapperFor(Class<?> type) {
        return type.isInstance(this);
    }
}
