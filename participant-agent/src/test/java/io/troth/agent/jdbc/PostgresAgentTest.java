package io.troth.agent.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.database.Branches;
import io.troth.agent.database.CuttingProxy;
import io.troth.agent.database.PostgresExtension;
import io.troth.agent.database.TestPostgres;
import io.troth.agent.xa.PostgresDriver;
import io.troth.client.context.CallScope;
import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import io.troth.core.Vote;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.Fate;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.coordinator.PhaseTwoResult;
import io.troth.core.participant.CoordinatorMessage;
import io.troth.core.participant.CoordinatorMessage.BranchVote;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Goal: an agent ends every branch as the protocol says when PostgreSQL, the application or the coordinator misbehaves:
 * the vote is true, the locks are free, the pool is clean. Method: the real engine on a real server; the test plays the
 * coordinator, ends backends, and cuts connections by a proxy.
 */
@SuppressWarnings("try") // A binding is there to be closed.
class PostgresAgentTest {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    private static final String WITHDRAW = "UPDATE account SET balance = balance - 10 WHERE id = 1";

    private TestPostgres server;
    private CuttingProxy proxy;
    private TestAgent agent;
    private GlobalTxId tx;
    private CallScope scope;
    private int backend;

    @BeforeEach
    void open() throws Exception {
        server = POSTGRES.server();
        server.rollbackEverythingPrepared();
        server.execute(
                "DROP TABLE IF EXISTS account CASCADE",
                "CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)",
                "INSERT INTO account VALUES (1, 100), (2, 100)");
        proxy = new CuttingProxy(server.port());
        agent = agent(4);
        tx = Branches.nextTx();
        scope = TestAgent.call(tx);
    }

    private TestAgent agent(int poolSize) throws Exception {
        return new TestAgent(
                new PostgresDriver(server.dataSource("postgres", "postgres", proxy.port()), 10_000),
                new PoolSettings(poolSize, 2, 0, 20_000, 15_000));
    }

    @AfterEach
    void close() throws Exception {
        agent.close();
        proxy.close();
        server.rollbackEverythingPrepared();
        assertTrue(agent.failures.isEmpty(), () -> agent.failures.toString());
    }

    private String balance() throws SQLException {
        return server.ask("SELECT balance FROM account WHERE id = 1");
    }

    private void assertLocksAreFree() throws SQLException {
        server.execute("SET lock_timeout = '20s'; UPDATE account SET balance = balance WHERE id = 1");
    }

    private BranchId work(String... statements) throws SQLException {
        return work(scope, statements);
    }

