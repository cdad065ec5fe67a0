package io.troth.agent.sql;

import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Runs statements of remote clients on the agent's data sources. The caller binds the transaction to the thread before;
 * whether the connection takes part in it is the data source's business. Never logs statements or values. Thread-safe;
 * every method blocks on the database.
 *
 * <p>All methods throw {@link SqlFailedException} when the database or the branch refuses, and {@link TrothException}
 * with UNKNOWN_RESOURCE, SQL_REFUSED, TYPE_NOT_SUPPORTED, INVALID_ARGUMENT or LIMIT_EXCEEDED.
 */
public final class SqlGateway {

    /**
     * How much is read of a result that should not be there: without a fetch size the driver would load all of it. The
     * least with which a branch still begins in the message of its first statement.
     */
    private static final int ROWS_OF_A_MISTAKE = 2;

    private final Map<String, DataSource> resources;
    private final SqlLimits limits;

    public SqlGateway(Map<String, DataSource> resources, SqlLimits limits) {
        this.resources = Map.copyOf(resources);
        this.limits = limits;
    }

    public SqlLimits limits() {
        return limits;
    }

    /**
     * Runs a statement that returns no rows.
     *
     * @param generatedKeys the columns whose generated values are wanted; may be empty
     */
    public SqlUpdate execute(SqlStatement statement, List<String> generatedKeys, SqlCall call) {
        check(statement, statement.parameters().size());
        try (Connection connection = connect(statement);
                PreparedStatement prepared = generatedKeys.isEmpty()
                        ? connection.prepareStatement(statement.sql())
                        : connection.prepareStatement(statement.sql(), generatedKeys.toArray(new String[0]))) {
            if (generatedKeys.isEmpty()) {
                prepared.setFetchSize(ROWS_OF_A_MISTAKE);
            }
            bind(prepared, statement.parameters());
            if (run(prepared, call)) {
                throw invalid("the statement returns rows: use Query for it");
            }
            long count = Math.max(0, prepared.getLargeUpdateCount());
            return generatedKeys.isEmpty() ? new SqlUpdate(count, List.of(), List.of()) : withKeys(prepared, count);
        } catch (SQLException e) {
            throw SqlFailures.of(statement.resource(), e);
        }
    }

    private SqlUpdate withKeys(PreparedStatement prepared, long count) throws SQLException {
        try (ResultSet rows = prepared.getGeneratedKeys()) {
            List<SqlColumn> columns = SqlValues.columns(rows.getMetaData());
            List<List<@Nullable Object>> keys = new ArrayList<>();
            while (rows.next()) {
                if (keys.size() == limits.keyRowsMax()) {
                    throw new TrothException(new Reason(
                            ErrorCode.LIMIT_EXCEEDED,
                            "more than " + limits.keyRowsMax() + " rows of generated keys: use Query with RETURNING"));
                }
                keys.add(SqlValues.row(rows, columns));
            }
            return new SqlUpdate(count, columns, keys);
        }
    }

    /**
     * Runs one statement once for each row of parameters, in order.
     *
     * @return how many rows each execution touched; {@link java.sql.Statement#SUCCESS_NO_INFO} where the database does
     *     not say
     */
    public long[] executeBatch(SqlStatement statement, List<List<SqlParameter>> rows, SqlCall call) {
        if (!statement.parameters().isEmpty()) {
            throw invalid("in a batch the parameters stand in the rows");
        }
        if (rows.size() > limits.batchRowsMax()) {
            throw new TrothException(
                    new Reason(ErrorCode.LIMIT_EXCEEDED, "a batch has at most " + limits.batchRowsMax() + " rows"));
        }
        check(statement, rows.stream().mapToInt(List::size).max().orElse(0));
        if (rows.isEmpty()) {
            return new long[0];
        }
        try (Connection connection = connect(statement);
                PreparedStatement prepared = connection.prepareStatement(statement.sql())) {
            for (List<SqlParameter> row : rows) {
                bind(prepared, row);
                prepared.addBatch();
            }
            call.runs(prepared);
            try {
                return prepared.executeLargeBatch();
            } finally {
                call.ended();
            }
        } catch (SQLException e) {
            throw SqlFailures.of(statement.resource(), e);
        }
    }

    /**
     * Runs a statement that returns rows and leaves the cursor open, which the caller closes.
     *
     * @param fetchSize how many rows are fetched at once; 0 for the default
     */
    public SqlCursor query(SqlStatement statement, int fetchSize, SqlCall call) {
        check(statement, statement.parameters().size());
        if (fetchSize < 0 || fetchSize > limits.fetchSizeMax()) {
            throw invalid("the fetch size is at most " + limits.fetchSizeMax());
        }
        int size = fetchSize == 0 ? limits.fetchSizeDefault() : fetchSize;
        Connection connection = null;
        PreparedStatement prepared = null;
        try {
            connection = connect(statement);
            prepared = connection.prepareStatement(statement.sql());
            prepared.setFetchSize(size);
            bind(prepared, statement.parameters());
            return new SqlCursor(statement.resource(), connection, prepared, rows(prepared, call), call, size);
        } catch (SQLException e) {
            SqlCursor.closeQuietly(prepared, connection);
            throw SqlFailures.of(statement.resource(), e);
        } catch (RuntimeException e) {
            SqlCursor.closeQuietly(prepared, connection);
            throw e;
        }
    }

    private void check(SqlStatement statement, int parameters) {
        StatementRules.check(statement.sql(), limits.statementBytesMax());
        if (parameters > limits.parametersMax()) {
            throw new TrothException(new Reason(
                    ErrorCode.LIMIT_EXCEEDED, "a statement has at most " + limits.parametersMax() + " parameters"));
        }
    }

    private Connection connect(SqlStatement statement) throws SQLException {
        DataSource source = resources.get(statement.resource());
        if (source == null) {
            throw new TrothException(
                    new Reason(ErrorCode.UNKNOWN_RESOURCE, "this agent has none of the name " + statement.resource()));
        }
        return source.getConnection();
    }

    private static void bind(PreparedStatement prepared, List<SqlParameter> parameters) throws SQLException {
        for (int i = 0; i < parameters.size(); i++) {
            SqlValues.bind(prepared, i + 1, parameters.get(i));
        }
    }

    private static boolean run(PreparedStatement prepared, SqlCall call) throws SQLException {
        call.runs(prepared);
        try {
            return prepared.execute();
        } finally {
            call.ended();
        }
    }

    /** As a query, and not as a statement that may write: a branch that has only read is not prepared then. */
    private static ResultSet rows(PreparedStatement prepared, SqlCall call) throws SQLException {
        call.runs(prepared);
        try {
            return prepared.executeQuery();
        } catch (SQLException e) {
            if (SqlFailures.isWithoutRows(e)) {
                throw invalid("the statement returns no rows: use Execute for it");
            }
            throw e;
        } finally {
            call.ended();
        }
    }

    private static TrothException invalid(String why) {
        return new TrothException(new Reason(ErrorCode.INVALID_ARGUMENT, why));
    }
}
