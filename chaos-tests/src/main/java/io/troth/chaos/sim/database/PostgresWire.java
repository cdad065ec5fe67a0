package io.troth.chaos.sim.database;

import io.troth.chaos.sim.database.PostgresBackend.Status;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;

/**
 * pgjdbc as the agent's PostgreSQL driver uses it, over a {@link PostgresBackend}: BEGIN goes with the first statement,
 * and a commit that the server has answered with a rollback raises an exception, a PREPARE TRANSACTION does not.
 */
final class PostgresWire {

    private final ClientEnd end;
    private final PostgresBackend backend;
    private boolean autoCommit = true;
    private int networkTimeout;

    /** What the server's last answer said of the transaction; it says nothing any more when the connection is gone. */
    private Status known = Status.IDLE;

    private @Nullable BaseConnection self;

    private PostgresWire(ClientEnd end) {
        this.end = end;
        this.backend = new PostgresBackend(end.server, end.session);
    }

    static DataSource source(SimulatedServer server) {
        return Standins.of(DataSource.class, 0, (method, arguments) -> {
            if (method.equals("getConnection")) {
                ClientEnd end = ClientEnd.open(server);
                PostgresWire wire = new PostgresWire(end);
                end.onAnswer(wire::look);
                wire.self = Standins.of(BaseConnection.class, end.session.id, wire::call);
                return wire.self;
            }
            throw Standins.notThere("source", method);
        });
    }

    private @Nullable Object call(String method, @Nullable Object[] arguments) throws SQLException {
        switch (method) {
            case "isWrapperFor" -> {
                return arguments[0] == BaseConnection.class || arguments[0] == ClientEnd.class;
            }
            case "unwrap" -> {
                return arguments[0] == ClientEnd.class ? end : self;
            }
            case "getTransactionState" -> {
                return state();
            }
            case "isClosed" -> {
                return end.isClosed();
            }
            case "getAutoCommit" -> {
                return autoCommit;
            }
            case "setAutoCommit" -> setAutoCommit((Boolean) Objects.requireNonNull(arguments[0]));
            case "getNetworkTimeout" -> {
                return networkTimeout;
            }
            case "setNetworkTimeout" -> networkTimeout = (Integer) Objects.requireNonNull(arguments[1]);
            case "getBackendPID" -> {
                return PostgresBackend.PID;
            }
            case "haveMinimumServerVersion" -> {
                return true;
            }
            case "escapeString" -> {
                return arguments[0];
            }
            case "createStatement" -> {
                return statement(null);
            }
            case "prepareStatement" -> {
                return statement(String.valueOf(arguments[0]));
            }
            case "commit" -> commit();
            case "rollback" -> rollback();
            case "abort" -> end.cut();
            case "close" -> end.close();
            default -> throw Standins.notThere("connection", method);
        }
        return null;
    }

    private TransactionState state() {
        return switch (known) {
            case IDLE -> TransactionState.IDLE;
            case OPEN -> TransactionState.OPEN;
            case FAILED -> TransactionState.FAILED;
        };
    }

    private void setAutoCommit(boolean on) throws SQLException {
        if (on && !autoCommit && known != Status.IDLE) {
            commit();
        }
        autoCommit = on;
    }

    /** A statement of the driver's: {@code prepared} is null when the text comes with its execution. */
    private Statement statement(@Nullable String prepared) {
        TreeMap<Integer, String> parameters = new TreeMap<>();
        ResultSet[] result = new ResultSet[1];
        return Standins.of(PreparedStatement.class, end.session.id, (method, arguments) -> switch (method) {
            case "setString" ->
                parameters.put((Integer) Objects.requireNonNull(arguments[0]), String.valueOf(arguments[1]));
            case "execute", "executeQuery" -> {
                String sql = prepared != null ? prepared : String.valueOf(arguments[0]);
                result[0] = Standins.rows(execute(sql, List.copyOf(parameters.values())));
                if (method.equals("execute")) {
                    yield true;
                }
                yield result[0];
            }
            case "getResultSet" -> result[0];
            case "getMoreResults" -> {
                result[0] = Standins.rows(List.of());
                yield false;
            }
            case "getWarnings", "close" -> null;
            default -> throw Standins.notThere("statement", method);
        });
    }

    private List<List<Object>> execute(String sql, List<String> parameters) throws SQLException {
        return exchange(tripOf(sql), () -> {
            if (!autoCommit && backend.status() == Status.IDLE) {
                backend.begin();
            }
            return backend.execute(sql, parameters);
        });
    }

    private static Trip tripOf(String sql) {
        if (sql.contains("PREPARE TRANSACTION")) {
            return Trip.PREPARE;
        }
        return sql.startsWith("COMMIT PREPARED") || sql.startsWith("ROLLBACK PREPARED") ? Trip.PHASE_TWO : Trip.OTHER;
    }

    private void commit() throws SQLException {
        if (known == Status.IDLE) {
            return;
        }
        boolean committed = exchange(Trip.COMMIT, backend::commit);
        if (!committed) {
            throw new SQLException("the database returned ROLLBACK, so the transaction cannot be committed", "25P02");
        }
    }

    private void rollback() throws SQLException {
        if (known != Status.IDLE) {
            boolean unused = exchange(Trip.OTHER, () -> {
                backend.rollback();
                return true;
            });
        }
    }

    private <T> T exchange(Trip trip, ClientEnd.Request<T> request) throws SQLException {
        try {
            return end.send(trip, request);
        } finally {
            look();
        }
    }

    private void look() {
        if (!end.isClosed()) {
            known = backend.status();
        }
    }
}
