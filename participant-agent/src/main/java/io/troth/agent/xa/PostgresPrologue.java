package io.troth.agent.xa;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.BaseConnection;
import org.postgresql.jdbc.AutoSave;
import org.postgresql.jdbc.PreferQueryMode;

/**
 * The begin of a branch on PostgreSQL: marker and settings (protocol 10.1, 10.3). pgjdbc puts BEGIN into the message of
 * the first statement, and sends the statements of one text in one message; the server runs them in order.
 */
final class PostgresPrologue implements BranchPrologue {

    /** The database's own timeouts come after the agent's deadline and its abort of the connection 2 s later. */
    private static final long BACKSTOP_MARGIN_MILLIS = 5_000;

    private static final int START_COLUMN = 5;

    private static final String BEGIN = "SELECT pg_catalog.set_config('troth.branch', ?, true),"
            + " pg_catalog.set_config('idle_in_transaction_session_timeout', ?, true),"
            + " pg_catalog.set_config('lock_timeout', ?, true), "
            + PostgresProbe.STRONG_SYNCHRONOUS_COMMIT + ", " + PostgresProbe.START_MICROS;

    // Nothing after the semicolon: the server must see the application's statement, and positions in it, as they are.
    private static final String PLAIN = BEGIN + ";";

    private static final String WITH_TRANSACTION_TIMEOUT =
            BEGIN + ", pg_catalog.set_config('transaction_timeout', ?, true);";

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

    /** Begins the branch in a round trip of its own. */
    PostgresBranch beginAlone() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql())) {
            bind(statement);
            statement.execute();
            begun(statement);
            return branch;
        }
    }

    /**
     * False where the driver does not send a text's statements in one message; undoes a failed statement by itself, and
     * would undo the marker with it; or, made to take every value in binary form, asks for that in all of a text's
     * statements by the columns of the last one.
     */
    boolean goesWithStatement() {
        return connection.getPreferQueryMode() == PreferQueryMode.EXTENDED
                && connection.getAutosave() == AutoSave.NEVER
                && connection.getPrepareThreshold() >= 0;
    }

    private static String isolationClause(int isolation) throws SQLException {
        return switch (isolation) {
            case BranchStart.DEFAULT_ISOLATION -> "";
            case Connection.TRANSACTION_READ_UNCOMMITTED, Connection.TRANSACTION_READ_COMMITTED ->
                "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; ";
            case Connection.TRANSACTION_REPEATABLE_READ -> "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; ";
            case Connection.TRANSACTION_SERIALIZABLE -> "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; ";
            default -> throw new SQLException("isolation level " + isolation + " is not supported", "0A000");
        };
    }

    @Override
    public String sql() {
        String begin = transactionTimeout ? WITH_TRANSACTION_TIMEOUT : PLAIN;
        return isolation.isEmpty() ? begin : isolation + begin;
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
    public boolean begun(PreparedStatement statement) throws SQLException {
        if (!isolation.isEmpty()) {
            statement.getMoreResults();
        }
        @Nullable ResultSet row = statement.getResultSet();
        if (row == null || !row.next()) {
            throw new SQLException("the server did not answer the begin of a branch", "XX000");
        }
        branch.beganAt(row.getLong(START_COLUMN));
        return statement.getMoreResults();
    }
}
