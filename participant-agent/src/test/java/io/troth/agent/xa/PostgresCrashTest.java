package io.troth.agent.xa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.database.Branches;
import io.troth.agent.database.CuttingProxy;
import io.troth.agent.database.TestPostgres;
import io.troth.core.Proof;
import io.troth.core.coordinator.Fate;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PrepareResult;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.core.BaseConnection;

/**
 * Goal: what a branch says stays true when its session, its server or the network between them ends at the worst moment
 * (xa-truth of PostgreSQL; protocol 5.3, 7.1, 8.2). Method: a server of our own that is killed with SIGKILL, backends
 * ended by an administrator or by SIGKILL, and a proxy that loses one request or one answer.
 */
class PostgresCrashTest {

    private static TestPostgres server;

    private CuttingProxy proxy;
    private PostgresDriver direct;
    private PostgresDriver driver;
    private Connection connection;
    private TrothXid xid;

    @BeforeAll
    static void start() {
        server = TestPostgres.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @BeforeEach
    void open() throws Exception {
        server.rollbackEverythingPrepared();
        server.execute(
                "DROP TABLE IF EXISTS account",
                "CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)",
                "INSERT INTO account VALUES (1, 100)");
        proxy = new CuttingProxy(server.port());
        direct = new PostgresDriver(server.dataSource(), 10_000);
        driver = new PostgresDriver(server.dataSource("postgres", "postgres", proxy.port()), 10_000);
        connection = driver.physicalConnections().getConnection();
        xid = new TrothXid(Branches.CLUSTER, Branches.nextTx(), Branches.nextBranch());
    }

    @AfterEach
    void close() throws Exception {
        connection.close();
        proxy.close();
    }

    private BranchTransaction write() throws SQLException {
        BranchTransaction branch =
                driver.begin(connection, xid, new BranchStart(60_000, BranchStart.DEFAULT_ISOLATION));
        try (Statement statement = connection.createStatement()) {
            statement.execute("UPDATE account SET balance = 1 WHERE id = 1");
        }
        return branch;
    }

    private int backend() throws SQLException {
        return connection.unwrap(BaseConnection.class).getBackendPID();
    }

    private void terminate(int pid) throws SQLException {
        server.execute("SELECT pg_terminate_backend(" + pid + ", 20000)");
    }

    private String balance() throws SQLException {
        return server.ask("SELECT balance FROM account WHERE id = 1");
    }

    private <T> T onFreshConnection(SqlFunction<T> question) throws SQLException {
        try (Connection fresh = direct.physicalConnections().getConnection()) {
            return question.ask(fresh);
        }
    }

    private interface SqlFunction<T> {
        T ask(Connection connection) throws SQLException;
    }

    @Test
    void aBranchWhoseBackendEndedBetweenStatementsIsNotPrepared() throws Exception {
        BranchTransaction branch = write();
        terminate(backend());

        PrepareResult result = branch.prepare(true);

        assertTrue(
                Set.of(PrepareResult.Kind.LOST, PrepareResult.Kind.REFUSED).contains(result.kind()), result.toString());
        assertFalse(driver.isClean(connection));
        assertEquals(List.of(), server.prepared());
        server.execute("SET lock_timeout = '20s'", "UPDATE account SET balance = 3");
    }

    @Test
    void aBackendThatEndsInAStatementLosesTheBranch() throws Exception {
        BranchTransaction branch = write();
        int pid = backend();
        Thread killer = new Thread(() -> {
            Awaitility.await()
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> "active".equals(server.ask("SELECT state FROM pg_stat_activity WHERE pid = " + pid)));
            try {
                terminate(pid);
            } catch (SQLException e) {
                throw new AssertionError(e);
            }
        });
        killer.start();
        SQLException failure = assertThrows(SQLException.class, () -> {
            try (Statement statement = connection.createStatement()) {
                statement.execute("SELECT pg_sleep(60)");
            }
        });
        killer.join();
        assertEquals(StatementVerdict.CONNECTION_LOST, branch.afterFailure(failure));
        assertFalse(branch.rollback());
        assertFalse(driver.isClean(connection));
        assertEquals("100", balance());
    }

