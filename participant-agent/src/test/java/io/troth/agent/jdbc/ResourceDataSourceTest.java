package io.troth.agent.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.database.Branches;
import io.troth.agent.database.PostgresExtension;
import io.troth.agent.database.TestPostgres;
import io.troth.agent.xa.PostgresDriver;
import io.troth.client.context.CallScope;
import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import io.troth.core.Vote;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.coordinator.PhaseTwoResult;
import io.troth.core.participant.CoordinatorMessage.BranchVote;
import java.io.InputStream;
import java.sql.Array;
import java.sql.Blob;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;
import org.postgresql.PGConnection;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * Goal: an application that uses an ordinary DataSource cannot harm its global transaction, and works as usual outside of
 * one. Method: the real engine and a real PostgreSQL; the test plays coordinator and client.
 */
@SuppressWarnings("try") // A binding is there to be closed.
class ResourceDataSourceTest {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    private TestPostgres server;
    private TestAgent agent;
    private GlobalTxId tx;
    private CallScope scope;

    @BeforeEach
    void open() throws Exception {
        server = POSTGRES.server();
        server.rollbackEverythingPrepared();
        server.execute(
                "DROP TABLE IF EXISTS account CASCADE",
                "CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)",
                "INSERT INTO account VALUES (1, 100), (2, 100)");
        agent = new TestAgent(new PostgresDriver(server.dataSource(), 10_000), PoolSettings.ofSize(4));
        tx = Branches.nextTx();
        scope = TestAgent.call(tx);
    }

    @AfterEach
    void close() throws Exception {
        agent.close();
        server.rollbackEverythingPrepared();
        assertTrue(agent.failures.isEmpty(), () -> agent.failures.toString());
    }

    private String balance() throws SQLException {
        return server.ask("SELECT balance FROM account WHERE id = 1");
    }

