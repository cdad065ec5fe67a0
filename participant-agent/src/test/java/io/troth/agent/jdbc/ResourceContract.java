package io.troth.agent.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.database.Branches;
import io.troth.agent.xa.BranchStart;
import io.troth.agent.xa.ResourceDriver;
import io.troth.agent.xa.TrothXid;
import io.troth.client.context.CallScope;
import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Vote;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.coordinator.PhaseTwoResult;
import io.troth.core.participant.CoordinatorMessage.BranchVote;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PreparedXid;
import io.troth.core.participant.ScanCompletion;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Goal: what the protocol needs of a database, said once for all of them. Method: the real engine on the real database;
 * each supported database runs these same tests in a subclass.
 */
@SuppressWarnings("try") // A binding is there to be closed.
abstract class ResourceContract {

    private TestAgent agent;
    private GlobalTxId tx;
    private CallScope scope;

    /** The driver on an empty database of its kind. */
    abstract ResourceDriver driver() throws Exception;

    /** An unpooled connection in auto-commit mode. */
    abstract Connection connect() throws SQLException;

    @BeforeEach
    void open() throws Exception {
        ResourceDriver driver = driver();
        try (Connection finisher = driver.physicalConnections().getConnection()) {
            for (TrothXid left : driver.listPrepared(finisher)) {
                driver.rollbackPrepared(finisher, left, null);
            }
        }
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            try {
                statement.execute("DROP TABLE account");
            } catch (SQLException missing) {
                // The first test.
            }
            statement.execute("CREATE TABLE account (id int NOT NULL PRIMARY KEY, balance int NOT NULL)");
            statement.execute("INSERT INTO account VALUES (1, 100)");
        }
        agent = new TestAgent(driver, new PoolSettings(1, 1, 0, 20_000, 20_000));
        tx = Branches.nextTx();
        scope = TestAgent.call(tx);
    }

    @AfterEach
    void close() {
        agent.close();
        assertTrue(agent.failures.isEmpty(), () -> agent.failures.toString());
    }

    private int balance() throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT balance FROM account WHERE id = 1")) {
            assertTrue(row.next());
            return row.getInt(1);
        }
    }

    private BranchId work(String... statements) throws SQLException {
        return work(scope, statements);
    }

    private BranchId work(CallScope in, String... statements) throws SQLException {
        try (CallScope.Binding bound = in.attach();
                Connection connection = agent.dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
        return TestAgent.branchOf(in);
    }

    private static final String WITHDRAW = "UPDATE account SET balance = balance - 10 WHERE id = 1";

    private BranchVote voteAfterClose(BranchId branch) {
        var unused = scope.close();
        return agent.prepare(tx, branch, 1);
    }

    private static <T> T answer(Consumer<Consumer<T>> call) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        call.accept(answer::complete);
        return answer.orTimeout(60, TimeUnit.SECONDS).join();
    }

    private List<PreparedXid> listed() {
        ScanCompletion scan = answer(agent.database::listPrepared);
        assertEquals(null, scan.failure());
        return scan.prepared();
    }

    @Test
    void commitsWhatWasPreparedFromAnotherConnection() throws Exception {
        BranchVote vote = voteAfterClose(work(WITHDRAW));
        assertEquals(Vote.YES, vote.vote());
        assertEquals(List.of(new PreparedXid(tx, vote.branch())), listed());
        assertEquals(PhaseTwoResult.COMMITTED, agent.commit(tx, vote.branch(), vote.proof()));
        assertEquals(90, balance());
        assertEquals(List.of(), listed());
    }

    @Test
    void rollsBackWhatWasPrepared() throws Exception {
        BranchVote vote = voteAfterClose(work(WITHDRAW));
        assertEquals(
                PhaseTwoCompletion.Kind.DONE,
                ResourceContract.<PhaseTwoCompletion>answer(
                                done -> agent.database.rollbackPrepared(tx, vote.branch(), null, done))
                        .kind());
        assertEquals(100, balance());
        assertEquals(List.of(), listed());
    }

    @Test
    void freesTheConnectionRightAfterThePrepare() throws Exception {
        BranchVote vote = voteAfterClose(work(WITHDRAW));
        assertEquals(0, agent.database.stats().branches().active());
        // The pool has one connection: this needs it.
        try (Connection local = agent.dataSource.getConnection();
                Statement statement = local.createStatement()) {
            statement.execute("INSERT INTO account VALUES (2, 0)");
        }
        assertEquals(PhaseTwoResult.COMMITTED, agent.commit(tx, vote.branch(), vote.proof()));
        assertEquals(90, balance());
    }

    @Test
    void aBranchThatOnlyReadIsFinishedAtItsVote() throws Exception {
        BranchId branch;
        try (CallScope.Binding bound = scope.attach();
                Connection connection = agent.dataSource.getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT balance FROM account")) {
            assertTrue(row.next());
            branch = TestAgent.branchOf(scope);
        }
        assertEquals(Vote.READ_ONLY, voteAfterClose(branch).vote());
        assertEquals(List.of(), listed());
        assertEquals(0, agent.database.stats().branches().active());
    }

    @Test
    void aBranchWithAFailedStatementNeverVotesYes() throws Exception {
        try (CallScope.Binding bound = scope.attach();
                Connection connection = agent.dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(WITHDRAW);
            assertThrows(SQLException.class, () -> statement.execute("INSERT INTO account VALUES (1, 0)"));
        }
        BranchVote vote = voteAfterClose(TestAgent.branchOf(scope));
        assertEquals(Vote.NO, vote.vote());
        assertEquals(ErrorCode.STATEMENT_FAILED, vote.reason().code());
        agent.awaitIdle();
        assertEquals(100, balance());
        assertEquals(List.of(), listed());
    }

    @Test
    void aBranchWithAFailedStatementIsNotCommittedInOnePhase() throws Exception {
        CallScope other = TestAgent.call(tx);
        try (CallScope.Binding bound = scope.attach();
                Connection connection = agent.dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(WITHDRAW);
            assertThrows(SQLException.class, () -> statement.execute("INSERT INTO account VALUES (1, 0)"));
            // Still open here when the commit comes.
            assertEquals(OnePhaseFate.ROLLED_BACK, agent.commitOnePhase(tx, TestAgent.branchOf(scope), 1));
        }
        agent.awaitIdle();
        assertEquals(100, balance());
        var unused = List.of(scope.close(), other.close());
    }

    @Test
    void commitsTheOnlyBranchInOnePhase() throws Exception {
        BranchId branch = work(WITHDRAW);
        var unused = scope.close();
        assertEquals(OnePhaseFate.COMMITTED, agent.commitOnePhase(tx, branch, 1));
        assertEquals(90, balance());
    }

    @Test
    void anUnpreparedBranchIsRolledBackAndItsLocksAreFree() throws Exception {
        BranchId branch = work(WITHDRAW);
        agent.rollback(tx, branch);
        agent.awaitIdle();
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.execute("UPDATE account SET balance = balance + 1 WHERE id = 1");
        }
        assertEquals(101, balance());
        assertEquals(List.of(), listed());
    }

    @Test
    void anotherInstanceFinishesTheBranch() throws Exception {
        BranchVote vote = voteAfterClose(work(WITHDRAW));
        agent.close();
        agent = new TestAgent(driver(), PoolSettings.ofSize(1));
        assertEquals(List.of(new PreparedXid(tx, vote.branch())), listed());
        assertEquals(PhaseTwoResult.COMMITTED, agent.commit(tx, vote.branch(), vote.proof()));
        assertEquals(90, balance());
    }

    @Test
    void aBranchOfAnotherClusterIsCountedAndNeverTouched() throws Exception {
        ResourceDriver driver = driver();
        TrothXid foreign = new TrothXid(Branches.OTHER_CLUSTER, tx, Branches.nextBranch());
        try (Connection connection = driver.physicalConnections().getConnection()) {
            var branch = driver.begin(connection, foreign, new BranchStart(60_000, BranchStart.DEFAULT_ISOLATION));
            try (Statement statement = connection.createStatement()) {
                statement.execute(WITHDRAW);
            }
            assertEquals(
                    io.troth.core.participant.PrepareResult.Kind.PREPARED,
                    branch.prepare(true).kind());
        }
        ScanCompletion scan = answer(agent.database::listPrepared);
        assertEquals(ScanCompletion.listed(List.of(), 1), scan);
        try (Connection connection = driver.physicalConnections().getConnection()) {
            assertEquals(List.of(foreign), driver.listPrepared(connection));
            assertEquals(
                    PhaseTwoCompletion.Kind.DONE,
                    driver.rollbackPrepared(connection, foreign, null).kind());
        }
    }

    @Test
    void aVanishedBranchIsReportedOnceAndItsRollbackIsDone() throws Exception {
        BranchId branch = Branches.nextBranch();
        assertEquals(
                PhaseTwoCompletion.Kind.RESOLVED_ELSEWHERE,
                ResourceContract.<PhaseTwoCompletion>answer(
                                done -> agent.database.commitPrepared(tx, branch, null, true, done))
                        .kind());
        assertEquals(
                PhaseTwoCompletion.Kind.DONE,
                ResourceContract.<PhaseTwoCompletion>answer(
                                done -> agent.database.commitPrepared(tx, branch, null, false, done))
                        .kind());
        assertEquals(
                PhaseTwoCompletion.Kind.DONE,
                ResourceContract.<PhaseTwoCompletion>answer(
                                done -> agent.database.rollbackPrepared(tx, branch, null, done))
                        .kind());
    }

    @Test
    void recoveryGoesOnWhileEveryConnectionIsTaken() throws Exception {
        agent.close();
        agent = new TestAgent(driver(), new PoolSettings(1, 1, 0, 60_000, 20_000));
        BranchVote vote = voteAfterClose(work(WITHDRAW));
        CompletableFuture<Void> next = new CompletableFuture<>();
        try (Connection local = agent.dataSource.getConnection()) {
            assertEquals(1, agent.database.stats().branches().active());
            TestAgent.DAEMONS.newThread(() -> take(next)).start();
            Awaitility.await()
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> agent.database.stats().branches().waiting() == 1);
            assertEquals(1, listed().size());
            assertEquals(PhaseTwoResult.COMMITTED, agent.commit(tx, vote.branch(), vote.proof()));
            assertFalse(next.isDone());
        }
        next.get(60, TimeUnit.SECONDS);
        assertEquals(90, balance());
    }

    private void take(CompletableFuture<Void> taken) {
        try {
            agent.dataSource.getConnection().close();
            taken.complete(null);
        } catch (SQLException e) {
            taken.completeExceptionally(e);
        }
    }

    /** Ends branches in every way there is, on one connection; the next borrower must never notice. */
    @Test
    void thePoolNeverHandsOutADirtyConnection() throws Exception {
        int committed = 0;
        List<String> problems = new ArrayList<>();
        for (int i = 0; i < 120; i++) {
            GlobalTxId next = Branches.nextTx();
            CallScope call = TestAgent.call(next);
            try (CallScope.Binding bound = call.attach();
                    Connection connection = agent.dataSource.getConnection();
                    Statement statement = connection.createStatement()) {
                assertEquals(1, statement.executeUpdate(WITHDRAW));
                if (i % 4 == 1) {
                    assertThrows(SQLException.class, () -> statement.execute("INSERT INTO account VALUES (1, 0)"));
                }
            } catch (SQLException e) {
                problems.add(i + ": " + e);
            }
            BranchId branch = TestAgent.branchOf(call);
            var unused = call.close();
            switch (i % 4) {
                case 0 -> {
                    assertEquals(OnePhaseFate.COMMITTED, agent.commitOnePhase(next, branch, 1));
                    committed++;
                }
                case 1 -> assertEquals(Vote.NO, agent.prepare(next, branch, 1).vote());
                case 2 -> agent.rollback(next, branch);
                default -> {
                    BranchVote vote = agent.prepare(next, branch, 1);
                    assertEquals(PhaseTwoResult.COMMITTED, agent.commit(next, branch, vote.proof()));
                    committed++;
                }
            }
            agent.awaitIdle();
        }
        assertEquals(List.of(), problems);
        assertEquals(100 - 10 * committed, balance());
    }
}
