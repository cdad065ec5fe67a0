package io.troth.agent.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.database.PostgresExtension;
import io.troth.agent.sql.SqlCall;
import io.troth.agent.sql.SqlCursor;
import io.troth.agent.sql.SqlGateway;
import io.troth.agent.sql.SqlLimits;
import io.troth.agent.sql.SqlParameter;
import io.troth.agent.sql.SqlStatement;
import io.troth.agent.sql.SqlType;
import io.troth.core.ErrorCode;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.participant.PrepareResult;
import io.troth.core.participant.StatementEnd;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.jdbc.AutoSave;
import org.postgresql.jdbc.PreferQueryMode;

/**
 * Goal: a branch that begins in the message of its first statement saves a round trip and is otherwise like any other
 * (protocol 10.1): its marker is set before the statement, its vote is true, and the statement behaves as JDBC says.
 * Method: the real pool and handles on a real PostgreSQL, behind a proxy that counts round trips and loses answers.
 */
@SuppressWarnings("try") // A binding is there to be closed.
class FirstStatementTest extends BranchThroughProxy {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    @Override
    PostgresExtension postgres() {
        return POSTGRES;
    }

    // What it saves.

    /** Also when both parts are prepared at the server, from the fifth time on. */
    @Test
    void aBranchOfOneUpdateCostsOneRoundTripAndThatOfItsPrepare() throws Exception {
        for (int i = 0; i < 8; i++) {
            work(connection -> {
                try (PreparedStatement statement = withdraw(connection, 1)) {
                    roundTrips(0);
                    assertEquals(0, database.stats().branches().active(), "no connection before it is needed");
                    assertEquals(1, statement.executeUpdate());
                    roundTrips(1);
                }
            });
            assertEquals(PrepareResult.Kind.PREPARED, prepare().kind());
            roundTrips(1);
            assertEquals(1, server.prepared().size());
            server.rollbackEverythingPrepared();
            nextBranch();
        }
    }

    @Test
    void aBranchOfOneQueryCostsOneRoundTripBeforeItsProbeAndCommit() throws Exception {
        for (int i = 0; i < 8; i++) {
            work(connection -> {
                try (PreparedStatement statement = connection.prepareStatement(BALANCE)) {
                    assertEquals(100, balanceBy(statement));
                }
            });
            roundTrips(1);
            assertEquals(PrepareResult.Kind.READ_ONLY, prepare().kind());
            roundTrips(2);
            nextBranch();
        }
    }

    @Test
    void aQueryOfTheGatewayCostsNoMoreAndNoPreparedTransaction() throws Exception {
        SqlGateway gateway = new SqlGateway(
                Map.of("accounts", new ResourceDataSource(database, workspace, false, 0)), SqlLimits.DEFAULTS);
        // Of a table's own column the driver would ask whether it counts by itself.
        String sql = "SELECT balance + ? FROM account WHERE id = 1";
        SqlStatement statement = new SqlStatement("accounts", sql, List.of(new SqlParameter(SqlType.INT4, false, 0L)));
        work(unused -> {
            try (SqlCursor rows = gateway.query(statement, 0, new SqlCall())) {
                assertEquals(List.of(100L), rows.next());
                assertNull(rows.next());
            }
        });
        roundTrips(1);
        // Were it sent, the vote would be lost.
        proxy.loseAnswersTo("PREPARE TRANSACTION", () -> true);
        assertEquals(PrepareResult.Kind.READ_ONLY, prepare().kind());
        roundTrips(2);
    }

    @Test
    void theSecondExecutionIsAnOrdinaryOneWithTheSameValues() throws Exception {
        work(connection -> {
            try (PreparedStatement statement = withdraw(connection, 10)) {
                assertEquals(1, statement.executeUpdate());
                assertFalse(statement.execute());
                assertEquals(1, statement.getUpdateCount());
                statement.setInt(1, 5);
                assertEquals(1, statement.executeLargeUpdate());
                roundTrips(3);
            }
        });
        assertEquals(OnePhaseFate.COMMITTED, commitOnePhase().fate());
        roundTrips(2);
        assertEquals("75", balance());
    }

