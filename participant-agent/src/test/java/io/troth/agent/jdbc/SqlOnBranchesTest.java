package io.troth.agent.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.database.Branches;
import io.troth.agent.database.PostgresExtension;
import io.troth.agent.database.TestPostgres;
import io.troth.agent.grpc.SimulatedCoordinator;
import io.troth.agent.grpc.SqlGatewayServer;
import io.troth.agent.grpc.SqlServerSettings;
import io.troth.agent.sql.SqlGateway;
import io.troth.agent.sql.SqlLimits;
import io.troth.agent.xa.PostgresDriver;
import io.troth.client.GlobalTransaction;
import io.troth.client.SqlFailedException;
import io.troth.client.SqlRow;
import io.troth.client.SqlRows;
import io.troth.client.TransactionSql;
import io.troth.client.TrothClient;
import io.troth.client.context.CallScope;
import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.TrothException;
import io.troth.core.Vote;
import io.troth.core.coordinator.PhaseTwoResult;
import io.troth.core.participant.CoordinatorMessage.BranchVote;
import io.troth.proto.v1.BranchWork;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.PGConnection;

/**
 * Goal: remote SQL does its work on the transaction's branch and nowhere else, and what got past the statement rules is
 * caught by the branch. Method: client library, gateway, real engine, real PostgreSQL; the test asks for the votes.
 */
class SqlOnBranchesTest {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    private TestPostgres server;
    private TestAgent agent;
    private SqlGatewayServer gateway;
    private SimulatedCoordinator coordinator;
    private TrothClient client;
    private GlobalTransaction tx;
    private TransactionSql sql;

    @BeforeEach
    void open() throws Exception {
        server = POSTGRES.server();
        server.rollbackEverythingPrepared();
        server.execute(
                "DROP TABLE IF EXISTS account CASCADE",
                "CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)",
                "INSERT INTO account VALUES (1, 100), (2, 100)");
        agent = new TestAgent(new PostgresDriver(server.dataSource(), 10_000), PoolSettings.ofSize(4));
        gateway = SqlGatewayServer.start(
                SqlServerSettings.loopback(0),
                new SqlGateway(Map.of(TestAgent.RESOURCE, agent.dataSource), SqlLimits.DEFAULTS));
        coordinator = new SimulatedCoordinator(Branches.CLUSTER, TestAgent.EPOCH);
        coordinator.gateways(TestAgent.RESOURCE, gateway.announced().toString());
        client = TrothClient.connect(coordinator.endpoint());
        tx = client.begin();
        sql = tx.sql(TestAgent.RESOURCE);
    }

    @AfterEach
    void close() throws Exception {
        tx.close();
        client.close();
        gateway.close();
        coordinator.close();
        agent.close();
        server.rollbackEverythingPrepared();
        assertTrue(agent.failures.isEmpty(), () -> agent.failures.toString());
    }

    /** Commits at the client, and asks the agent for the vote as the coordinator would. */
    private BranchVote vote() {
        tx.commit();
        BranchWork work = coordinator.commits().get(0).getBranches(0);
        BranchId branch =
                new BranchId(work.getBranch().getInstance(), work.getBranch().getCounter());
        return agent.prepare(tx.id(), branch, work.getCalls());
    }

    /** The vote on what the client would not commit. */
    private BranchVote voteAnyway(int calls) {
        BranchId branch = agent.await(
                        io.troth.core.participant.CoordinatorMessage.Enlist.class,
                        enlist -> enlist.tx().equals(tx.id()))
                .branch();
        return agent.prepare(tx.id(), branch, calls);
    }

    @Test
    void everyCallCountsAndTheWorkIsThatOfOneBranch() throws Exception {
        assertEquals(1, sql.update("UPDATE account SET balance = balance - ? WHERE id = ?", 10, 1));
        assertEquals(
                List.of(1L, 1L),
                sql.batch(
                        "UPDATE account SET balance = balance + ? WHERE id = ?",
                        List.of(List.of(4, 2), List.of(6, 2))));
        try (SqlRows rows = sql.query("SELECT sum(balance)::int AS total, min(balance) AS least FROM account")) {
            SqlRow row = rows.iterator().next();
            assertEquals(200, row.getInt("total"));
            assertEquals(90, row.getInt("least"));
        }
        assertEquals("100", server.ask("SELECT min(balance) FROM account"));
        BranchVote vote = vote();
        assertEquals(Vote.YES, vote.vote());
        assertEquals(1, coordinator.commits().get(0).getBranchesCount());
        assertEquals(3, coordinator.commits().get(0).getBranches(0).getCalls());
        assertEquals(PhaseTwoResult.COMMITTED, agent.commit(tx.id(), vote.branch(), vote.proof()));
        assertEquals("90", server.ask("SELECT min(balance) FROM account"));
    }

