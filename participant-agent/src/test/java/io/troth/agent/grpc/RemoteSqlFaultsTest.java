package io.troth.agent.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.database.Branches;
import io.troth.agent.database.CuttingProxy;
import io.troth.agent.database.PostgresExtension;
import io.troth.agent.sql.SqlGateway;
import io.troth.agent.sql.SqlLimits;
import io.troth.client.GlobalTransaction;
import io.troth.client.RolledBackException;
import io.troth.client.SqlRows;
import io.troth.client.TransactionSql;
import io.troth.client.TrothClient;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.TrothException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * Goal: a remote statement whose reply the application did not get can never be part of what is committed (protocol 5.5),
 * and all calls of one transaction go to one gateway (5.6). Method: two gateways of one resource, one of them also behind
 * a proxy that loses answers; the coordinator would agree with everything.
 */
class RemoteSqlFaultsTest {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private static final List<SqlGatewayServer> SERVERS = new ArrayList<>();
    private static SimulatedCoordinator coordinator;
    private TrothClient client;
    private CuttingProxy proxy;
    private GlobalTransaction tx;

    @BeforeAll
    static void start() throws Exception {
        coordinator = new SimulatedCoordinator(Branches.CLUSTER, new EpochId(1, 31));
        for (String name : List.of("one", "two")) {
            PGSimpleDataSource source = POSTGRES.server().dataSource();
            source.setApplicationName(name);
            SERVERS.add(SqlGatewayServer.start(
                    SqlServerSettings.loopback(0), new SqlGateway(Map.of("notes", source), SqlLimits.DEFAULTS)));
        }
        POSTGRES.server().execute("CREATE TABLE IF NOT EXISTS fault_note (body text)");
    }

    @AfterAll
    static void stop() {
        SERVERS.forEach(SqlGatewayServer::close);
        coordinator.close();
    }

    @BeforeEach
    void begin() throws Exception {
        POSTGRES.server().execute("TRUNCATE fault_note");
        proxy = new CuttingProxy(SERVERS.get(0).announced().port());
        client = TrothClient.connect(coordinator.endpoint());
        tx = client.begin();
    }

    @AfterEach
    void end() throws Exception {
        tx.close();
        client.close();
        proxy.close();
    }

    private void offer(String... addresses) {
        coordinator.gateways("notes", addresses);
    }

    private static String address(int server) {
        return SERVERS.get(server).announced().toString();
    }

    private void assertCommitIsRefused() {
        assertTrue(tx.isRollbackOnly());
        int commits = coordinator.commits().size();
        RolledBackException refused = assertThrows(RolledBackException.class, tx::commit);
        assertEquals(ErrorCode.ROLLBACK_ONLY, refused.code());
        assertEquals(commits, coordinator.commits().size(), "the coordinator was asked to commit");
    }

    // An interrupt.

    @Test
    void anInterruptDuringAnUpdateMakesTheTransactionRollbackOnly() throws Exception {
        interruptedIn(sql -> sql.update("INSERT INTO fault_note SELECT pg_sleep(90)::text"));
    }

    @Test
    void anInterruptDuringAQueryMakesTheTransactionRollbackOnly() throws Exception {
        interruptedIn(sql -> {
            try (SqlRows rows = sql.query("SELECT pg_sleep(90)::text")) {
                rows.iterator().next();
            }
        });
    }

    /** Else the query would run when its gateway has come, for nobody, and the commit would wait for its end. */
    @Test
    void anInterruptBeforeAQueryHasItsGatewayMakesTheTransactionRollbackOnly() {
        offer();
        Thread.currentThread().interrupt();
        TrothException thrown =
                assertThrows(TrothException.class, () -> tx.sql("notes").query("SELECT 1"));
        assertTrue(Thread.interrupted());
        assertEquals(ErrorCode.ROLLBACK_ONLY, thrown.code());
        assertCommitIsRefused();
    }

    private void interruptedIn(Consumer<TransactionSql> work) throws Exception {
        offer(address(0));
        TransactionSql sql = tx.sql("notes");
        CompletableFuture<TrothException> seen = new CompletableFuture<>();
        Thread worker = new Thread(() -> {
            TrothException thrown = assertThrows(TrothException.class, () -> work.accept(sql));
            assertTrue(Thread.currentThread().isInterrupted());
            seen.complete(thrown);
        });
        worker.setUncaughtExceptionHandler((thread, failure) -> seen.completeExceptionally(failure));
        worker.start();
        Awaitility.await().atMost(LIMIT).until(() -> sleeping().equals("1"));
        worker.interrupt();
        TrothException thrown = seen.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        assertEquals(ErrorCode.ROLLBACK_ONLY, thrown.code(), thrown.getMessage());
        assertTrue(thrown.getMessage().contains("interrupted"), thrown.getMessage());
        // Long before it would have ended by itself.
        Awaitility.await().atMost(LIMIT.dividedBy(2)).until(() -> sleeping().equals("0"));
        assertCommitIsRefused();
    }

    private static String sleeping() throws Exception {
        return POSTGRES.server()
                .ask("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(90)%'"
                        + " AND pid <> pg_backend_pid()");
    }