    @Test
    void aPrepareWhoseAnswerIsLostIsInDoubtAndListed() throws Exception {
        BranchTransaction branch = write();
        proxy.loseAnswerTo("PREPARE TRANSACTION");

        assertEquals(PrepareResult.Kind.LOST, branch.prepare(true).kind());

        assertFalse(driver.isClean(connection));
        assertEquals(List.of(xid), onFreshConnection(direct::listPrepared));
        assertEquals(
                PhaseTwoCompletion.Kind.DONE,
                onFreshConnection(fresh -> direct.rollbackPrepared(fresh, xid, null))
                        .kind());
        assertEquals("100", balance());
    }

    @Test
    void aPrepareThatNeverArrivedIsInDoubtAndNotListed() throws Exception {
        BranchTransaction branch = write();
        proxy.loseRequest("PREPARE TRANSACTION");

        assertEquals(PrepareResult.Kind.LOST, branch.prepare(true).kind());
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> server.execute("SET lock_timeout = 100", "UPDATE account SET balance = 3"));
        assertEquals(List.of(), onFreshConnection(direct::listPrepared));
    }

    @Test
    void aPreparedBranchOutlivesItsBackendAndAKilledServer() throws Exception {
        PrepareResult prepared = write().prepare(true);
        terminate(backend());
        assertEquals(List.of(xid), onFreshConnection(direct::listPrepared));

        server.kill();
        PhaseTwoCompletion down;
        try (Connection dead = connection) {
            down = driver.commitPrepared(dead, xid, prepared.proof(), true);
        }
        assertEquals(PhaseTwoCompletion.Kind.NOT_YET, down.kind());
        server.restart();

        assertEquals(List.of(xid), onFreshConnection(direct::listPrepared));
        SQLException locked = assertThrows(
                SQLException.class, () -> server.execute("SET lock_timeout = 100", "UPDATE account SET balance = 3"));
        assertEquals("55P03", locked.getSQLState());
        assertEquals(
                PhaseTwoCompletion.Kind.DONE,
                onFreshConnection(fresh -> direct.commitPrepared(fresh, xid, prepared.proof(), false))
                        .kind());
        assertEquals("1", balance());
        // Prepared durably, so its id belongs to it in every life: the proof still tells.
        assertEquals(
                PhaseTwoCompletion.Kind.DONE,
                onFreshConnection(fresh -> direct.commitPrepared(fresh, xid, prepared.proof(), true))
                        .kind());
    }

    @Test
    void aBranchResolvedByHandBeforeACrashIsStillToldByItsProof() throws Exception {
        PrepareResult prepared = write().prepare(true);
        server.execute("ROLLBACK PREPARED '" + PostgresGid.of(xid) + "'");
        server.kill();
        server.restart();

        assertEquals(
                PhaseTwoCompletion.Kind.HEURISTIC,
                onFreshConnection(fresh -> direct.commitPrepared(fresh, xid, prepared.proof(), true))
                        .kind());
    }

    @Test
    void anUnpreparedBranchIsGoneAfterAKilledServer() throws Exception {
        BranchTransaction branch = write();
        server.kill();

        assertEquals(PrepareResult.Kind.LOST, branch.prepare(true).kind());
        server.restart();
        assertEquals(List.of(), server.prepared());
        assertEquals("100", balance());
    }

    @Test
    void aOnePhaseCommitWhoseAnswerIsLostIsToldByItsProof() throws Exception {
        BranchTransaction branch = write();
        AtomicReference<Proof> proof = new AtomicReference<>();
        assertEquals(
                OnePhaseFate.LOST,
                branch.commitOnePhase(told -> {
                            proof.set(told);
                            proxy.loseAnswerTo("COMMIT");
                        })
                        .fate());

        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .untilAsserted(() ->
                        assertEquals(Fate.COMMITTED, onFreshConnection(fresh -> direct.fate(fresh, proof.get()))));
        assertEquals("1", balance());
    }

    @Test
    void aOnePhaseCommitThatNeverArrivedIsToldByItsProof() throws Exception {
        BranchTransaction branch = write();
        AtomicReference<Proof> proof = new AtomicReference<>();
        assertEquals(
                OnePhaseFate.LOST,
                branch.commitOnePhase(told -> {
                            proof.set(told);
                            proxy.loseRequest("COMMIT");
                        })
                        .fate());

        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .untilAsserted(() ->
                        assertEquals(Fate.ROLLED_BACK, onFreshConnection(fresh -> direct.fate(fresh, proof.get()))));
        assertEquals("100", balance());
    }

    @Test
    void aOnePhaseCommitIsNeverCalledCommittedAcrossACrash() throws Exception {
        BranchTransaction branch = write();
        AtomicReference<Proof> proof = new AtomicReference<>();
        assertEquals(OnePhaseFate.COMMITTED, branch.commitOnePhase(proof::set).fate());
        server.kill();
        server.restart();

        assertEquals(Fate.UNKNOWN, onFreshConnection(fresh -> direct.fate(fresh, proof.get())));
    }

    @Test
    void aBackendKilledByASignalStartsAnotherLifeOfTheServer() throws Exception {
        BranchTransaction branch = write();
        AtomicReference<Proof> proof = new AtomicReference<>();
        branch.commitOnePhase(proof::set);
        Long life = onFreshConnection(fresh -> ServerFacts.read(fresh).life());
        server.killBackend(backend());

        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .ignoreException(org.postgresql.util.PSQLException.class)
                .untilAsserted(() -> assertNotEquals(
                        life, onFreshConnection(fresh -> ServerFacts.read(fresh).life())));
        assertEquals(Fate.UNKNOWN, onFreshConnection(fresh -> direct.fate(fresh, proof.get())));
    }

    @Test
    void anOrderlyRestartIsTheSameLife() throws Exception {
        BranchTransaction branch = write();
        AtomicReference<Proof> proof = new AtomicReference<>();
        branch.commitOnePhase(proof::set);
        connection.close();
        server.stopInOrder();
        server.restart();

        assertEquals(Fate.COMMITTED, onFreshConnection(fresh -> direct.fate(fresh, proof.get())));
    }

    /** The next start of an agent may be months away, and as long as it is prepared it holds vacuum back. */
    @Test
    void aCanaryThatACrashLeftPreparedIsRemovedWithTheList() throws Exception {
        proxy.loseAnswerTo("PREPARE TRANSACTION");
        assertThrows(SQLException.class, () -> driver.canary());

        onFreshConnection(direct::listPrepared);
        assertEquals(1, server.prepared().size(), "it may be that of an agent that starts just now");
        PostgresDriver later = new PostgresDriver(server.dataSource(), 10_000, Duration.ZERO);
        try (Connection fresh = later.physicalConnections().getConnection()) {
            later.listPrepared(fresh);
        }
        assertEquals(List.of(), server.prepared());
    }

    @Test
    void countsTheRoundTripsOfABranch() throws Exception {
        proxy.takeRoundTrips();
        BranchTransaction branch =
                driver.begin(connection, xid, new BranchStart(60_000, BranchStart.DEFAULT_ISOLATION));
        assertEquals(1, proxy.takeRoundTrips(), "BEGIN, marker, settings");
        try (Statement statement = connection.createStatement()) {
            statement.execute("UPDATE account SET balance = 1 WHERE id = 1");
        }
        assertEquals(1, proxy.takeRoundTrips(), "the statement");
        branch.prepare(true);
        assertEquals(1, proxy.takeRoundTrips(), "probe and PREPARE");
        driver.commitPrepared(connection, xid, null, true);
        assertEquals(1, proxy.takeRoundTrips(), "COMMIT PREPARED");

        BranchTransaction onePhase = write();
        proxy.takeRoundTrips();
        onePhase.commitOnePhase(proof -> {});
        assertEquals(2, proxy.takeRoundTrips(), "probe, COMMIT");
    }
}