    private static void withdraw(Connection connection, int amount) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("UPDATE account SET balance = balance - ? WHERE id = 1")) {
            statement.setInt(1, amount);
            assertEquals(1, statement.executeUpdate());
        }
    }

    private static void refused(ErrorCode code, Executable call) {
        SQLException refused = assertThrows(SQLException.class, call);
        Reason reason = SqlErrors.reasonOf(refused);
        assertEquals(code, reason == null ? null : reason.code(), refused::getMessage);
        assertEquals(code.sqlState(), refused.getSQLState());
        assertTrue(refused.getMessage().startsWith(code.name()), refused::getMessage);
    }

    /** Closes the call and asks for its vote. */
    private BranchVote vote() {
        BranchId branch = TestAgent.branchOf(scope);
        var unused = scope.close();
        return agent.prepare(tx, branch, 1);
    }

    @Test
    void severalConnectionsOfATransactionAreOneBranchAndCommitTogether() throws Exception {
        try (CallScope.Binding bound = scope.attach()) {
            try (Connection first = agent.dataSource.getConnection();
                    Connection second = agent.dataSource.getConnection()) {
                withdraw(first, 10);
                withdraw(second, 20);
                assertEquals(1, agent.database.stats().branches().active());
            }
        }
        BranchVote vote = vote();
        assertEquals(Vote.YES, vote.vote());
        assertEquals("100", balance());
        assertEquals(PhaseTwoResult.COMMITTED, agent.commit(tx, vote.branch(), vote.proof()));
        assertEquals("70", balance());
        assertEquals(0, agent.database.stats().branches().active());
    }

    @Test
    void twoCallsOfATransactionShareTheBranch() throws Exception {
        CallScope other = TestAgent.call(tx);
        try (CallScope.Binding bound = scope.attach();
                Connection connection = agent.dataSource.getConnection()) {
            withdraw(connection, 10);
        }
        try (CallScope.Binding bound = other.attach();
                Connection connection = agent.dataSource.getConnection()) {
            withdraw(connection, 20);
        }
        BranchId branch = TestAgent.branchOf(scope);
        assertEquals(branch, TestAgent.branchOf(other));
        var unused = List.of(scope.close(), other.close());
        assertEquals(OnePhaseFate.COMMITTED, agent.commitOnePhase(tx, branch, 2));
        assertEquals("70", balance());
    }

    @Test
    void theBranchBeginsWithTheFirstStatementOnly() throws Exception {
        try (CallScope.Binding bound = scope.attach();
                Connection connection = agent.dataSource.getConnection()) {
            connection.setReadOnly(true);
            connection.setAutoCommit(false);
            assertEquals(Connection.TRANSACTION_READ_COMMITTED, connection.getTransactionIsolation());
            connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
            assertEquals(0, agent.database.stats().branches().active());
            assertTrue(connection.isReadOnly());
            assertFalse(connection.getAutoCommit());
            withdraw(connection, 10);
            assertEquals(1, agent.database.stats().branches().active());
            assertEquals(Connection.TRANSACTION_SERIALIZABLE, connection.getTransactionIsolation());
            try (Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery("SHOW transaction_isolation")) {
                assertTrue(row.next());
                assertEquals("serializable", row.getString(1));
            }
            assertThrows(
                    SQLException.class,
                    () -> connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED));
        }
        assertEquals(Vote.YES, vote().vote());
    }

    @Test
    void aBranchWithoutAnyStatementIsReadOnlyAndNeedsNoConnection() throws Exception {
        try (CallScope.Binding bound = scope.attach()) {
            agent.dataSource.getConnection().close();
        }
        assertEquals(Vote.READ_ONLY, vote().vote());
    }

    @Test
    void whatWouldEndTheBranchIsRefused() throws Exception {
        try (CallScope.Binding bound = scope.attach();
                Connection connection = agent.dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            withdraw(connection, 10);
            refused(ErrorCode.TRANSACTION_CONTROL_REFUSED, connection::commit);
            refused(ErrorCode.TRANSACTION_CONTROL_REFUSED, connection::rollback);
            refused(ErrorCode.TRANSACTION_CONTROL_REFUSED, () -> connection.setAutoCommit(true));
            refused(ErrorCode.TRANSACTION_CONTROL_REFUSED, () -> connection.abort(Runnable::run));
            refused(ErrorCode.TRANSACTION_CONTROL_REFUSED, () -> connection.unwrap(PGConnection.class));
            refused(ErrorCode.TRANSACTION_CONTROL_REFUSED, () -> statement.unwrap(org.postgresql.PGStatement.class));
            assertFalse(connection.isWrapperFor(PGConnection.class));
            assertEquals(connection, connection.unwrap(Connection.class));
            assertEquals(connection, statement.getConnection());
            assertEquals(connection, connection.getMetaData().getConnection());
        }
        assertEquals(Vote.YES, vote().vote());
        assertEquals("100", balance());
    }

    @Test
    void everyHandleIsDeadWhenItsScopeHasEnded() throws Exception {
        try (CallScope.Binding bound = scope.attach()) {
            Connection connection = agent.dataSource.getConnection();
            Statement statement = connection.createStatement();
            ResultSet rows = statement.executeQuery("SELECT id FROM account");
            assertTrue(rows.next());
            var unused = scope.close();
            refused(ErrorCode.SCOPE_CLOSED, connection::createStatement);
            refused(ErrorCode.SCOPE_CLOSED, () -> statement.execute("SELECT 1"));
            refused(ErrorCode.SCOPE_CLOSED, rows::next);
            refused(ErrorCode.SCOPE_CLOSED, () -> rows.getInt(1));
            assertTrue(connection.isClosed());
            refused(ErrorCode.SCOPE_CLOSED, agent.dataSource::getConnection);
            rows.close();
            statement.close();
            connection.close();
        }
        assertEquals(
                Vote.READ_ONLY, agent.prepare(tx, TestAgent.branchOf(scope), 1).vote());
        assertEquals(0, agent.database.stats().branches().active());
    }

    @Test
    void aConnectionFromOutsideDoesNotWorkInside() throws Exception {
        try (Connection outside = agent.dataSource.getConnection();
                Statement statement = outside.createStatement()) {
            outside.setAutoCommit(false);
            statement.execute("UPDATE account SET balance = 0 WHERE id = 1");
            try (CallScope.Binding bound = scope.attach()) {
                refused(ErrorCode.OPENED_OUTSIDE_TRANSACTION, outside::createStatement);
                refused(ErrorCode.OPENED_OUTSIDE_TRANSACTION, outside::commit);
                refused(ErrorCode.OPENED_OUTSIDE_TRANSACTION, () -> statement.execute("SELECT 1"));
            }
            outside.rollback();
        }
        ResourceDataSource lenient = new ResourceDataSource(agent.database, agent.engine, true, 0);
        try (Connection outside = lenient.getConnection();
                CallScope.Binding bound = scope.attach();
                Statement statement = outside.createStatement()) {
            statement.execute("UPDATE account SET balance = 99 WHERE id = 1");
        }
        assertEquals("99", balance());
    }

    @Test
    void aConnectionOfOneTransactionDoesNotWorkInAnother() throws Exception {
        CallScope other = TestAgent.call(Branches.nextTx());
        try (CallScope.Binding bound = scope.attach();
                Connection connection = agent.dataSource.getConnection();
                CallScope.Binding inner = other.attach()) {
            refused(ErrorCode.OPENED_OUTSIDE_TRANSACTION, connection::createStatement);
        }
    }

    @Test
    void outsideItIsAnOrdinaryPooledConnection() throws Exception {
        try (Connection connection = agent.dataSource.getConnection()) {
            assertTrue(connection.getAutoCommit());
            withdraw(connection, 10);
            assertEquals("90", balance());
            connection.setAutoCommit(false);
            withdraw(connection, 10);
            connection.commit();
            withdraw(connection, 10);
            assertTrue(connection.unwrap(PGConnection.class).getBackendPID() > 0);
        }
        assertEquals("80", balance(), "what was not committed is rolled back at close");
        try (Connection connection = agent.dataSource.getConnection()) {
            assertTrue(connection.getAutoCommit());
        }
    }

    @Test
    void aBranchLeavesTheSourcesOwnSocketTimeoutAsItWas() throws Exception {
        PGSimpleDataSource source = server.dataSource();
        source.setSocketTimeout(47);
        try (TestAgent small =
                new TestAgent(new PostgresDriver(source, 10_000), new PoolSettings(1, 1, 0, 20_000, 15_000))) {
            for (boolean commits : new boolean[] {true, false}) {
                GlobalTxId next = Branches.nextTx();
                CallScope call = TestAgent.call(next);
                try (CallScope.Binding bound = call.attach();
                        Connection connection = small.dataSource.getConnection()) {
                    withdraw(connection, 10);
                }
                BranchId branch = TestAgent.branchOf(call);
                var unused = call.close();
                if (commits) {
                    assertEquals(Vote.YES, small.prepare(next, branch, 1).vote());
                } else {
                    assertEquals(Vote.NO, small.prepare(next, branch, 2).vote());
                    small.awaitIdle();
                }
                server.rollbackEverythingPrepared();
                try (Connection local = small.dataSource.getConnection()) {
                    assertEquals(47_000, local.getNetworkTimeout());
                }
            }
        }
    }

    @Test
    void aRoleThatLocalWorkLeftBehindSpoilsOneBranchAtMost() throws Exception {
        try (TestAgent small = new TestAgent(
                new PostgresDriver(server.dataSource(), 10_000), new PoolSettings(1, 1, 0, 20_000, 15_000))) {
            try (Connection local = small.dataSource.getConnection();
                    Statement statement = local.createStatement()) {
                statement.execute("SET ROLE pg_monitor");
            }
            Vote last = Vote.NO;
            for (int i = 0; i < 2; i++) {
                GlobalTxId next = Branches.nextTx();
                CallScope call = TestAgent.call(next);
                try (CallScope.Binding bound = call.attach();
                        Connection connection = small.dataSource.getConnection();
                        Statement statement = connection.createStatement()) {
                    statement.execute("SELECT pg_current_xact_id()");
                }
                BranchId branch = TestAgent.branchOf(call);
                var unused = call.close();
                last = small.prepare(next, branch, 1).vote();
                small.awaitIdle();
            }
            assertEquals(Vote.YES, last);
        }
    }

    @Test
    void aTransactionLeftOpenByLocalSqlDoesNotReachTheNextBorrower() throws Exception {
        for (int i = 0; i < 10; i++) {
            try (Connection connection = agent.dataSource.getConnection();
                    Statement statement = connection.createStatement()) {
                statement.execute("BEGIN");
                statement.execute("UPDATE account SET balance = balance - 1 WHERE id = 1");
            }
        }
        assertEquals("100", balance());
        assertEquals("0", server.ask("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in trans%'"));
    }

    @Test
    void aFailureStaysUnlessASavepointUndoesIt() throws Exception {
        try (CallScope.Binding bound = scope.attach();
                Connection connection = agent.dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            withdraw(connection, 10);
            Savepoint savepoint = connection.setSavepoint();
            assertThrows(SQLException.class, () -> statement.execute("INSERT INTO account VALUES (1, 0)"));
            connection.rollback(savepoint);
            connection.releaseSavepoint(savepoint);
        }
        assertEquals(Vote.YES, vote().vote());
    }

    @Test
    void aSavepointInSqlTextUndoesAFailureAsWell() throws Exception {
        try (CallScope.Binding bound = scope.attach();
                Connection connection = agent.dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            withdraw(connection, 10);
            statement.execute("SAVEPOINT here");
            assertThrows(SQLException.class, () -> statement.execute("INSERT INTO account VALUES (1, 0)"));
            statement.execute("ROLLBACK TO SAVEPOINT here");
        }
        assertEquals(Vote.YES, vote().vote());
    }

    @Test
    void aFailureThatTheApplicationSwallowsMeansNo() throws Exception {
        try (CallScope.Binding bound = scope.attach();
                Connection connection = agent.dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            withdraw(connection, 10);
            assertThrows(SQLException.class, () -> statement.execute("INSERT INTO account VALUES (1, 0)"));
        }
        BranchVote vote = vote();
        assertEquals(Vote.NO, vote.vote());
        assertEquals(ErrorCode.STATEMENT_FAILED, vote.reason().code());
        agent.awaitIdle();
        assertEquals("100", balance());
        assertTrue(server.prepared().isEmpty());
    }

    @Test
    void statementsOfOneBranchRunOneAtATime() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                running.add(threads.submit(() -> {
                    try (CallScope.Binding bound = scope.attach();
                            Connection connection = agent.dataSource.getConnection()) {
                        for (int n = 0; n < 10; n++) {
                            withdraw(connection, 1);
                        }
                    }
                    return null;
                }));
            }
            for (Future<?> one : running) {
                one.get();
            }
        } finally {
            threads.shutdownNow();
        }
        BranchId branch = TestAgent.branchOf(scope);
        var unused = scope.close();
        assertEquals(OnePhaseFate.COMMITTED, agent.commitOnePhase(tx, branch, 1));
        assertEquals("20", balance());
    }

    @Test
    void batchesKeysArraysLargeObjectsAndMetadataWorkThroughTheWrappers() throws Exception {
        server.execute(
                "DROP TABLE IF EXISTS thing",
                "CREATE TABLE thing (id serial PRIMARY KEY, tags text[], body bytea, large oid)");
        try (CallScope.Binding bound = scope.attach();
                Connection connection = agent.dataSource.getConnection()) {
            try (PreparedStatement insert = connection.prepareStatement(
                    "INSERT INTO thing (tags, body, large) VALUES (?, ?, ?)", Statement.RETURN_GENERATED_KEYS)) {
                insert.setArray(1, connection.createArrayOf("text", new Object[] {"a", "b"}));
                insert.setBytes(2, new byte[] {1, 2, 3});
                insert.setBlob(3, new javax.sql.rowset.serial.SerialBlob(new byte[] {4, 5, 6}));
                insert.executeUpdate();
                try (ResultSet keys = insert.getGeneratedKeys()) {
                    assertTrue(keys.next());
                    assertEquals(1, keys.getInt("id"));
                    assertEquals(insert, keys.getStatement());
                }
            }
            try (PreparedStatement batch = connection.prepareStatement("INSERT INTO account VALUES (?, 0)")) {
                for (int id = 10; id < 15; id++) {
                    batch.setInt(1, id);
                    batch.addBatch();
                }
                assertEquals(5, batch.executeBatch().length);
            }
            try (Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery("SELECT tags, body, large FROM thing")) {
                assertEquals("_text", row.getMetaData().getColumnTypeName(1));
                assertTrue(row.next());
                Array tags = row.getArray(1);
                assertEquals(List.of("a", "b"), List.of((Object[]) tags.getArray()));
                try (InputStream body = row.getBinaryStream(2)) {
                    assertEquals(3, body.readAllBytes().length);
                }
                Blob blob = row.getBlob(3);
                assertEquals(3, blob.length());
                try (InputStream large = blob.getBinaryStream()) {
                    assertEquals(4, large.read());
                }
                blob.free();
                assertNull(row.getWarnings());
            }
            try (ResultSet tables = connection.getMetaData().getTables(null, "public", "thing", null)) {
                assertTrue(tables.next());
            }
        }
        assertEquals(Vote.YES, vote().vote());
    }

    @Test
    void aCursorIsReadInFetchesUnderTheBranch() throws Exception {
        int sum = 0;
        try (CallScope.Binding bound = scope.attach();
                Connection connection = agent.dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            statement.setFetchSize(10);
            statement.setQueryTimeout(7);
            try (ResultSet rows = statement.executeQuery("SELECT generate_series(1, 1000)")) {
                while (rows.next()) {
                    sum += rows.getInt(1);
                }
            }
            assertEquals(7, statement.getQueryTimeout());
        }
        assertEquals(500_500, sum);
        assertEquals(Vote.READ_ONLY, vote().vote());
    }

    @Test
    void withoutACoordinatorABranchIsRefusedAndLocalWorkGoesOn() throws Exception {
        agent.link.agent().broken(Reason.of(ErrorCode.STREAM_BROKEN));
        try (CallScope.Binding bound = scope.attach()) {
            SQLException refused = assertThrows(SQLException.class, agent.dataSource::getConnection);
            assertInstanceOf(SQLTransientConnectionException.class, refused);
            assertEquals(ErrorCode.NO_COORDINATOR, SqlErrors.reasonOf(refused).code());
        }
        try (Connection connection = agent.dataSource.getConnection()) {
            withdraw(connection, 1);
        }
        assertEquals("99", balance());
    }
}
