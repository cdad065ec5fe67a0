package io.troth.bench.run;

import io.troth.bench.contender.Database;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** Looks at a database of the run, on a connection of its own. */
final class PostgresQueries {

    private PostgresQueries() {}

    /** The first column of the first row. */
    static long queryLong(Database database, String sql) {
        try (Connection connection = database.connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            if (!rows.next()) {
                throw new IllegalStateException(database.name() + ": no row for " + sql);
            }
            return rows.getLong(1);
        } catch (SQLException e) {
            throw new IllegalStateException(database.name() + ": " + e.getMessage(), e);
        }
    }
}