    private BranchId work(CallScope in, String... statements) throws SQLException {
        try (CallScope.Binding bound = in.attach();
                Connection connection = agent.dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            try (ResultSet row = statement.executeQuery("SELECT pg_backend_pid()")) {
                assertTrue(row.next());
                backend = row.getInt(1);
            }
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
        return TestAgent.branchOf(in);
    }

    private BranchVote voteAfterClose(BranchId branch) {
        var unused = scope.close();
        return agent.prepare(tx, branch, 1);
    }

    private void terminate() throws SQLException {
        server.ask("SELECT pg_terminate_backend(" + backend + ", 20000)");
    }

    private void assertRolledBack(ErrorCode code, BranchVote vote) throws Exception {
        assertEquals(Vote.NO, vote.vote());
        assertEquals(code, vote.reason() == null ? null : vote.reason().code());
        agent.awaitIdle();
        assertLocksAreFree();
        assertEquals(List.of(), server.prepared());
    }

    // What the application does (protocol 10.1).

    @ParameterizedTest
    @ValueSource(strings = {"COMMIT", "COMMIT AND CHAIN", "ROLLBACK", "SET ROLE pg_monitor"})
    void strayTransactionControlMeansNoAndTheConnectionIsNotReusedDirty(String stray) throws Exception {
        assertRolledBack(ErrorCode.TRANSACTION_CONTROL_BYPASSED, voteAfterClose(work(WITHDRAW, stray)));
        for (int i = 0; i < 8; i++) {
            GlobalTxId next = Branches.nextTx();
            CallScope call = TestAgent.call(next);
            BranchId branch = work(call, "UPDATE account SET balance = balance WHERE id = 2");
            var unused = call.close();
            assertEquals(OnePhaseFate.COMMITTED, agent.commitOnePhase(next, branch, 1));
        }
    }

    @Test
    void aStrayCommitIsNotHiddenInOnePhaseEither() throws Exception {
        BranchId branch = work(WITHDRAW, "COMMIT");
        var unused = scope.close();
        assertEquals(OnePhaseFate.ROLLED_BACK, agent.commitOnePhase(tx, branch, 1));
        CoordinatorMessage.OnePhaseResult result = agent.await(CoordinatorMessage.OnePhaseResult.class, any -> true);
        assertEquals(ErrorCode.TRANSACTION_CONTROL_BYPASSED, result.reason().code());
    }

    /** As with any connection: an interrupt is for those who wait. */
    @Test
    void aThreadThatIsInterruptedRunsItsStatementsAllTheSame() throws Exception {
        BranchId branch = work("SELECT 1");
        Thread.currentThread().interrupt();
        try {
            work(WITHDRAW);
            assertTrue(Thread.currentThread().isInterrupted());
        } finally {
            var unused = Thread.interrupted();
        }
        assertEquals(Vote.YES, voteAfterClose(branch).vote());
    }

    // A killed backend in each state (protocol 5.3, 7.1).

    @Test
    void aBackendThatEndsBetweenStatementsKillsTheBranchAndNoOther() throws Exception {
        BranchId branch = work(WITHDRAW);
        terminate();
        SQLException failure = assertThrows(SQLException.class, () -> work("SELECT 1"));
        assertEquals(ErrorCode.CONNECTION_LOST, SqlErrors.reasonOf(failure).code());
        assertEquals("57P01", ((SQLException) failure.getCause().getCause()).getSQLState());
        agent.awaitIdle();
        CallScope again = TestAgent.call(tx);
        BranchId second = work(again, WITHDRAW);
        assertFalse(branch.equals(second), "a lost branch is never continued on another connection");
        var unused = List.of(scope.close(), again.close());
        assertEquals(Vote.NO, agent.prepare(tx, branch, 1).vote());
        assertEquals(Vote.YES, agent.prepare(tx, second, 1).vote());
    }

    @Test
    void aBackendThatEndsInAStatementKillsTheBranch() throws Exception {
        BranchId branch = work(WITHDRAW);
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try {
            Future<BranchId> sleeping = thread.submit(() -> work("SELECT pg_sleep(30)"));
            awaitSleeping();
            terminate();
            assertThrows(java.util.concurrent.ExecutionException.class, sleeping::get);
        } finally {
            thread.shutdownNow();
        }
        assertRolledBack(ErrorCode.CONNECTION_LOST, voteAfterClose(branch));
    }

    private void awaitSleeping() {
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .until(() -> "1"
                        .equals(server.ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
                                + " AND pid = " + backend)));
    }

    @Test
    void aBackendThatEndedBeforePrepareMeansNo() throws Exception {
        BranchId branch = work(WITHDRAW);
        terminate();
        var unused = scope.close();
        BranchVote vote = agent.prepare(tx, branch, 1);
        assertEquals(Vote.NO, vote.vote());
        agent.awaitIdle();
        assertLocksAreFree();
    }

    @Test
    void aPrepareWhoseAnswerIsLostIsListedAgainAndRolledBackByTheOutcome() throws Exception {
        BranchId branch = work(WITHDRAW);
        proxy.loseAnswerTo("PREPARE TRANSACTION");
        assertEquals(Vote.NO, voteAfterClose(branch).vote());
        CoordinatorMessage.BranchInquiry inquiry = agent.await(CoordinatorMessage.BranchInquiry.class, any -> true);
        assertEquals(branch, inquiry.branch());
        agent.rollback(tx, branch);
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .until(() -> server.prepared().isEmpty());
        assertLocksAreFree();
        assertEquals("100", balance());
    }

    @Test
    void aPreparedBranchOutlivesItsBackend() throws Exception {
        BranchVote vote = voteAfterClose(work(WITHDRAW));
        terminate();
        assertEquals(PhaseTwoResult.COMMITTED, agent.commit(tx, vote.branch(), vote.proof()));
        assertEquals("90", balance());
    }

    @Test
    void aLostAnswerOfPhaseTwoIsDoneAtTheNextAttemptBecauseTheProofSaysSo() throws Exception {
        BranchVote vote = voteAfterClose(work(WITHDRAW));
        proxy.loseAnswerTo("COMMIT PREPARED");
        assertEquals(PhaseTwoResult.COMMITTED, agent.commit(tx, vote.branch(), vote.proof()));
        assertEquals("90", balance());
    }

    // One phase (protocol 8.1, 8.2).

    @Test
    void aLostOnePhaseCommitIsUnknownAndItsProofTellsTheFate() throws Exception {
        BranchId branch = work(WITHDRAW);
        var unused = scope.close();
        proxy.loseAnswerTo("COMMIT");
        assertEquals(OnePhaseFate.LOST, agent.commitOnePhase(tx, branch, 1));
        CoordinatorMessage.OnePhaseProof proof = agent.await(CoordinatorMessage.OnePhaseProof.class, any -> true);
        agent.link.order(TestAgent.EPOCH, new AgentMessage.AskFate(tx, branch, TestAgent.RESOURCE, proof.proof()));
        assertEquals(
                Fate.COMMITTED,
                agent.await(CoordinatorMessage.FateReport.class, any -> true).fate());
        assertEquals("90", balance());
    }

