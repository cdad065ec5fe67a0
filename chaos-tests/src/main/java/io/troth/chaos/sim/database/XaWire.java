package io.troth.chaos.sim.database;

import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.SQLException;
import java.util.List;
import javax.sql.ConnectionEventListener;
import javax.sql.StatementEventListener;
import javax.sql.XAConnection;
import javax.sql.XADataSource;
import javax.transaction.xa.XAResource;
import org.jspecify.annotations.Nullable;

/** A vendor's XA driver: its source, its physical connections, and as much of JDBC as the agent and its canary use. */
final class XaWire implements XAConnection {

    private static final String ROLE = "troth";

    private final ClientEnd end;
    private final XAResource resource;

    private XaWire(ClientEnd end) {
        this.end = end;
        this.resource = new SimulatedXaResource(end);
    }

    static XADataSource source(SimulatedServer server) {
        return Standins.of(XADataSource.class, 0, (method, arguments) -> {
            if (method.equals("getXAConnection")) {
                return new XaWire(ClientEnd.open(server));
            }
            throw Standins.notThere("source", method);
        });
    }

    @Override
    public XAResource getXAResource() {
        return resource;
    }

    @Override
    public Connection getConnection() {
        return Standins.of(Connection.class, end.session.id, this::call);
    }

    private @Nullable Object call(String method, @Nullable Object[] arguments) throws SQLException {
        return switch (method) {
            case "unwrap" -> end;
            case "isClosed" -> end.isClosed();
            case "getAutoCommit" -> true;
            case "getMetaData" -> metaData();
            case "createStatement", "prepareStatement" ->
                CanaryTable.statement(end, arguments.length == 0 ? "" : String.valueOf(arguments[0]));
            case "abort" -> {
                end.cut();
                yield null;
            }
            case "close" -> null;
            default -> throw Standins.notThere("connection", method);
        };
    }

    private DatabaseMetaData metaData() {
        return Standins.of(DatabaseMetaData.class, 0, (method, arguments) -> switch (method) {
            // The agent refuses some products by name, before it comes to what they do.
            case "getDatabaseProductName" -> "simulated " + end.server.flavour.product();
            case "getUserName" -> ROLE;
            default -> throw Standins.notThere("metadata", method);
        });
    }

    @Override
    public void close() {
        end.close();
    }

    @Override
    public void addConnectionEventListener(ConnectionEventListener listener) {
        throw Standins.notThere("connection", "listeners");
    }

    @Override
    public void removeConnectionEventListener(ConnectionEventListener listener) {
        throw Standins.notThere("connection", "listeners");
    }

    @Override
    public void addStatementEventListener(StatementEventListener listener) {
        throw Standins.notThere("connection", "listeners");
    }

    @Override
    public void removeStatementEventListener(StatementEventListener listener) {
        throw Standins.notThere("connection", "listeners");
    }

    /** The canary's own table: rows whose only number is 1. */
    static final class CanaryTable {

        private CanaryTable() {}

        static java.sql.PreparedStatement statement(ClientEnd end, String prepared) {
            String[] id = {""};
            return Standins.of(java.sql.PreparedStatement.class, 0, (method, arguments) -> switch (method) {
                case "setString" -> {
                    id[0] = "canary " + arguments[1];
                    yield null;
                }
                // The agent's tables are there already; all that it reads is which database this is.
                case "executeQuery" -> end.send(Trip.OTHER, () -> Standins.rows(List.of(List.of(end.server.name))));
                case "executeUpdate" -> end.send(Trip.OTHER, () -> update(end, prepared, id[0]));
                case "close" -> null;
                default -> throw Standins.notThere("statement", method);
            });
        }

        private static int update(ClientEnd end, String sql, String key) throws SQLException {
            if (sql.startsWith("DELETE")) {
                return end.server.delete(key) ? 1 : 0;
            }
            SQLException[] failure = new SQLException[1];
            new ServerStatement(
                            end.server,
                            end.session,
                            SqlOperation.add(0, key, 1),
                            row -> {},
                            error -> failure[0] = error.toException())
                    .start(0);
            if (failure[0] != null) {
                throw failure[0];
            }
            return 1;
        }
    }
}
