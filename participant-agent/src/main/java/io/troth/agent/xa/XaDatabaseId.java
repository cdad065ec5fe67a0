package io.troth.agent.xa;

import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * What tells a database from every other: the random text in the only row of a table of its own, which the first agent
 * writes. A URL does not: {@code localhost} is another machine everywhere, and a name can come to lead to another server
 * while the agent runs.
 */
final class XaDatabaseId {

    static final String TABLE = "troth_database";

    private static final String COLUMNS = "(one INTEGER NOT NULL PRIMARY KEY, id VARCHAR(32) NOT NULL)";
    private static final int RANDOM_BYTES = 16;

    private XaDatabaseId() {}

    /** Reads it in one round trip, outside any transaction; writes it where there is none. */
    static String read(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            try {
                String known = find(statement);
                if (known != null) {
                    return known;
                }
            } catch (SQLException missing) {
                if (XaErrors.isConnectionLost(missing)) {
                    throw missing;
                }
                // There is no table yet, or what comes next says what the matter is.
            }
            return write(statement);
        }
    }

    /** Another agent may be faster: what counts is what is there afterwards. */
    private static String write(Statement statement) throws SQLException {
        byte[] random = new byte[RANDOM_BYTES];
        new SecureRandom().nextBytes(random);
        SQLException noTable = attempt(statement, "CREATE TABLE " + TABLE + " " + COLUMNS);
        SQLException noRow = attempt(
                statement,
                "INSERT INTO " + TABLE + " VALUES (1, '" + HexFormat.of().formatHex(random) + "')");
        try {
            String known = find(statement);
            if (known != null) {
                return known;
            }
        } catch (SQLException e) {
            throw new SQLException(
                    "there is no table " + TABLE + " " + COLUMNS + " to be read, and it cannot be made: "
                            + (noTable == null ? e : noTable).getMessage(),
                    e.getSQLState(),
                    e);
        }
        throw new SQLException("the row of " + TABLE + " cannot be written", "HY000", noRow);
    }

    private static @Nullable String find(Statement statement) throws SQLException {
        try (ResultSet row = statement.executeQuery("SELECT id FROM " + TABLE + " WHERE one = 1")) {
            return row.next() ? row.getString(1) : null;
        }
    }

    private static @Nullable SQLException attempt(Statement statement, String sql) {
        try {
            statement.execute(sql);
            return null;
        } catch (SQLException e) {
            return e;
        }
    }
}
