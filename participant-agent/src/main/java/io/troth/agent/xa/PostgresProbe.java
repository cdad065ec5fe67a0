package io.troth.agent.xa;

import java.security.SecureRandom;
import java.sql.SQLException;
import java.sql.Statement;
import org.postgresql.core.BaseConnection;

/**
 * What a branch is asked before it is prepared or committed in one phase (protocol 10.1): its transaction id, by a
 * statement that <em>fails</em> when
 * <ul>
 *   <li>the transaction has failed (the server says so),
 *   <li>the marker or the start time of the transaction is not the branch's own: SQL text inside the branch has ended our
 *       transaction, and part of the work is durable or gone,
 *   <li>the user is another one: the agent could not finish the branch.
 * </ul>
 * The start time is compared because a marker can be forged by SQL that reads it first; the microsecond of a new BEGIN
 * cannot.
 *
 * <p>It also makes the coming commit durable (protocol 10.3): the application may have weakened synchronous_commit inside
 * the branch. Only a commit in one phase stands on that, and the others lose nothing by it. And it lets the server say its
 * warnings, of which one is that the synchronous standby may lack what was prepared.
 *
 * <p>Each session prepares it once: as text it costs the server more to read and plan than the rest of the branch's end
 * (measured: 140 microseconds of CPU against 35).
 */
final class PostgresProbe {

    private static final SecureRandom RANDOM = new SecureRandom();

    /** What the names of the prepared statements begin with. */
    static final String NAMES = "troth_probe";

    /** When the running transaction began, in microseconds since 1970. */
    static final String START_MICROS =
            "(EXTRACT(EPOCH FROM pg_catalog.transaction_timestamp()) OPERATOR(pg_catalog.*) 1000000)::pg_catalog.int8";

    /** A column that makes the transaction's commit flush; what is stronger stays. */
    static final String STRONG_SYNCHRONOUS_COMMIT = "pg_catalog.set_config('synchronous_commit',"
            + " CASE WHEN pg_catalog.current_setting('synchronous_commit') OPERATOR(pg_catalog.=) 'remote_apply'"
            + " THEN 'remote_apply' ELSE 'on' END, true)";

    private static final String WARNINGS = "pg_catalog.set_config('client_min_messages', 'warning', true)";

    private static final String BYPASSED = "troth: the transaction is not that of its branch";

    private static final String OWN = "pg_catalog.current_setting('troth.branch', true) OPERATOR(pg_catalog.=) $1"
            + " AND " + START_MICROS + " OPERATOR(pg_catalog.=) $2"
            + " AND current_user::pg_catalog.text OPERATOR(pg_catalog.=) ";

    private PostgresProbe() {}

    /**
     * A name that no other session has: a probe answers only in the session of its connection's login, in which was read
     * what goes into the proof (see {@link PostgresPooler}).
     */
    static String newName() {
        return NAMES + "_" + Long.toHexString(RANDOM.nextLong());
    }

    /**
     * Prepares the statement in a new session.
     *
     * @param name its name there
     * @param role who may end branches
     */
    static void prepare(BaseConnection connection, String name, String role) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("PREPARE " + name + " (pg_catalog.text, pg_catalog.int8) AS"
                    + " SELECT pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text, CASE WHEN " + OWN + "'"
                    + connection.escapeString(role) + "' THEN 0 ELSE pg_catalog.concat('" + BYPASSED + ": marker ',"
                    + " pg_catalog.current_setting('troth.branch', true), ', user ', current_user)::pg_catalog.int4"
                    + " END, " + STRONG_SYNCHRONOUS_COMMIT + ", " + WARNINGS);
        }
    }

    /**
     * The SQL that asks; its row's first column is the transaction id, null when nothing was written.
     *
     * @param name the statement's name in the session
     * @param marker the branch's own
     * @param startMicros when its transaction began
     */
    static String call(String name, String marker, long startMicros) {
        return "EXECUTE " + name + " ('" + marker + "', " + startMicros + ")";
    }

    /** The probe has found another transaction or user than the branch's. */
    static boolean isBypassed(SQLException failure) {
        return PostgresErrors.has(failure, PostgresErrors.INVALID_TEXT_REPRESENTATION)
                && String.valueOf(failure.getMessage()).contains(BYPASSED);
    }

    /** The session does not know the probe any more, and its transaction has failed by asking. */
    static boolean isGone(SQLException failure) {
        return PostgresErrors.has(failure, PostgresErrors.INVALID_SQL_STATEMENT_NAME);
    }
}
