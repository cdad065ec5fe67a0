package io.troth.agent.sql;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An open result. Used by one thread at a time; every method blocks on the database. */
public final class SqlCursor implements AutoCloseable {

    private final String resource;
    private final Connection connection;
    private final PreparedStatement statement;
    private final SqlCall call;
    private final int fetchSize;
    private final ResultSet rows;
    private final List<SqlColumn> columns;

    SqlCursor(
            String resource,
            Connection connection,
            PreparedStatement statement,
            ResultSet rows,
            SqlCall call,
            int fetchSize)
            throws SQLException {
        this.resource = resource;
        this.connection = connection;
        this.statement = statement;
        this.call = call;
        this.fetchSize = fetchSize;
        this.rows = rows;
        this.columns = List.copyOf(SqlValues.columns(rows.getMetaData()));
    }

    public List<SqlColumn> columns() {
        return columns;
    }

    /** How many rows one fetch brings at most; it is what one message should carry. */
    public int fetchSize() {
        return fetchSize;
    }

    /** The values of the next row, one a column; null after the last. */
    public @Nullable List<@Nullable Object> next() {
        try {
            call.runs(statement);
            try {
                return rows.next() ? SqlValues.row(rows, columns) : null;
            } finally {
                call.ended();
            }
        } catch (SQLException e) {
            throw SqlFailures.of(resource, e);
        }
    }

    /** Gives the connection back; what has not been fetched is not. */
    @Override
    public void close() {
        try (connection;
                statement) {
            rows.close();
        } catch (SQLException e) {
            throw SqlFailures.of(resource, e);
        }
    }

    static void closeQuietly(@Nullable PreparedStatement statement, @Nullable Connection connection) {
        for (AutoCloseable each : new @Nullable AutoCloseable[] {statement, connection}) {
            if (each != null) {
                try {
                    each.close();
                } catch (Exception e) {
                    // The first failure is the one that is reported.
                }
            }
        }
    }
}