    @Test
    void aResultWithoutEndIsFetchedPieceByPieceAndClosedEarly() {
        try (SqlRows rows = sql.withFetchSize(10).query("SELECT generate_series(1, 2000000000) AS n")) {
            Iterator<SqlRow> each = rows.iterator();
            for (int n = 1; n <= 25; n++) {
                assertEquals(n, each.next().getInt("n"));
            }
            assertEquals(1, sql.update("UPDATE account SET balance = 1 WHERE id = 1"), "works beside the open cursor");
        }
        assertEquals(Vote.YES, vote().vote());
    }

    /** As the first statement of its branch, and as a later one. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aResultThatShouldNotBeThereIsNotLoaded(boolean first) throws Exception {
        server.execute("DROP SEQUENCE IF EXISTS row_made", "CREATE SEQUENCE row_made");
        if (!first) {
            sql.update("UPDATE account SET balance = 1 WHERE id = 1");
        }
        TrothException refused = assertThrows(
                TrothException.class,
                () -> sql.update("SELECT nextval('row_made') FROM generate_series(1, ?)", 50_000));
        assertEquals(ErrorCode.INVALID_ARGUMENT, refused.code());
        assertTrue(refused.getMessage().contains("use Query"), refused::getMessage);
        // The sequence counts outside of transactions.
        assertEquals("2", server.ask("SELECT last_value FROM row_made"));
    }

    @Test
    void onlyReadingIsReadOnly() {
        assertEquals(2, sql.query("SELECT id FROM account").stream().count());
        assertEquals(Vote.READ_ONLY, vote().vote());
    }

    @Test
    void aFailedStatementSpoilsTheBranchToo() {
        sql.update("UPDATE account SET balance = 1 WHERE id = 1");
        SqlFailedException failed =
                assertThrows(SqlFailedException.class, () -> sql.update("INSERT INTO account VALUES (?, ?)", 1, 1));
        assertEquals("23505", failed.sqlState());
        assertTrue(tx.isRollbackOnly());
        assertEquals(Vote.NO, voteAnyway(2).vote());
    }

    /** The driver quotes a batch's statement with all values, which are nobody else's, and leave no room for what is wrong. */
    @Test
    void aFailedBatchSaysWhatIsWrongAndNotItsValues() {
        String value = "value".repeat(1_000);
        String said = "duplicate key value violates unique constraint \"account_pkey\"";
        SqlFailedException failed = assertThrows(
                SqlFailedException.class,
                () -> sql.batch(
                        "INSERT INTO account VALUES (?, length(?))", List.of(List.of(3, value), List.of(1, value))));
        assertEquals("23505", failed.sqlState());
        assertEquals(
                "resource " + TestAgent.RESOURCE + ": " + said + " (SQLState 23505)",
                failed.reason().detail());
        assertEquals("SQLState 23505: " + said, voteAnyway(1).reason().detail(), "what coordinator and logs are told");
    }

    @Test
    void whatIsRefusedNeverReachesTheDatabase() {
        TrothException refused = assertThrows(TrothException.class, () -> sql.update("COMMIT"));
        assertEquals(ErrorCode.SQL_REFUSED, refused.code());
        assertTrue(tx.isRollbackOnly());
        assertEquals(0, agent.database.stats().branches().active());
    }

    @Test
    void aHiddenChangeOfTheUserIsFoundBeforePrepare() throws Exception {
        server.execute("DROP ROLE IF EXISTS gateway_other", "CREATE ROLE gateway_other");
        sql.update("UPDATE account SET balance = 1 WHERE id = 1");
        sql.update("DO $$ BEGIN EXECUTE 'SET LOCAL ROLE gateway_other'; END $$");
        BranchVote vote = vote();
        assertEquals(Vote.NO, vote.vote());
        assertEquals(ErrorCode.TRANSACTION_CONTROL_BYPASSED, vote.reason().code());
        assertEquals("100", server.ask("SELECT balance FROM account WHERE id = 1"));
    }