    // Resolved by hand (protocol 9.3).

    @ParameterizedTest
    @ValueSource(strings = {"COMMIT", "ROLLBACK"})
    void aBranchResolvedByHandIsToldByItsProof(String verb) throws Exception {
        BranchVote vote = voteAfterClose(work(WITHDRAW));
        server.execute(verb + " PREPARED '" + server.prepared().get(0) + "'");
        PhaseTwoResult expected = verb.equals("COMMIT") ? PhaseTwoResult.COMMITTED : PhaseTwoResult.HEURISTIC_ROLLBACK;
        assertEquals(expected, agent.commit(tx, vote.branch(), vote.proof()));
    }

    // The rollback that comes at a bad moment (pitfalls 3 and 4).

    @Test
    void aRollbackBeforeTheFirstStatementLeavesNothing() throws Exception {
        try (CallScope.Binding bound = scope.attach();
                Connection connection = agent.dataSource.getConnection()) {
            BranchId branch = TestAgent.branchOf(scope);
            agent.rollback(tx, branch);
            SQLException late = assertThrows(SQLException.class, connection::createStatement);
            assertNotNull(SqlErrors.reasonOf(late));
            assertEquals(0, agent.database.stats().branches().active());
            var unused = scope.close();
            assertEquals(Vote.NO, agent.prepare(tx, branch, 1).vote());
        }
        assertEquals(List.of(), server.prepared());
    }

    @Test
    void aRollbackBetweenTheLastStatementAndPrepareLeavesNothing() throws Exception {
        BranchId branch = work(WITHDRAW);
        var unused = scope.close();
        agent.rollback(tx, branch);
        assertEquals(Vote.NO, agent.prepare(tx, branch, 1).vote());
        agent.awaitIdle();
        assertLocksAreFree();
        assertEquals(List.of(), server.prepared());
    }

    @Test
    void aRefusedEnlistRollsTheBranchBackUnderItsStatement() throws Exception {
        BranchId branch = work(WITHDRAW);
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try {
            Future<BranchId> sleeping = thread.submit(() -> work("SELECT pg_sleep(30)"));
            awaitSleeping();
            agent.link.order(
                    TestAgent.EPOCH,
                    new AgentMessage.EnlistRefused(tx, branch, Reason.of(ErrorCode.TRANSACTION_ENDED)));
            var failure = assertThrows(java.util.concurrent.ExecutionException.class, sleeping::get);
            assertEquals(
                    ErrorCode.TRANSACTION_ENDED,
                    SqlErrors.reasonOf(failure.getCause()).code(),
                    failure::toString);
        } finally {
            thread.shutdownNow();
        }
        agent.awaitIdle();
        assertLocksAreFree();
    }

    // Deadline, broken stream, exhausted slots (protocol 5.7, pitfalls 10 and 19).

    @Test
    void atTheDeadlineARunningStatementIsCancelledAndTheLocksAreFree() throws Exception {
        BranchId branch = work(WITHDRAW);
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try {
            Future<BranchId> sleeping = thread.submit(() -> work("SELECT pg_sleep(60)"));
            awaitSleeping();
            agent.reachDeadline(tx);
            var failure = assertThrows(java.util.concurrent.ExecutionException.class, sleeping::get);
            assertEquals(
                    ErrorCode.DEADLINE_EXCEEDED,
                    SqlErrors.reasonOf(failure.getCause()).code(),
                    failure::toString);
        } finally {
            thread.shutdownNow();
        }
        agent.awaitIdle();
        assertLocksAreFree();
        var unused = scope.close();
        assertEquals(Vote.NO, agent.prepare(tx, branch, 1).vote());
        // The cancel may come late, so nobody may be there whom it could hit.
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .until(() -> "0".equals(server.ask("SELECT count(*) FROM pg_stat_activity WHERE pid = " + backend)));
    }

    /** The client waits for an answer that never comes, so only a cut of the connection ends the statement. */
    @Test
    void aStatementThatCannotBeCancelledIsCutTwoSecondsLater() throws Exception {
        BranchId branch = work(WITHDRAW);
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try {
            Future<BranchId> sleeping = thread.submit(() -> work("DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(30);"
                    + " EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$"));
            awaitSleeping();
            long before = System.nanoTime();
            agent.rollback(tx, branch);
            assertThrows(java.util.concurrent.ExecutionException.class, sleeping::get);
            long millis = Duration.ofNanos(System.nanoTime() - before).toMillis();
            assertTrue(millis >= JdbcBranchDatabase.CANCEL_MILLIS, () -> "after " + millis + " ms");
            agent.awaitIdle();
        } finally {
            thread.shutdownNow();
            terminate();
        }
        assertLocksAreFree();
    }

