package io.troth.agent.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.database.Branches;
import io.troth.agent.database.CuttingProxy;
import io.troth.agent.database.PostgresExtension;
import io.troth.agent.database.TestPostgres;
import io.troth.agent.xa.PostgresDriver;
import io.troth.client.context.CallScope;
import io.troth.core.GlobalTxId;
import io.troth.core.participant.OnePhaseCompletion;
import io.troth.core.participant.PrepareResult;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * One branch after the other on the real pool and handles, on a real PostgreSQL behind a proxy that counts round trips and
 * loses answers. There is no engine, so that nothing else speaks to the server.
 */
@SuppressWarnings("try") // A binding is there to be closed.
abstract class BranchThroughProxy {

    static final String WITHDRAW = "UPDATE account SET balance = balance - ? WHERE id = ?";
    static final String BALANCE = "SELECT balance FROM account WHERE id = ?";

    TestPostgres server;
    CuttingProxy proxy;
    JdbcBranchDatabase database;
    SimulatedWorkspace workspace;
    GlobalTxId tx;
    CallScope scope;

    /** Each class has a server of its own: classes run side by side. */
    abstract PostgresExtension postgres();

    @BeforeEach
    void open() throws Exception {
        server = postgres().server();
        server.rollbackEverythingPrepared();
        server.execute(
                "DROP TABLE IF EXISTS account CASCADE",
                "CREATE TABLE account (id serial PRIMARY KEY, balance int NOT NULL)",
                "INSERT INTO account (balance) VALUES (100), (100)");
        proxy = new CuttingProxy(server.port());
        open(source());
    }

    PGSimpleDataSource source() {
        return server.dataSource("postgres", "postgres", proxy.port());
    }

    /** With one connection, which is open already: only branches speak to the server. */
    void open(PGSimpleDataSource source) throws SQLException {
        database = new JdbcBranchDatabase(
                "accounts",
                new PostgresDriver(source, 10_000),
                new PoolSettings(1, 1, 0, 20_000, 15_000),
                TestAgent.DAEMONS);
        database.clusterKnown(Branches.CLUSTER);
        database.release(database.takeForLocalWork(), true);
        nextBranch();
        proxy.takeRoundTripsInTransactions();
    }

    void reopen(PGSimpleDataSource source) throws SQLException {
        database.close();
        open(source);
    }

    void nextBranch() {
        workspace = new SimulatedWorkspace(Branches.nextBranch());
        tx = Branches.nextTx();
        scope = TestAgent.call(tx);
    }

    @AfterEach
    void close() throws Exception {
        database.close();
        proxy.close();
        server.rollbackEverythingPrepared();
    }

    interface Work {
        void on(Connection connection) throws Exception;
    }

    void work(Work work) throws Exception {
        try (CallScope.Binding bound = scope.attach();
                Connection connection = new ResourceDataSource(database, workspace, false, 0).getConnection()) {
            work.on(connection);
        }
    }

    static <T> T answer(Consumer<Consumer<T>> call) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        call.accept(answer::complete);
        return answer.orTimeout(60, TimeUnit.SECONDS).join();
    }

    PrepareResult prepare() {
        return answer(done -> database.prepare(tx, workspace.branch(), done));
    }

    boolean rollback() {
        return answer(done -> database.rollback(tx, workspace.branch(), done));
    }

    /** Since the last time, within transactions. */
    void roundTrips(int expected) {
        assertEquals(expected, proxy.takeRoundTripsInTransactions(), "round trips");
    }

    String balance() throws SQLException {
        return server.ask("SELECT balance FROM account WHERE id = 1");
    }

    static PreparedStatement withdraw(Connection connection, int amount) throws SQLException {
        PreparedStatement statement = connection.prepareStatement(WITHDRAW);
        statement.setInt(1, amount);
        statement.setInt(2, 1);
        return statement;
    }

    static int balanceBy(PreparedStatement statement) throws SQLException {
        statement.setInt(1, 1);
        try (ResultSet row = statement.executeQuery()) {
            assertTrue(row.next());
            int balance = row.getInt(1);
            assertFalse(row.next());
            return balance;
        }
    }

    OnePhaseCompletion commitOnePhase() {
        return answer(done -> database.commitOnePhase(tx, workspace.branch(), proof -> {}, done));
    }
}
