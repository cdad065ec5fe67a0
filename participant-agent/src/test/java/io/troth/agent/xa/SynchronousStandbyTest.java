package io.troth.agent.xa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.troth.agent.database.Branches;
import io.troth.agent.database.TestPostgres;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PrepareResult;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * Goal: what only one of two servers has is not called durable (protocol 7.1), and an agent can start without the other one.
 * Method: a server whose synchronous standby is never there; work that is no branch does not wait for it.
 */
class SynchronousStandbyTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private static final String WAITING_PIDS = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    private static final String WAITING = "SELECT count(*) FROM (" + WAITING_PIDS + ") AS one";

    private TestPostgres server;

    @BeforeEach
    void open() throws SQLException {
        server = TestPostgres.start(Map.of("synchronous_standby_names", "nobody", "synchronous_commit", "local"));
        server.execute("CREATE TABLE account (id int PRIMARY KEY)");
    }

    @AfterEach
    void close() {
        server.close();
    }

    /** The server then says success, and a warning, also to a session that wants to hear of none. */
    @ParameterizedTest
    @CsvSource({"true, notice", "false, notice", "true, error", "false, error"})
    void aPrepareWhoseWaitForTheStandbyWasCancelledIsNoYes(boolean mayHaveWritten, String messages) throws Exception {
        PostgresDriver driver = new PostgresDriver(server.dataSource(), 60_000);
        try (Connection connection = driver.physicalConnections().getConnection()) {
            TrothXid xid = new TrothXid(Branches.CLUSTER, Branches.nextTx(), Branches.nextBranch());
            BranchTransaction branch =
                    driver.begin(connection, xid, new BranchStart(60_000, BranchStart.DEFAULT_ISOLATION));
            try (Statement statement = connection.createStatement()) {
                statement.execute("SET client_min_messages = " + messages);
                statement.execute("INSERT INTO account VALUES (1)");
            }
            CompletableFuture<PrepareResult> result =
                    CompletableFuture.supplyAsync(() -> branch.prepare(mayHaveWritten));
            Awaitility.await()
                    .atMost(LIMIT)
                    .until(
                            () -> "t"
                                    .equals(
                                            server.ask(
                                                    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")));

            assertEquals(
                    PrepareResult.Kind.LOST, result.get(60, TimeUnit.SECONDS).kind());
            assertEquals(List.of(PostgresGid.of(xid)), server.prepared(), "for a list to find");
        }
    }

    /**
     * The agent that is told to finish a branch meets another one that has found it in a list: no reason to say that the
     * database is not there, nor to keep whoever waits for the commit waiting for the next attempt.
     */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aBranchThatAnotherSessionIsFinishingIsAskedForAgainAtOnce(boolean commit) throws Exception {
        TrothXid xid = new TrothXid(Branches.CLUSTER, Branches.nextTx(), Branches.nextBranch());
        String gid = "'" + PostgresGid.of(xid) + "'";
        server.execute("BEGIN", "INSERT INTO account VALUES (1)", "PREPARE TRANSACTION " + gid);
        String verb = commit ? "COMMIT PREPARED " : "ROLLBACK PREPARED ";
        CompletableFuture<Void> theOther = CompletableFuture.runAsync(() -> {
            try {
                server.execute("SET synchronous_commit = on", verb + gid);
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        });
        Awaitility.await().atMost(LIMIT).until(() -> "1".equals(server.ask(WAITING)));
        PostgresDriver driver = new PostgresDriver(server.dataSource(), 60_000);
        AtomicInteger refusals = new AtomicInteger();
        try (Connection connection = driver.physicalConnections().getConnection()) {
            Connection watched = watched(connection, () -> {
                refusals.incrementAndGet();
                assertEquals("t", server.ask("SELECT pg_cancel_backend(pid) FROM (" + WAITING_PIDS + ") AS one"));
                theOther.get(60, TimeUnit.SECONDS);
                return null;
            });
            PhaseTwoCompletion completion = commit
                    ? driver.commitPrepared(watched, xid, null, false)
                    : driver.rollbackPrepared(watched, xid, null);
            assertEquals(1, refusals.get(), "refused because the other one is at it");
            assertEquals(PhaseTwoCompletion.Kind.DONE, completion.kind());
        }
    }

    /** A connection on which something is done as soon as the server has refused a statement for its state. */
    private static Connection watched(Connection connection, Callable<Void> onRefusal) {
        return (Connection) Proxy.newProxyInstance(
                Connection.class.getClassLoader(), new Class<?>[] {Connection.class}, (self, method, arguments) -> {
                    Object result = method.invoke(connection, arguments);
                    if (!method.getName().equals("createStatement")) {
                        return result;
                    }
                    return Proxy.newProxyInstance(
                            Connection.class.getClassLoader(),
                            new Class<?>[] {Statement.class},
                            (statement, call, its) -> {
                                try {
                                    return call.invoke(result, its);
                                } catch (InvocationTargetException e) {
                                    if (e.getCause() instanceof SQLException sql && "55000".equals(sql.getSQLState())) {
                                        onRefusal.call();
                                    }
                                    throw e.getCause();
                                }
                            });
                });
    }

    @Test
    void theCanaryDoesNotWaitForTheStandby() throws Exception {
        PGSimpleDataSource source = server.dataSource();
        source.setOptions("-c synchronous_commit=on");
        PostgresDriver driver = new PostgresDriver(source, 60_000);
        assertTimeoutPreemptively(LIMIT, driver::canary);
        assertEquals(List.of(), server.prepared());
    }
}