    @Test
    void aBranchThatEndsWhileItWaitsForAConnectionTakesNone() throws Exception {
        agent.close();
        agent = agent(1);
        ExecutorService thread = Executors.newSingleThreadExecutor();
        try (Connection taken = agent.dataSource.getConnection()) {
            Future<BranchId> waiting = thread.submit(() -> work(WITHDRAW));
            Awaitility.await()
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> agent.database.stats().branches().waiting() == 1);
            agent.rollback(tx, TestAgent.branchOf(scope));
            taken.close();
            assertThrows(java.util.concurrent.ExecutionException.class, waiting::get);
        } finally {
            thread.shutdownNow();
        }
        agent.awaitIdle();
        assertEquals("100", balance());
    }

    @Test
    void aBranchWaitsForAConnectionNoLongerThanItsTransactionLives() throws Exception {
        agent.close();
        agent = agent(1);
        scope = TestAgent.call(tx, 1_000);
        try (Connection taken = agent.dataSource.getConnection()) {
            SQLException failure = assertThrows(SQLException.class, () -> work(WITHDRAW));
            // On a slow machine the time may be over before anybody waits; then nothing says how long.
            for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
                Matcher waited = Pattern.compile("no connection of pool .* within ([0-9]+) ms")
                        .matcher(String.valueOf(cause.getMessage()));
                assertTrue(!waited.find() || Integer.parseInt(waited.group(1)) <= 1_000, cause::getMessage);
            }
        }
    }

    @Test
    void aBranchThatHasWrittenIsProbedAndPreparedInOneRoundTrip() throws Exception {
        agent.awaitFirstLists();
        BranchId branch = work(WITHDRAW);
        proxy.takeRoundTrips();
        assertEquals(Vote.YES, voteAfterClose(branch).vote());
        assertEquals(1, proxy.takeRoundTrips());
    }

    @Test
    void aBrokenStreamFreesTheLocksOfUnpreparedBranchesOnly() throws Exception {
        BranchVote prepared = voteAfterClose(work(WITHDRAW));
        assertEquals(Vote.YES, prepared.vote());
        CallScope other = TestAgent.call(Branches.nextTx());
        work(other, "UPDATE account SET balance = 0 WHERE id = 2");
        agent.link.agent().broken(Reason.of(ErrorCode.STREAM_BROKEN));
        agent.awaitIdle();
        server.execute("SET lock_timeout = '20s'; UPDATE account SET balance = balance WHERE id = 2");
        assertEquals(1, server.prepared().size());
        agent.link.welcome(Branches.CLUSTER, TestAgent.EPOCH);
        assertEquals(PhaseTwoResult.COMMITTED, agent.commit(tx, prepared.branch(), prepared.proof()));
    }

    @Test
    void exhaustedSlotsMeanNoByNameAndHeal() throws Exception {
        for (int i = 0; i < 20; i++) {
            server.execute("BEGIN", "SELECT pg_current_xact_id()", "PREPARE TRANSACTION 'filler-" + i + "'");
        }
        BranchVote vote = voteAfterClose(work(WITHDRAW));
        assertEquals(Vote.NO, vote.vote());
        assertEquals(ErrorCode.PREPARED_SLOTS_EXHAUSTED, vote.reason().code());
        agent.awaitIdle();
        assertLocksAreFree();
        server.rollbackEverythingPrepared();
        tx = Branches.nextTx();
        scope = TestAgent.call(tx);
        assertEquals(Vote.YES, voteAfterClose(work(WITHDRAW)).vote());
    }

    @Test
    void theAgentFinishesWhatItCannotReachAtFirst() throws Exception {
        BranchVote vote = voteAfterClose(work(WITHDRAW));
        proxy.loseRequest("COMMIT PREPARED");
        assertEquals(PhaseTwoResult.COMMITTED, agent.commit(tx, vote.branch(), vote.proof()));
        assertEquals("90", balance());
    }

    // Foreign xids (pitfall 14).

    @Test
    void foreignPreparedTransactionsSurviveEveryScan() throws Exception {
        server.execute("BEGIN", "SELECT pg_current_xact_id()", "PREPARE TRANSACTION 'somebody else'");
        agent.awaitFirstLists();
        BranchVote vote = voteAfterClose(work(WITHDRAW));
        agent.link.sent.clear();
        agent.link.welcome(Branches.CLUSTER, TestAgent.EPOCH);
        agent.await(CoordinatorMessage.ScanReport.class, any -> true);
        assertEquals(PhaseTwoResult.COMMITTED, agent.commit(tx, vote.branch(), vote.proof()));
        assertEquals(List.of("somebody else"), server.prepared());
    }
}
