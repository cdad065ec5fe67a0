package io.troth.agent.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.troth.agent.database.Branches;
import io.troth.agent.database.PostgresExtension;
import io.troth.agent.database.TestPostgres;
import io.troth.agent.xa.PostgresDriver;
import io.troth.client.context.CallScope;
import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PrepareResult;
import io.troth.core.participant.ScanCompletion;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Goal: what is prepared is finished though the database has no room for a connection of recovery's own. Method: PostgreSQL
 * and a role that may have one connection from some moment on, which is the one that the branch has used.
 */
@SuppressWarnings("try") // A binding is there to be closed.
class FewConnectionsTest {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    private final GlobalTxId tx = Branches.nextTx();
    private final BranchId branch = Branches.nextBranch();
    private TestPostgres server;
    private JdbcBranchDatabase database;

    @BeforeEach
    void prepareOne() throws Exception {
        server = POSTGRES.server();
        server.rollbackEverythingPrepared();
        server.execute(
                "DROP TABLE IF EXISTS account CASCADE",
                "DROP ROLE IF EXISTS modest",
                "CREATE ROLE modest LOGIN",
                "CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)",
                "INSERT INTO account VALUES (1, 100)",
                "GRANT ALL ON account TO modest");
        database = new JdbcBranchDatabase(
                "accounts",
                new PostgresDriver(server.dataSource("modest", "postgres"), 10_000),
                new PoolSettings(1, 1, 0, 30_000, 30_000),
                TestAgent.DAEMONS);
        database.selfTest();
        database.clusterKnown(Branches.CLUSTER);
        CallScope scope = TestAgent.call(tx);
        try (CallScope.Binding bound = scope.attach();
                Connection connection =
                        new ResourceDataSource(database, new SimulatedWorkspace(branch), false, 0).getConnection();
                Statement statement = connection.createStatement()) {
            // Whoever else is connected, which is recovery, has to go.
            statement.execute("UPDATE account SET balance = balance - 1");
            statement.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    + " WHERE usename = 'modest' AND pid <> pg_backend_pid()");
        }
        server.execute("ALTER ROLE modest CONNECTION LIMIT 1");
        assertEquals(
                PrepareResult.Kind.PREPARED,
                FewConnectionsTest.<PrepareResult>once(done -> database.prepare(tx, branch, done))
                        .kind());
    }

    @AfterEach
    void close() throws Exception {
        database.close();
        server.rollbackEverythingPrepared();
        server.execute("DROP TABLE account", "DROP ROLE modest");
    }

    private static <T> T once(Consumer<Consumer<T>> asked) throws Exception {
        CompletableFuture<T> answer = new CompletableFuture<>();
        asked.accept(answer::complete);
        return answer.get(60, TimeUnit.SECONDS);
    }

    private void finished(Consumer<Consumer<PhaseTwoCompletion>> attempt) throws SQLException {
        // The first attempt may have the connection that the server has closed.
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .until(() ->
                        FewConnectionsTest.<PhaseTwoCompletion>once(attempt).kind() == PhaseTwoCompletion.Kind.DONE);
        assertEquals(0, database.stats().branches().active());
        try (Connection next =
                new ResourceDataSource(database, new SimulatedWorkspace(branch), false, 0).getConnection()) {
            assertEquals(0, next.getNetworkTimeout(), "recovery's limit is not that of who comes next");
        }
    }

    @Test
    void aBranchIsCommittedOnTheConnectionThatBranchesLeaveIdle() throws Exception {
        finished(done -> database.commitPrepared(tx, branch, null, true, done));
        assertEquals("99", server.ask("SELECT balance FROM account"));
    }

    @Test
    void theListIsReadOnIt() throws Exception {
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .until(() -> FewConnectionsTest.<ScanCompletion>once(database::listPrepared)
                                .failure()
                        == null);
        ScanCompletion listed = once(database::listPrepared);
        assertNull(listed.failure());
        assertEquals(
                List.of(branch),
                listed.prepared().stream().map(xid -> xid.branch()).toList());
        finished(done -> database.rollbackPrepared(tx, branch, null, done));
        assertEquals("100", server.ask("SELECT balance FROM account"));
    }
}
