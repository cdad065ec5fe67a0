package io.troth.agent.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.database.Branches;
import io.troth.agent.database.PostgresExtension;
import io.troth.agent.database.TestPostgres;
import io.troth.agent.xa.PostgresDriver;
import io.troth.client.context.CallScope;
import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;
import io.troth.core.Vote;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.participant.CoordinatorMessage.BranchVote;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.sql.Blob;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Goal: what an application keeps of a local connection that it has closed does not reach whoever has that connection next:
 * a global transaction, say; and what stays on a connection is what docs/DATABASES.md says. Method: a pool of one connection to a real PostgreSQL, and large objects, which talk to the
 * server whenever they are used.
 */
@SuppressWarnings("try") // A binding is there to be closed.
class OutlivingObjectsTest {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    private static final String WITHDRAW = "UPDATE account SET balance = balance - 1 WHERE id = 1";

    private TestPostgres server;
    private TestAgent agent;
    private final GlobalTxId tx = Branches.nextTx();
    private final CallScope scope = TestAgent.call(tx);

    @BeforeEach
    void open() throws Exception {
        server = POSTGRES.server();
        server.rollbackEverythingPrepared();
        server.execute(
                "DROP TABLE IF EXISTS account, document CASCADE",
                "CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)",
                "INSERT INTO account VALUES (1, 100)",
                "CREATE TABLE document (content oid)",
                "INSERT INTO document SELECT lo_from_bytea(0, decode(repeat('61', 5000000), 'hex'))");
        agent = new TestAgent(
                new PostgresDriver(server.dataSource(), 10_000), new PoolSettings(1, 1, 0, 20_000, 20_000));
    }

    @AfterEach
    void close() throws Exception {
        agent.close();
        server.rollbackEverythingPrepared();
        assertTrue(agent.failures.isEmpty(), () -> agent.failures.toString());
    }

    /** The driver's large object, of a connection that may be closed meanwhile. */
    private Blob document(Connection local) throws SQLException {
        local.setAutoCommit(false);
        Statement statement = local.createStatement();
        ResultSet rows = statement.executeQuery("SELECT content FROM document");
        assertTrue(rows.next());
        return rows.getBlob(1);
    }

    /** On the only connection, under the transaction. */
    private static BranchId work(TestAgent agent, CallScope in, String... statements) throws SQLException {
        try (CallScope.Binding bound = in.attach();
                Connection connection = agent.dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
        return TestAgent.branchOf(in);
    }

    private BranchId work() throws SQLException {
        return work(agent, scope, WITHDRAW);
    }

    private void assertUnharmed(BranchId branch) {
        var unused = scope.close();
        assertEquals(Vote.YES, agent.prepare(tx, branch, 1).vote());
    }

    @Test
    void aStreamEndsWithItsConnection() throws Exception {
        InputStream stream;
        OutputStream out;
        try (Connection local = agent.dataSource.getConnection()) {
            stream = document(local).getBinaryStream();
            out = document(local).setBinaryStream(1);
            assertEquals('a', stream.read());
        }
        BranchId branch = work();
        assertThrows(IOException.class, stream::readAllBytes);
        assertThrows(IOException.class, () -> out.write(new byte[100_000]));
        assertUnharmed(branch);
    }

    @Test
    void whatIsClosedLateIsClosedByNobody() throws Exception {
        InputStream stream;
        Blob blob;
        try (Connection local = agent.dataSource.getConnection()) {
            blob = document(local);
            stream = blob.getBinaryStream();
            assertEquals('a', stream.read());
        }
        BranchId branch = work();
        stream.close();
        blob.free();
        assertUnharmed(branch);
    }

    /** As with every pool: whoever makes it takes it back. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "SELECT pg_advisory_lock(7)    | YES | pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
                "SET search_path = pg_catalog  | YES | pg_settings WHERE name = 'search_path' AND setting = 'pg_catalog'",
                "LISTEN changes                | NO  | pg_listening_channels()",
                "DECLARE rows CURSOR WITH HOLD FOR SELECT 1 | NO  | pg_cursors WHERE name = 'rows'"
            })
    void whatBelongsToTheSessionOutlivesTheBranch(String does, Vote whenPrepared, String rows) throws Exception {
        BranchId branch = work(agent, scope, WITHDRAW, does);
        var unused = scope.close();
        BranchVote vote = agent.prepare(tx, branch, 1);
        assertEquals(whenPrepared, vote.vote());
        if (whenPrepared == Vote.YES) {
            agent.commit(tx, branch, vote.proof());
            assertOneOf(rows);
        }
        GlobalTxId next = Branches.nextTx();
        CallScope call = TestAgent.call(next);
        BranchId second = work(agent, call, WITHDRAW.replace("account", "public.account"), does);
        unused = call.close();
        assertEquals(OnePhaseFate.COMMITTED, agent.commitOnePhase(next, second, 1));
        assertOneOf(rows);
    }

    private void assertOneOf(String rows) throws SQLException {
        try (Connection local = agent.dataSource.getConnection();
                Statement statement = local.createStatement();
                ResultSet count = statement.executeQuery("SELECT count(*) FROM " + rows)) {
            assertTrue(count.next());
            assertEquals(1, count.getInt(1));
        }
    }
}
