package io.troth.agent.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.database.Branches;
import io.troth.agent.database.CuttingProxy;
import io.troth.agent.database.PostgresExtension;
import io.troth.agent.database.TestPostgres;
import io.troth.agent.xa.PostgresDriver;
import io.troth.client.context.CallScope;
import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.participant.OnePhaseCompletion;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PrepareResult;
import io.troth.core.participant.ScanCompletion;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * Goal: however branches end on one pool, it leaks nothing, and the next borrower gets a clean connection (pitfall 10).
 * Method: PostgreSQL and a pool of one connection; branches end in turn well and badly: prepares that time out, sessions
 * killed within a statement, lost answers, lists of prepared branches that fail. {@code -Dtroth.cycles=10000} runs more.
 */
@SuppressWarnings("try") // A binding is there to be closed.
class PoolCyclesTest {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    private static final int CYCLES = Integer.getInteger("troth.cycles", 1_000);

    private static final String WITHDRAW = "UPDATE account SET balance = balance - 1 WHERE id = 1";

    /** What a branch must find that begins on a connection that others have used. */
    private static final String STATE = "SELECT concat_ws(' ', current_setting('search_path'), current_user,"
            + " pg_current_xact_id_if_assigned() IS NULL)";

    private TestPostgres server;
    private CuttingProxy proxy;
    private Connection holder;
    private JdbcBranchDatabase database;
    private GlobalTxId tx;
    private BranchId branch;
    private int withdrawn;

    @BeforeEach
    void open() throws Exception {
        server = POSTGRES.server();
        server.rollbackEverythingPrepared();
        server.execute(
                "DROP TABLE IF EXISTS account, locked CASCADE",
                "CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)",
                "INSERT INTO account VALUES (1, 0)",
                "CREATE TABLE locked (id int)",
                // Runs at the prepare, and waits there for a lock that it does not get.
                "CREATE OR REPLACE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS"
                        + " 'BEGIN PERFORM pg_advisory_xact_lock(10); RETURN NULL; END'",
                "CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON locked DEFERRABLE INITIALLY DEFERRED"
                        + " FOR EACH ROW EXECUTE FUNCTION wait()");
        holder = server.dataSource().getConnection();
        try (Statement statement = holder.createStatement()) {
            statement.execute("SELECT pg_advisory_lock(10)");
        }
        proxy = new CuttingProxy(server.port());
        PGSimpleDataSource source = server.dataSource("postgres", "postgres", proxy.port());
        // Text is always sent, so that the proxy knows what it loses.
        source.setPrepareThreshold(0);
        database = new JdbcBranchDatabase(
                "accounts",
                new PostgresDriver(source, 10_000),
                new PoolSettings(1, 1, 0, 30_000, 30_000),
                TestAgent.DAEMONS);
        database.selfTest();
        database.clusterKnown(Branches.CLUSTER);
    }

    @AfterEach
    void close() throws Exception {
        database.close();
        proxy.close();
        holder.close();
        server.rollbackEverythingPrepared();
        server.execute("DROP TABLE locked CASCADE", "DROP FUNCTION wait()");
    }

    @Test
    void noEndOfABranchLeaksAConnectionOrSpoilsIt() throws Exception {
        for (int i = 0; i < CYCLES; i++) {
            cycle(i % 50);
            assertEquals(0, database.stats().branches().active(), "after cycle " + i);
            assertEquals(0, database.stats().finishers().active(), "after cycle " + i);
        }
        assertEquals(String.valueOf(-withdrawn), server.ask("SELECT balance FROM account"));
        assertEquals("0", server.ask("SELECT count(*) FROM pg_prepared_xacts"));
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .until(() -> Integer.parseInt(server.ask("SELECT count(*) FROM pg_stat_activity"
                                + " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"))
                        <= 3);
    }

    /** Bad ends that cost a new session come once in a while, the others in turn. */
    private void cycle(int kind) throws Exception {
        switch (kind) {
            case 10 -> aSessionKilledWithinAStatement();
            case 20 -> aLostAnswerToPrepare();
            case 30 -> aLostAnswerToACommitInOnePhase();
            case 40 -> aListThatFails();
            default -> {
                switch (kind % 5) {
                    case 0 -> committed();
                    case 1 -> committedInOnePhase();
                    case 2 -> rolledBack();
                    case 3 -> aFailedStatement();
                    default -> aPrepareThatTimesOut();
                }
            }
        }
    }

