package io.troth.agent.xa;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.QueryExecutorBase;
import org.postgresql.core.TransactionState;
import org.postgresql.jdbc.AutoSave;
import org.postgresql.jdbc.PreferQueryMode;

/**
 * The begin of a branch on PostgreSQL: marker and settings (protocol 10.1, 10.3). pgjdbc sends the statements of one text
 * in one message; the server runs them in order, and after a failure none of the others.
 *
 * <p>So BEGIN must be one of them. The driver's own is a message by itself: the server goes on behind it when it has failed,
 * because somebody cancelled it or its time was over, and a statement behind it would be committed alone.
 */
final class PostgresPrologue implements BranchPrologue {

    /** The database's own timeouts come after the agent's deadline and its abort of the connection 2 s later. */
    private static final long BACKSTOP_MARGIN_MILLIS = 5_000;

    private static final int START_COLUMN = 5;

    private static final String SETTINGS = "SELECT pg_catalog.set_config('troth.branch', ?, true),"
            + " pg_catalog.set_config('idle_in_transaction_session_timeout', ?, true),"
            + " pg_catalog.set_config('lock_timeout', ?, true), "
            + PostgresProbe.STRONG_SYNCHRONOUS_COMMIT + ", " + PostgresProbe.START_MICROS;

    // Nothing after the semicolon: the server must see the application's statement, and positions in it, as they are.
    private static final String PLAIN = SETTINGS + ";";

    private static final String WITH_TRANSACTION_TIMEOUT =
            SETTINGS + ", pg_catalog.set_config('transaction_timeout', ?, true);";

    private final BaseConnection connection;
    private final PostgresBranch branch;
    private final long remainingMillis;
    private final SessionTimeouts timeouts;
    private final String isolation;
    private final boolean transactionTimeout;

    /** Opens a transaction at the driver; nothing is sent yet. */
    PostgresPrologue(BaseConnection connection, PostgresBranch branch, BranchStart start, SessionTimeouts timeouts)
            throws SQLException {
        this.connection = connection;
        this.branch = branch;
        this.remainingMillis = start.remainingMillis();
        this.timeouts = timeouts;
        this.isolation = isolationClause(start.isolation());
        this.transactionTimeout = connection.haveMinimumServerVersion(170_000);
        connection.setAutoCommit(false);
    }

    /** Begins the branch in a round trip of its own, behind the driver's BEGIN: there is no work yet to be committed. */
    PostgresBranch beginAlone() throws SQLException {
        String set = isolation.isEmpty() ? "" : "SET TRANSACTION" + isolation + "; ";
        try (PreparedStatement statement = connection.prepareStatement(set + settings())) {
            bind(statement);
            statement.execute();
            if (!set.isEmpty()) {
                statement.getMoreResults();
            }
            begun(statement);
            return branch;
        }
    }

    /**
     * False where the driver does not send a text's statements in one message; undoes a failed statement by itself, and
     * would undo the marker with it; or, made to take every value in binary form, asks for that in all of a text's
     * statements by the columns of the last one; or where its BEGIN is more than that.
     */
    boolean goesWithStatement() throws SQLException {
        return connection.getPreferQueryMode() == PreferQueryMode.EXTENDED
                && connection.getAutosave() == AutoSave.NEVER
                && connection.getPrepareThreshold() >= 0
                && !connection.hintReadOnly()
                && connection.getQueryExecutor() instanceof QueryExecutorBase;
    }

    private static String isolationClause(int isolation) throws SQLException {
        return switch (isolation) {
            case BranchStart.DEFAULT_ISOLATION -> "";
            case Connection.TRANSACTION_READ_UNCOMMITTED, Connection.TRANSACTION_READ_COMMITTED ->
                " ISOLATION LEVEL READ COMMITTED";
            case Connection.TRANSACTION_REPEATABLE_READ -> " ISOLATION LEVEL REPEATABLE READ";
            case Connection.TRANSACTION_SERIALIZABLE -> " ISOLATION LEVEL SERIALIZABLE";
            default -> throw new SQLException("isolation level " + isolation + " is not supported", "0A000");
        };
    }

    @Override
    public String sql() {
        return "BEGIN" + isolation + "; " + settings();
    }

    private String settings() {
        return transactionTimeout ? WITH_TRANSACTION_TIMEOUT : PLAIN;
    }

    @Override
    public int bind(PreparedStatement statement) throws SQLException {
        long backstop = remainingMillis + BACKSTOP_MARGIN_MILLIS;
        statement.setString(1, branch.marker());
        statement.setString(2, millis(SessionTimeouts.stricter(timeouts.idle(), backstop)));
        statement.setString(3, millis(SessionTimeouts.stricter(timeouts.lock(), remainingMillis)));
        if (!transactionTimeout) {
            return 3;
        }
        statement.setString(4, millis(SessionTimeouts.stricter(timeouts.transaction(), backstop)));
        return 4;
    }

    private static String millis(long value) {
        return Math.min(Integer.MAX_VALUE, Math.max(1, value)) + "ms";
    }

    @Override
    public PostgresBranch transaction() {
        return branch;
    }

    @Override
    public boolean execute(PreparedStatement statement) throws SQLException {
        // In a transaction the driver sends no BEGIN. What it is told here holds until the server's answer.
        ((QueryExecutorBase) connection.getQueryExecutor()).setTransactionState(TransactionState.OPEN);
        try {
            statement.execute();
        } catch (SQLException e) {
            if (connection.getTransactionState() != TransactionState.FAILED) {
                // There is no transaction, or nothing was sent: on this connection the next statement would be alone.
                branch.abandon(e);
            }
            throw e;
        }
        statement.getMoreResults();
        return begun(statement);
    }

    /** Takes the results of the settings; whether the next one has rows. */
    private boolean begun(PreparedStatement statement) throws SQLException {
        @Nullable ResultSet row = statement.getResultSet();
        if (row == null || !row.next()) {
            throw new SQLException("the server did not answer the begin of a branch", "XX000");
        }
        branch.beganAt(row.getLong(START_COLUMN));
        return statement.getMoreResults();
    }
}