    @Test
    void theBranchBeginsWithWhicheverStatementIsExecutedFirst() throws Exception {
        work(connection -> {
            try (PreparedStatement first = withdraw(connection, 10);
                    PreparedStatement second = connection.prepareStatement(BALANCE)) {
                assertEquals(100, balanceBy(second));
                roundTrips(1);
                assertEquals(1, first.executeUpdate());
                assertEquals(90, balanceBy(second));
                roundTrips(2);
            }
        });
        assertEquals(PrepareResult.Kind.PREPARED, prepare().kind());
    }

    // What the branch is.

    @Test
    void markerAndSettingsHoldBeforeTheFirstStatementRuns() throws Exception {
        work(connection -> {
            connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
            try (PreparedStatement statement = connection.prepareStatement(
                            "SELECT current_setting('troth.branch'), current_setting('synchronous_commit'),"
                                    + " current_setting('transaction_isolation'), current_setting('lock_timeout')");
                    ResultSet row = statement.executeQuery()) {
                roundTrips(1);
                assertTrue(row.next());
                assertEquals(workspace.branch().toString(), row.getString(1));
                assertEquals("on", row.getString(2));
                assertEquals("serializable", row.getString(3));
                assertFalse(row.getString(4).equals("0"));
            }
        });
        assertEquals(PrepareResult.Kind.READ_ONLY, prepare().kind());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "COMMIT",
                "COMMIT AND CHAIN",
                "ROLLBACK AND CHAIN",
                "UPDATE account SET balance = 1 WHERE id = 1; COMMIT; BEGIN",
                "ROLLBACK; BEGIN; UPDATE account SET balance = 1 WHERE id = 2"
            })
    void strayTransactionControlInTheFirstStatementMeansNo(String stray) throws Exception {
        work(connection -> {
            try (PreparedStatement statement = connection.prepareStatement(stray)) {
                statement.execute();
            }
            try (PreparedStatement more = withdraw(connection, 10)) {
                more.executeUpdate();
            }
        });
        PrepareResult result = prepare();
        assertEquals(PrepareResult.Kind.REFUSED, result.kind());
        assertEquals(ErrorCode.TRANSACTION_CONTROL_BYPASSED, result.reason().code());
        assertEquals(List.of(), server.prepared());
    }

    @Test
    void aBranchWhoseFirstStatementFailsVotesNoAndItsConnectionIsReused() throws Exception {
        int backend = backendOfABranch();
        work(connection -> {
            try (PreparedStatement statement =
                    connection.prepareStatement("INSERT INTO account (id, balance) VALUES (?, 0)")) {
                statement.setInt(1, 1);
                SQLException failure = assertThrows(SQLException.class, statement::executeUpdate);
                assertEquals("23505", failure.getSQLState());
                assertEquals(StatementEnd.Kind.FAILED, workspace.lastEnd());
                roundTrips(1);
                SQLException again = assertThrows(SQLException.class, statement::executeUpdate);
                assertEquals("25P02", again.getSQLState());
            }
        });
        PrepareResult result = prepare();
        assertEquals(PrepareResult.Kind.REFUSED, result.kind());
        assertEquals(ErrorCode.STATEMENT_FAILED, result.reason().code());
        assertEquals(List.of(), server.prepared());

        nextBranch();
        assertEquals(backend, backendOfABranch(), "the connection was clean");
    }

    /** As one that was cancelled, or whose time was over: the statement behind it must not run outside of a transaction. */
    @ParameterizedTest
    @ValueSource(ints = {Connection.TRANSACTION_NONE, Connection.TRANSACTION_SERIALIZABLE})
    void aStatementWhoseBeginFailsDoesNotRun(int isolation) throws Exception {
        work(connection -> {
            if (isolation != Connection.TRANSACTION_NONE) {
                connection.setTransactionIsolation(isolation);
            }
            proxy.misspell("BEGIN");
            try (PreparedStatement statement = withdraw(connection, 10)) {
                assertEquals(
                        "42601",
                        assertThrows(SQLException.class, statement::executeUpdate)
                                .getSQLState());
                assertEquals("100", balance());
                assertEquals(StatementEnd.Kind.CONNECTION_LOST, workspace.lastEnd());
                assertThrows(SQLException.class, statement::executeUpdate);
            }
        });
        assertFalse(rollback());
        assertEquals("100", balance());
    }

    /** Runs a branch, and makes ready for the next. */
    private int backendOfABranch() throws Exception {
        int[] backend = new int[1];
        work(connection -> {
            try (PreparedStatement statement = connection.prepareStatement("SELECT pg_backend_pid()");
                    ResultSet row = statement.executeQuery()) {
                assertTrue(row.next());
                backend[0] = row.getInt(1);
            }
        });
        assertEquals(PrepareResult.Kind.READ_ONLY, prepare().kind());
        nextBranch();
        proxy.takeRoundTripsInTransactions();
        return backend[0];
    }

    /** Nobody has read when such a transaction began, so nobody could tell it from another one. */
    @Test
    void aTransactionMadeAfterTheFailureOfTheFirstStatementIsNotTheBranchs() throws Exception {
        work(connection -> {
            try (PreparedStatement fails = connection.prepareStatement("SELECT 1 / 0")) {
                assertThrows(SQLException.class, fails::executeQuery);
            }
            try (Statement statement = connection.createStatement()) {
                statement.execute("ROLLBACK");
                statement.execute("SELECT set_config('troth.branch', '" + workspace.branch() + "', true)");
                statement.execute("UPDATE account SET balance = 1 WHERE id = 1");
            }
        });
        PrepareResult result = prepare();
        assertEquals(PrepareResult.Kind.REFUSED, result.kind());
        assertEquals(ErrorCode.TRANSACTION_CONTROL_BYPASSED, result.reason().code());
        assertEquals(List.of(), server.prepared());
        assertEquals("100", balance());
    }

    /** Half a statement may have reached the server, whose transaction is open and seems unharmed. */
    @Test
    void aStatementInWhichTheDriverThrowsLosesTheBranch() throws Exception {
        work(connection -> {
            try (PreparedStatement statement = withdraw(connection, 1)) {
                statement.executeUpdate();
            }
            BranchSession session = database.session(scope, workspace, workspace.branch());
            assertThrows(
                    IllegalStateException.class,
                    () -> session.run(scope, Use.EXECUTE, null, own -> {
                        throw new IllegalStateException("a bug of a driver");
                    }));
            assertEquals(StatementEnd.Kind.CONNECTION_LOST, workspace.lastEnd());
        });
        assertEquals(PrepareResult.Kind.REFUSED, prepare().kind());
        assertEquals(List.of(), server.prepared());
    }

    @Test
    void aLostAnswerToTheFirstStatementLosesTheBranch() throws Exception {
        proxy.loseAnswerTo("UPDATE account");
        work(connection -> {
            try (PreparedStatement statement = withdraw(connection, 10)) {
                assertThrows(SQLException.class, statement::executeUpdate);
            }
        });
        assertEquals(StatementEnd.Kind.CONNECTION_LOST, workspace.lastEnd());
        assertFalse(rollback());
        assertEquals("100", balance());
    }

    @Test
    void nothingIsBegunByAStatementThatIsNeverExecuted() throws Exception {
        work(connection -> {
            PreparedStatement statement = withdraw(connection, 10);
            statement.setQueryTimeout(3);
            assertEquals(3, statement.getQueryTimeout());
            assertSame(connection, statement.getConnection());
            statement.cancel();
            statement.clearParameters();
            statement.close();
            assertTrue(statement.isClosed());
            assertThrows(SQLException.class, () -> statement.setInt(1, 1));
            assertThrows(SQLException.class, statement::executeUpdate);
        });
        roundTrips(0);
        assertEquals(0, database.stats().branches().active());
        assertEquals(PrepareResult.Kind.READ_ONLY, prepare().kind());
    }

    @Test
    void anEndedBranchRefusesAStatementAtOnce() throws Exception {
        work(connection -> {
            PreparedStatement before = withdraw(connection, 10);
            assertTrue(rollback());
            assertThrows(SQLException.class, () -> connection.prepareStatement(BALANCE));
            assertThrows(SQLException.class, before::executeUpdate);
            assertEquals(0, database.stats().branches().active());
        });
        roundTrips(0);
    }

    // Where a branch must begin by itself.

    /** Undoing a failed statement, they would undo the marker that came with it. */
    @Test
    void withTheDriversOwnSavepointsABranchBeginsByItself() throws Exception {
        PGSimpleDataSource source = source();
        source.setAutosave(AutoSave.ALWAYS);
        reopen(source);
        work(connection -> {
            try (PreparedStatement fails = connection.prepareStatement("SELECT 1 / ?")) {
                fails.setInt(1, 0);
                assertThrows(SQLException.class, fails::executeQuery);
                assertEquals(StatementEnd.Kind.COMPLETED, workspace.lastEnd());
            }
            try (PreparedStatement statement = withdraw(connection, 10)) {
                assertEquals(1, statement.executeUpdate());
            }
        });
        assertEquals(PrepareResult.Kind.PREPARED, prepare().kind());
    }

    /** It mixes the columns of a text's statements up. */
    @Test
    void withADriverThatIsMadeToTakeBinaryValuesABranchBeginsByItself() throws Exception {
        PGSimpleDataSource source = source();
        source.setPrepareThreshold(-1);
        reopen(source);
        work(connection -> {
            try (PreparedStatement statement =
                    connection.prepareStatement("SELECT id, balance FROM account WHERE id = ?")) {
                statement.setInt(1, 1);
                try (ResultSet row = statement.executeQuery()) {
                    assertTrue(row.next());
                    assertEquals(100, row.getInt(2));
                }
            }
        });
        assertEquals(PrepareResult.Kind.READ_ONLY, prepare().kind());
    }

    @ParameterizedTest
    @ValueSource(strings = {"SIMPLE", "EXTENDED_FOR_PREPARED", "EXTENDED_CACHE_EVERYTHING"})
    void inOtherModesOfTheDriverABranchBeginsByItself(PreferQueryMode mode) throws Exception {
        PGSimpleDataSource source = source();
        source.setPreferQueryMode(mode);
        reopen(source);
        work(connection -> {
            try (PreparedStatement statement = withdraw(connection, 10)) {
                assertEquals(1, statement.executeUpdate());
            }
        });
        assertEquals(PrepareResult.Kind.PREPARED, prepare().kind());
    }

    // Cancelling.

    private Future<Integer> blockedWithdrawal(ExecutorService thread, CompletableFuture<PreparedStatement> started) {
        return thread.submit(() -> {
            int[] rows = new int[1];
            work(connection -> {
                try (PreparedStatement statement = withdraw(connection, 10)) {
                    statement.setQueryTimeout(500);
                    started.complete(statement);
                    rows[0] = statement.executeUpdate();
                }
            });
            return rows[0];
        });
    }

    /** The server shows the application's statement, as if it had come alone. */
    private void awaitBlocked() {
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .until(() -> "1"
                        .equals(server.ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                                + " AND query = 'UPDATE account SET balance = balance - $1 WHERE id = $2'")));
    }

    /** As the application does it, and as whoever ends the branch. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theFirstStatementCanBeCancelledAndHasTheTimeoutThatWasSet(boolean byTheApplication) throws Exception {
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try (Connection rival = server.dataSource().getConnection();
                Statement lock = rival.createStatement()) {
            rival.setAutoCommit(false);
            lock.execute("UPDATE account SET balance = 0 WHERE id = 1");
            CompletableFuture<PreparedStatement> started = new CompletableFuture<>();
            Future<Integer> blocked = blockedWithdrawal(thread, started);
            awaitBlocked();
            Statement running =
                    database.session(scope, workspace, workspace.branch()).running();
            assertEquals(500, running.getQueryTimeout());
            if (byTheApplication) {
                started.join().cancel();
            } else {
                running.cancel();
            }
            ExecutionException failure =
                    assertThrows(ExecutionException.class, () -> blocked.get(60, TimeUnit.SECONDS));
            assertEquals("57014", ((SQLException) failure.getCause()).getSQLState(), failure::toString);
            assertEquals(StatementEnd.Kind.FAILED, workspace.lastEnd());
            assertTrue(rollback());
        } finally {
            thread.shutdownNow();
        }
        assertEquals("100", balance());
    }
}