    private void work(String... statements) throws SQLException {
        tx = Branches.nextTx();
        branch = Branches.nextBranch();
        CallScope scope = TestAgent.call(tx);
        try (CallScope.Binding bound = scope.attach();
                Connection connection =
                        new ResourceDataSource(database, new SimulatedWorkspace(branch), false, 0).getConnection();
                Statement statement = connection.createStatement()) {
            try (ResultSet row = statement.executeQuery(STATE)) {
                assertTrue(row.next());
                assertEquals("\"$user\", public postgres t", row.getString(1));
            }
            for (String sql : statements) {
                statement.execute(sql);
            }
        } finally {
            var unused = scope.close();
        }
    }

    private void committed() throws Exception {
        work(WITHDRAW);
        PrepareResult vote = prepare();
        assertEquals(PrepareResult.Kind.PREPARED, vote.kind());
        PhaseTwoCompletion done = once(answer -> database.commitPrepared(tx, branch, vote.proof(), true, answer));
        assertEquals(PhaseTwoCompletion.Kind.DONE, done.kind());
        withdrawn++;
    }

    private void committedInOnePhase() throws Exception {
        work(WITHDRAW);
        assertEquals(OnePhaseFate.COMMITTED, commitOnePhase().fate());
        withdrawn++;
    }

    private void rolledBack() throws Exception {
        work(WITHDRAW);
        assertTrue(PoolCyclesTest.<Boolean>once(done -> database.rollback(tx, branch, done)));
    }

    private void aFailedStatement() throws Exception {
        assertThrows(SQLException.class, () -> work(WITHDRAW, "INSERT INTO account VALUES (1, 0)"));
        assertEquals(PrepareResult.Kind.REFUSED, prepare().kind());
    }

    private void aPrepareThatTimesOut() throws Exception {
        work(WITHDRAW, "INSERT INTO locked VALUES (1)", "SET LOCAL lock_timeout = 1");
        assertEquals(PrepareResult.Kind.REFUSED, prepare().kind());
    }

    private void aSessionKilledWithinAStatement() throws Exception {
        assertThrows(SQLException.class, () -> work(WITHDRAW, "SELECT pg_terminate_backend(pg_backend_pid())"));
        assertFalse(PoolCyclesTest.<Boolean>once(done -> database.rollback(tx, branch, done)));
    }

    private void aLostAnswerToPrepare() throws Exception {
        work(WITHDRAW);
        proxy.loseAnswerTo("PREPARE TRANSACTION");
        assertEquals(PrepareResult.Kind.LOST, prepare().kind());
        PhaseTwoCompletion done = once(answer -> database.rollbackPrepared(tx, branch, null, answer));
        assertEquals(PhaseTwoCompletion.Kind.DONE, done.kind());
    }

    private void aLostAnswerToACommitInOnePhase() throws Exception {
        work(WITHDRAW);
        proxy.loseAnswerTo("COMMIT");
        assertEquals(OnePhaseFate.LOST, commitOnePhase().fate());
        withdrawn++;
    }

    private void aListThatFails() throws Exception {
        proxy.loseRequest("pg_prepared_xacts");
        ScanCompletion failed = once(database::listPrepared);
        assertNotNull(failed.failure());
        ScanCompletion listed = once(database::listPrepared);
        assertNull(listed.failure());
        committed();
    }

    private PrepareResult prepare() throws Exception {
        return once(done -> database.prepare(tx, branch, done));
    }

    private OnePhaseCompletion commitOnePhase() throws Exception {
        return once(done -> database.commitOnePhase(tx, branch, proof -> {}, done));
    }

    private static <T> T once(Consumer<Consumer<T>> call) throws Exception {
        CompletableFuture<T> answer = new CompletableFuture<>();
        call.accept(answer::complete);
        return answer.get(60, TimeUnit.SECONDS);
    }
}