    // A gateway that is lost.

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aGatewayLostDuringACallMakesTheTransactionRollbackOnly(boolean executed) throws Exception {
        offer("localhost:" + proxy.port());
        TransactionSql sql = tx.sql("notes");
        assertEquals(1, sql.update("INSERT INTO fault_note VALUES ('before')"));
        String lost = "INSERT INTO fault_note VALUES ('lost')";
        if (executed) {
            proxy.loseAnswersTo(lost, () -> lostRows().equals("1"));
        } else {
            proxy.loseRequest(lost);
        }
        TrothException thrown = assertThrows(TrothException.class, () -> sql.update(lost));
        assertEquals(ErrorCode.STREAM_BROKEN, thrown.code(), thrown.getMessage());
        assertTrue(thrown.getMessage().contains("notes"), thrown.getMessage());
        // It may have been executed once, and is never tried a second time.
        assertEquals(executed ? "1" : "0", lostRows());
        assertCommitIsRefused();

        // The next transaction connects anew.
        try (GlobalTransaction next = client.begin()) {
            assertEquals(1, next.sql("notes").update("INSERT INTO fault_note VALUES ('after')"));
            next.commit();
        }
    }

    private static String lostRows() {
        try {
            return POSTGRES.server().ask("SELECT count(*) FROM fault_note WHERE body = 'lost'");
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void saysWhyAGatewayCannotBeReached() {
        try (HeldPort nobody = new HeldPort()) {
            offer("127.0.0.1:" + nobody.number());
            TrothException thrown = assertThrows(
                    TrothException.class, () -> tx.sql("notes").update("INSERT INTO fault_note VALUES ('lost')"));
            assertEquals(ErrorCode.STREAM_BROKEN, thrown.code(), thrown.getMessage());
            assertTrue(thrown.getMessage().contains("Connection refused"), thrown.getMessage());
            // A resource has several gateways.
            String which = "notes at 127.0.0.1:" + nobody.number() + " ";
            assertTrue(thrown.getMessage().contains(which), thrown.getMessage());
            SqlRows rows = tx.sql("notes").query("SELECT 1");
            TrothException unread = assertThrows(TrothException.class, rows::close);
            assertTrue(unread.getMessage().contains(which), unread.getMessage());
        }
    }

    @Test
    void afterALossTheNextTransactionAsksAnewWhereItsGatewayIs() {
        try (HeldPort nobody = new HeldPort()) {
            offer("127.0.0.1:" + nobody.number());
            TransactionSql lost = tx.sql("notes");
            assertThrows(TrothException.class, () -> lost.update("DELETE FROM fault_note"));
        }
        tx.close();
        offer(address(1));
        tx = client.begin();
        assertEquals(1, tx.sql("notes").update("INSERT INTO fault_note VALUES ('elsewhere')"));
        tx.commit();
    }

    // A gateway that is not there yet.

    @Test
    void aStatementWaitsForAnAgentThatComesAMomentLater() throws Exception {
        offer(address(0));
        coordinator.gatewaysComeAfter(3);
        assertEquals(1, tx.sql("notes").update("INSERT INTO fault_note VALUES ('late')"));
        tx.commit();
        assertEquals("1", POSTGRES.server().ask("SELECT count(*) FROM fault_note WHERE body = 'late'"));
    }

    @Test
    void aCallWaitsNoLongerThanItMayTake() {
        offer();
        TransactionSql sql = tx.sql("notes").withTimeout(Duration.ofMillis(50));
        TrothException thrown = assertThrows(TrothException.class, () -> sql.update("DELETE FROM fault_note"));
        assertEquals(ErrorCode.DEADLINE_EXCEEDED, thrown.code(), thrown.getMessage());
    }

    @Test
    void closingTheClientEndsTheWait() {
        offer();
        CompletableFuture<Long> waiting =
                tx.sql("notes").updateAsync("DELETE FROM fault_note").toCompletableFuture();
        client.close();
        ExecutionException thrown =
                assertThrows(ExecutionException.class, () -> waiting.get(LIMIT.toSeconds(), TimeUnit.SECONDS));
        assertEquals(ErrorCode.NO_COORDINATOR, ((TrothException) thrown.getCause()).code());
    }

    // Two gateways.

    @Test
    void allCallsOfATransactionGoToOneOfSeveralGateways() {
        offer(address(0), address(1));
        tx.close();
        Set<String> used = new HashSet<>();
        for (int i = 0; i < 20; i++) {
            try (GlobalTransaction each = client.begin()) {
                Set<String> ofThis = new HashSet<>();
                // Two handles, one scope.
                for (TransactionSql sql : List.of(each.sql("notes"), each.sql("notes"), each.sql("notes"))) {
                    try (SqlRows rows = sql.query("SELECT current_setting('application_name') AS name")) {
                        rows.forEach(row -> ofThis.add(row.getString("name")));
                    }
                }
                assertEquals(1, ofThis.size(), ofThis::toString);
                used.addAll(ofThis);
                // The order in which they are named does not matter, nor when.
                offer(address(i % 2), address(1 - i % 2));
            }
        }
        assertEquals(Set.of("one", "two"), used, "the work is spread over transactions");
    }
}