    @Test
    void aHiddenCommitFailsAndSpoilsTheBranch() throws Exception {
        sql.update("UPDATE account SET balance = 1 WHERE id = 1");
        SqlFailedException failed =
                assertThrows(SqlFailedException.class, () -> sql.update("DO $$ BEGIN COMMIT; END $$"));
        assertEquals("2D000", failed.sqlState());
        assertEquals(Vote.NO, voteAnyway(2).vote());
        assertEquals("100", server.ask("SELECT balance FROM account WHERE id = 1"));
    }

    @Test
    void aNotificationCannotBePreparedAndSaysSo() {
        // Read to its end: a query that is closed at once may never have run.
        assertEquals(
                1,
                sql.query("SELECT 1 FROM (SELECT pg_notify('x', 'y')) n").stream()
                        .count());
        sql.update("UPDATE account SET balance = 1 WHERE id = 1");
        BranchVote vote = vote();
        assertEquals(Vote.NO, vote.vote());
        assertTrue(vote.reason().detail().contains("NOTIFY"), vote.reason().toString());
    }

    /** PostgreSQL gives a transaction that only notifies no id: it looks like one that has only read. */
    @Test
    void aNotificationOfABranchThatOnlyReadsIsSentAtTheVote() throws Exception {
        try (Connection listening = server.dataSource().getConnection();
                Statement statement = listening.createStatement()) {
            statement.execute("LISTEN gateway_told");
            assertEquals(
                    1,
                    sql.query("SELECT 1 FROM (SELECT pg_notify('gateway_told', 'y')) n").stream()
                            .count());
            PGConnection connection = listening.unwrap(PGConnection.class);
            assertEquals(0, connection.getNotifications(1).length);
            assertEquals(Vote.READ_ONLY, vote().vote());
            assertEquals("y", connection.getNotifications(20_000)[0].getParameter());
        }
    }

    /** So that nothing is kept waiting by a branch that has nothing to commit; a row that it locks makes it one that has. */
    @ParameterizedTest
    @CsvSource({"'', READ_ONLY, true", "FOR UPDATE, YES, false"})
    void aLockOfABranchThatOnlyReadsEndsAtTheVote(String lock, Vote expected, boolean free) throws Exception {
        assertEquals(
                1, sql.query("SELECT pg_advisory_xact_lock(7)::text").stream().count());
        assertEquals(
                1,
                sql.query("SELECT balance FROM account WHERE id = 1 " + lock).stream()
                        .count());
        assertEquals("f", server.ask("SELECT pg_try_advisory_xact_lock(7)"));

        assertEquals(expected, vote().vote());

        assertEquals(free ? "t" : "f", server.ask("SELECT pg_try_advisory_xact_lock(7)"));
    }

    @Test
    void aCallThatRunsOutOfTimeStopsItsStatement() {
        TransactionSql brief = sql.withTimeout(Duration.ofMillis(300));
        TrothException late = assertThrows(
                TrothException.class,
                () -> brief.query("SELECT 1 FROM pg_sleep(60)").stream().count());
        assertEquals(ErrorCode.DEADLINE_EXCEEDED, late.code());
        assertTrue(tx.isRollbackOnly());
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .until(() -> server.ask("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' "
                                + "AND pid <> pg_backend_pid() AND state = 'active'")
                        .equals("0"));
        assertFalse(Thread.currentThread().isInterrupted());
    }

    /** Values are set, and counts read, in memory, on a statement that the end of its branch has closed meanwhile. */
    @Test
    @SuppressWarnings("try")
    void aStatementThatWasClosedWithItsBranchSaysWhyTheBranchEnded() throws Exception {
        GlobalTxId other = Branches.nextTx();
        CallScope scope = TestAgent.call(other);
        try (CallScope.Binding bound = scope.attach();
                Connection connection = agent.dataSource.getConnection();
                Statement first = connection.createStatement();
                PreparedStatement second =
                        connection.prepareStatement("UPDATE account SET balance = balance + ? WHERE id = 1")) {
            first.executeUpdate("UPDATE account SET balance = 0 WHERE id = 1");
            second.setInt(1, 1);
            agent.rollback(other, TestAgent.branchOf(scope));
            agent.awaitIdle();
            for (Executable call : List.<Executable>of(
                    () -> second.setFetchSize(2), () -> second.setInt(1, 2), second::getLargeUpdateCount)) {
                SQLException refused = assertThrows(SQLException.class, call);
                assertEquals(
                        ErrorCode.BRANCH_ROLLED_BACK,
                        SqlErrors.reasonOf(refused).code(),
                        refused::getMessage);
            }
        }
    }
}
