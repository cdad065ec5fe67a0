package io.troth.agent.xa;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * Which PostgreSQL server, and which life of it, a physical connection talks to. Read once per connection: whatever
 * changes them (a crash, a restart as a standby) ends every connection.
 *
 * @param systemIdentifier drawn by initdb
 * @param timeline counted up by every promotion and every point-in-time recovery
 * @param databaseOid the database within the server
 * @param life {@code stats_reset} of {@code pg_stat_wal} in microseconds since 1970: it changes at every crash, a killed
 *     backend's included, and stays over a clean restart (protocol 7.1); 0 when the server does not say
 * @param database the database's name
 * @param role the role that prepares and resolves
 * @param timeouts those that the session began with
 * @param probe the name of the session's {@link PostgresProbe}
 */
record ServerFacts(
        long systemIdentifier,
        int timeline,
        long databaseOid,
        long life,
        String database,
        String role,
        SessionTimeouts timeouts,
        String probe) {

    private static final int STANDBY = 0;

    private static final String QUERY = "SELECT c.system_identifier,"
            + " CASE WHEN pg_catalog.pg_is_in_recovery() THEN " + STANDBY + " ELSE"
            + " ('x' OPERATOR(pg_catalog.||)"
            + " pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8))"
            + "::pg_catalog.bit(32)::pg_catalog.int4 END,"
            + " d.oid::pg_catalog.int8,"
            + " COALESCE((EXTRACT(EPOCH FROM w.stats_reset) OPERATOR(pg_catalog.*) 1000000)::pg_catalog.int8, 0),"
            + " d.datname, current_user, " + SessionTimeouts.COLUMNS
            + " FROM pg_catalog.pg_control_system() c, pg_catalog.pg_database d, pg_catalog.pg_stat_wal w"
            + " WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()";

    /** Asks the server; one round trip, outside any transaction. */
    static ServerFacts read(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(QUERY)) {
            if (!row.next()) {
                throw new SQLException("the server does not list its own database", "XX000");
            }
            if (row.getInt(2) == STANDBY) {
                throw new SQLException("the server is a standby; connect the agent to the primary", "55000");
            }
            return new ServerFacts(
                    row.getLong(1),
                    row.getInt(2),
                    row.getLong(3),
                    row.getLong(4),
                    row.getString(5),
                    row.getString(6),
                    new SessionTimeouts(row.getLong(7), row.getLong(8), row.getLong(9)),
                    PostgresProbe.newName());
        }
    }

    /** What makes it this database and no other, as text. */
    String identity() {
        return "system=" + Long.toUnsignedString(systemIdentifier) + ";database=" + database + ";oid=" + databaseOid;
    }
}
