package io.troth.agent.xa;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.postgresql.core.BaseConnection;

/**
 * A pooler between the agent and the server. One that gives each client a new session, for as long as it is connected, is
 * like none. One that hands sessions from client to client by transaction or by statement is refused: what was read at the
 * login is not so in the next session, and what the driver has prepared in one is another client's SQL in another, also
 * when it is ROLLBACK here and COMMIT there.
 *
 * <p>A pooler that begins to share sessions while the agent runs must not make it say what is false. So the driver prepares
 * nothing by itself where there is a pooler, and each {@link PostgresProbe} is known in one session only.
 */
final class PostgresPooler {

    static final String REFUSAL =
            "a pooler hands sessions of the server from client to client; an agent needs sessions of"
                    + " its own: pool by session, with a reset (PgBouncer: pool_mode = session, server_reset_query = DISCARD ALL),"
                    + " or connect to the server itself";

    private static final int ASKED_TIMES = 5;

    private static final String AT_LOGIN = "SELECT pg_catalog.pg_backend_pid(), EXISTS"
            + " (SELECT 1 FROM pg_catalog.pg_prepared_statements s"
            + " WHERE s.name OPERATOR(pg_catalog.~~) '" + PostgresProbe.NAMES + "\\_%')";

    /** True in the session that has prepared this probe, and in no other; with the probe's name as its parameter. */
    static final String OWN_SESSION = "EXISTS (SELECT 1 FROM pg_catalog.pg_prepared_statements s"
            + " WHERE s.name OPERATOR(pg_catalog.=) CAST(? AS pg_catalog.text))";

    private PostgresPooler() {}

    /** Before anything is prepared in the session of a new connection. */
    static void atLogin(BaseConnection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(AT_LOGIN)) {
            row.next();
            if (row.getBoolean(2)) {
                throw new SQLException(
                        "an agent has used the session of this new connection before: " + REFUSAL,
                        PostgresErrors.CONNECTION_REJECTED);
            }
            // A pooler makes keys of its own for the cancelling of statements, since it has to see who is meant.
            if (row.getInt(1) != connection.getBackendPID()) {
                connection.setPrepareThreshold(0);
            }
        }
    }

    /** Whether one transaction after another is in the session of the connection's login. */
    static void check(Connection connection, String probe, int answerMillis)
            throws SQLException, ResourceUnsuitableException {
        connection.setNetworkTimeout(Runnable::run, answerMillis);
        for (int i = 0; i < ASKED_TIMES; i++) {
            try (PreparedStatement statement = connection.prepareStatement("SELECT " + OWN_SESSION)) {
                statement.setString(1, probe);
                try (ResultSet row = statement.executeQuery()) {
                    row.next();
                    if (!row.getBoolean(1)) {
                        throw new ResourceUnsuitableException(
                                "transactions of one connection are not in one session: " + REFUSAL);
                    }
                }
            }
        }
    }
}
