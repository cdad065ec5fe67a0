package io.troth.agent.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.troth.agent.config.AgentConfig;
import io.troth.agent.config.AgentConfigLoader;
import io.troth.agent.config.AgentKey;
import io.troth.agent.database.PostgresExtension;
import io.troth.agent.database.TestPostgres;
import io.troth.agent.engine.StepListener;
import io.troth.agent.grpc.SimulatedAgentService;
import io.troth.agent.xa.PostgresGids;
import io.troth.client.context.CallScope;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.SessionKey;
import io.troth.core.TransactionContext;
import io.troth.core.TrothException;
import io.troth.proto.v1.AgentEntry;
import io.troth.proto.v1.AgentEntry.EntryCase;
import io.troth.proto.v1.BranchInquiry;
import io.troth.proto.v1.Enlist;
import io.troth.proto.v1.PhaseTwoResult;
import io.troth.proto.v1.Vote;
import io.troth.proto.v1.VoteEntry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Goal: the agent as a process says what it is, what is wrong with it and what it counted, and heals by itself what
 * heals. Method: a real PostgreSQL, and a coordinator whose every word is the test's.
 */
@SuppressWarnings("try") // A binding is there to be closed.
class AgentServerTest {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final TestPostgres postgres = POSTGRES.server();
    private final SimulatedAgentService coordinator = SimulatedAgentService.start();
    private long sequence = 1_000;

    @BeforeEach
    void table() throws SQLException {
        postgres.execute(
                "DROP TABLE IF EXISTS stock",
                "CREATE TABLE stock (id int PRIMARY KEY, amount int)",
                "INSERT INTO stock VALUES (1, 100)");
    }

    @AfterEach
    void close() throws SQLException {
        coordinator.close();
        postgres.rollbackEverythingPrepared();
    }

    private AgentConfig config(String user, Map<AgentKey<?>, String> more) {
        Map<AgentKey<?>, String> flags = new HashMap<>(Map.of(
                AgentKey.COORDINATORS, coordinator.endpoint(),
                AgentKey.SQL_PORT, "0",
                AgentKey.HTTP_PORT, "0",
                AgentKey.SCAN_INTERVAL, "300ms",
                AgentKey.START_DATABASE_WAIT, "0ms",
                AgentKey.SHUTDOWN_DRAIN_LIMIT, "0ms"));
        flags.putAll(more);
        return new AgentConfigLoader()
                .flags(flags)
                .resource(
                        "stock",
                        Map.of(
                                AgentKey.URL,
                                "jdbc:postgresql://localhost:" + postgres.port() + "/postgres",
                                AgentKey.USER,
                                user,
                                AgentKey.PASSWORD,
                                "none",
                                AgentKey.POOL_SIZE,
                                "3"))
                .load();
    }

    private AgentServer started(StepListener steps) throws InterruptedException {
        return started("postgres", steps);
    }

    private AgentServer started(String user, StepListener steps) throws InterruptedException {
        AgentServer server = AgentServer.start(config(user, Map.of()), steps);
        assertTrue(server.runtime().awaitReady(LIMIT));
        return server;
    }

    private Enlist branch(AgentServer server, String sql) throws SQLException {
        return branch(server, sql, 60_000);
    }

    private Enlist branch(AgentServer server, String sql, long remainingMillis) throws SQLException {
        CallScope scope = new CallScope(
                new TransactionContext(
                        SimulatedAgentService.CLUSTER,
                        coordinator.transaction(sequence++),
                        new SessionKey(1, 2),
                        1,
                        remainingMillis),
                System::nanoTime);
        try (CallScope.Binding ignored = scope.attach();
                Connection connection = server.runtime().dataSource("stock").getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
        var unused = scope.close();
        return coordinator.awaitEnlist();
    }

    private record Page(int status, String body) {}

    private static Page get(AgentServer server, String path) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) URI.create("http://127.0.0.1:" + server.httpPort() + path)
                .toURL()
                .openConnection();
        int status = connection.getResponseCode();
        try (var body = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
            return new Page(status, new String(body.readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    @Test
    void saysWhetherItLivesAndWhetherItIsReady() throws Exception {
        coordinator.stop();
        try (AgentServer server = AgentServer.start(config("postgres", Map.of()), StepListener.NONE)) {
            assertEquals(200, get(server, "/livez").status());
            Awaitility.await().atMost(LIMIT).untilAsserted(() -> {
                Page waiting = get(server, "/readyz");
                assertEquals(503, waiting.status());
                assertTrue(waiting.body().contains(coordinator.endpoint() + ": UNAVAILABLE"), waiting.body());
            });
            coordinator.listen();
            assertTrue(server.runtime().awaitReady(LIMIT));
            assertEquals(new Page(200, "ready\n"), get(server, "/readyz"));
            assertEquals(404, get(server, "/other").status());
        }
    }

    @Test
    void announcesItsSqlGateway() throws Exception {
        try (AgentServer server = started(StepListener.NONE)) {
            String announced = coordinator.awaitHello().getResources(0).getSqlAddress();
            assertNotEquals(0, server.sqlPort());
            assertEquals("127.0.0.1:" + server.sqlPort(), announced);
        }
        AgentConfig off = config("postgres", Map.of(AgentKey.SQL_ENABLED, "off"));
        try (AgentServer server = AgentServer.start(off, StepListener.NONE)) {
            assertEquals("", coordinator.awaitHello().getResources(0).getSqlAddress());
            assertEquals(0, server.sqlPort());
        }
    }

    @Test
    void keepsNoMoreResultsThanItIsTold() throws Exception {
        AgentConfig one = config("postgres", Map.of(AgentKey.KEPT_RESULTS_MAX, "1"));
        try (AgentServer server = AgentServer.start(one, StepListener.NONE)) {
            assertTrue(server.runtime().awaitReady(LIMIT));
            branch(server, "UPDATE stock SET amount = amount - 1");
            SQLException refused = assertThrows(SQLException.class, () -> branch(server, "SELECT 1"));
            assertTrue(String.valueOf(refused.getMessage()).contains("at most 1"), refused.getMessage());
        }
    }

    @Test
    void countsWhatHappened() throws Exception {
        try (AgentServer server = started(StepListener.NONE)) {
            for (int i = 0; i < 3; i++) {
                Enlist enlisted = branch(server, "UPDATE stock SET amount = amount - 1");
                coordinator.prepare(enlisted, 1);
                VoteEntry vote = coordinator.awaitVote();
                if (i < 2) {
                    coordinator.commit(enlisted, vote);
                    coordinator.await(EntryCase.BRANCH_DONE);
                } else {
                    coordinator.rollback(enlisted.getTx(), enlisted.getBranch(), "stock");
                }
            }
            Enlist miscounted = branch(server, "UPDATE stock SET amount = amount - 1");
            coordinator.prepare(miscounted, 2);
            assertEquals(Vote.VOTE_NO, coordinator.awaitVote().getVote());
            for (String line : List.of(
                    "troth_agent_ready 1.0",
                    "troth_agent_branches_finished_total{end=\"committed\",resource=\"stock\"} 2.0",
                    "troth_agent_branches_finished_total{end=\"rolled_back\",resource=\"stock\"} 2.0",
                    "troth_agent_votes_total{reason=\"\",vote=\"yes\"} 3.0",
                    "troth_agent_votes_total{reason=\"call_count_differs\",vote=\"no\"} 1.0",
                    "troth_agent_prepare_duration_seconds_count{resource=\"stock\"} 3",
                    "troth_agent_commit_duration_seconds_count{resource=\"stock\"} 2",
                    "troth_agent_in_doubt_branches{resource=\"stock\"} 0.0",
                    "troth_agent_unprepared_branches{resource=\"stock\"} 0.0",
                    "troth_agent_pool_in_use{pool=\"branches\",resource=\"stock\"} 0.0",
                    "troth_agent_pool_size_max{pool=\"branches\",resource=\"stock\"} 3.0",
                    "troth_agent_kept_results 1.0",
                    "troth_agent_kept_results_max 1000000.0",
                    "troth_agent_reconnects_total 0.0")) {
                Awaitility.await().atMost(LIMIT).untilAsserted(() -> {
                    String page = get(server, "/metrics").body();
                    assertTrue(page.lines().anyMatch(line::equals), () -> line + " in\n" + agentLines(page));
                });
            }
            String page = get(server, "/metrics").body();
            assertFalse(page.contains(String.format("%016x", coordinator.epoch().nonce())), "an id is a tag");
        }
    }

    private static String agentLines(String page) {
        return String.join(
                "\n", page.lines().filter(line -> line.startsWith("troth")).toList());
    }

    @Test
    void waitsForADatabaseThatStartsLater() throws Exception {
        // A server that says nothing useful stands for a database that is starting.
        try (ServerSocket silent = new ServerSocket(0)) {
            AgentConfig config = new AgentConfigLoader()
                    .flags(Map.of(AgentKey.START_DATABASE_WAIT, "1ms"))
                    .resourceFlags(List.of("stock=jdbc:postgresql://localhost:" + silent.getLocalPort()
                            + "/x?connectTimeout=1&loginTimeout=1"))
                    .load();
            TrothException refused =
                    assertThrows(TrothException.class, () -> AgentServer.start(config, StepListener.NONE));
            assertEquals(ErrorCode.DATABASE_UNAVAILABLE, refused.code());
        }
    }

    @Test
    void saysWhatToChangeAtADatabaseThatIsNotFit() throws Exception {
        AgentConfig config = new AgentConfigLoader()
                .flags(Map.of(AgentKey.START_DATABASE_WAIT, "1h"))
                .resource(
                        "stock",
                        Map.of(
                                AgentKey.URL,
                                "jdbc:postgresql://localhost:" + postgres.port() + "/postgres?user=postgres",
                                AgentKey.POOL_SIZE,
                                "100"))
                .load();
        TrothException refused = assertThrows(TrothException.class, () -> AgentServer.start(config, StepListener.NONE));
        assertEquals(ErrorCode.DATABASE_MISCONFIGURED, refused.code());
        assertTrue(refused.getMessage().contains("max_prepared_transactions is 20"), refused.getMessage());
        assertTrue(refused.getMessage().contains("set it to at least 102"), refused.getMessage());
    }

    @Test
    void refusesAPortThatIsTakenAndLeavesNothingOpen() throws Exception {
        try (AgentServer first = started(StepListener.NONE)) {
            for (AgentKey<Integer> key : List.of(AgentKey.HTTP_PORT, AgentKey.SQL_PORT)) {
                int port = key == AgentKey.HTTP_PORT ? first.httpPort() : first.sqlPort();
                AgentConfig same = config("postgres", Map.of(key, String.valueOf(port)));
                String refused = assertThrows(
                                UncheckedIOException.class, () -> AgentServer.start(same, StepListener.NONE))
                        .getMessage();
                assertTrue(refused.contains("cannot listen on 127.0.0.1:" + port + ": "), refused);
                assertTrue(refused.contains("Address already in use. Stop"), refused);
                assertTrue(refused.contains("set " + key.keyName() + " to another one"), refused);
            }
        }
        for (AgentKey<String> key : List.of(AgentKey.HTTP_ADDRESS, AgentKey.SQL_ADDRESS)) {
            AgentConfig nowhere = config(
                    "postgres", Map.of(key, "nowhere.invalid", AgentKey.INSECURE, "true", AgentKey.SQL_ENABLED, "on"));
            String refused = assertThrows(
                            UncheckedIOException.class, () -> AgentServer.start(nowhere, StepListener.NONE))
                    .getMessage();
            assertTrue(refused.contains("this name has no address"), refused);
            assertTrue(refused.contains(key.keyName() + " must be one of this machine"), refused);
        }
    }

    @Test
    void stopsByItselfAndFreesLocksWhenSomethingImpossibleHappens() throws Exception {
        StepListener broken = (point, tx, branch) -> {
            if (point == StepListener.Point.BEFORE_PREPARE) {
                throw new IllegalStateException("impossible");
            }
        };
        try (AgentServer server = started(broken)) {
            Enlist enlisted = branch(server, "UPDATE stock SET amount = 0");
            coordinator.prepare(enlisted, 1);
            RuntimeException cause = server.failure().toCompletableFuture().get(LIMIT.toSeconds(), TimeUnit.SECONDS);
            assertEquals("impossible", cause.getMessage());
            assertEquals(503, get(server, "/livez").status());
            Awaitility.await()
                    .atMost(LIMIT)
                    .ignoreExceptions()
                    .until(() -> postgres.ask("SELECT amount FROM stock FOR UPDATE NOWAIT")
                            .equals("100"));
        }
    }

    @Test
    void reportsThePointsOfABranch() throws Exception {
        CountDownLatch voted = new CountDownLatch(1);
        try (AgentServer server = started((point, tx, branch) -> {
            if (point == StepListener.Point.AFTER_VOTE) {
                voted.countDown();
            }
        })) {
            coordinator.prepare(branch(server, "UPDATE stock SET amount = 0"), 1);
            assertTrue(voted.await(LIMIT.toSeconds(), TimeUnit.SECONDS));
        }
    }

    @Test
    void votesNoWhileEverySlotIsTakenAndYesAfterwards() throws Exception {
        try (AgentServer server = started(StepListener.NONE)) {
            for (int i = 0; i < 20; i++) {
                postgres.execute("BEGIN", "PREPARE TRANSACTION 'taken" + i + "'");
            }
            coordinator.prepare(branch(server, "UPDATE stock SET amount = 1"), 1);
            VoteEntry refused = coordinator.awaitVote();
            assertEquals(Vote.VOTE_NO, refused.getVote());
            assertEquals("PREPARED_SLOTS_EXHAUSTED", refused.getReason().getCode());
            assertEquals("100", postgres.ask("SELECT amount FROM stock FOR UPDATE NOWAIT"));
            // An agent can start nevertheless: it may have to free the slots.
            try (AgentServer second = started(StepListener.NONE)) {
                assertTrue(second.runtime().isReady());
                postgres.execute("ROLLBACK PREPARED 'taken0'");
                Enlist enlisted = branch(second, "UPDATE stock SET amount = 2");
                coordinator.prepare(enlisted, 1);
                VoteEntry given = coordinator.awaitVote();
                assertEquals(Vote.VOTE_YES, given.getVote());
                coordinator.commit(enlisted, given);
                coordinator.await(EntryCase.BRANCH_DONE);
            }
            assertEquals("2", postgres.ask("SELECT amount FROM stock"));
        }
    }

    @ParameterizedTest
    @CsvSource({"COMMIT, PHASE_TWO_RESULT_COMMITTED", "ROLLBACK, PHASE_TWO_RESULT_HEURISTIC_ROLLBACK"})
    void saysWhatBecameOfABranchThatWasResolvedByHand(String verb, PhaseTwoResult told) throws Exception {
        try (AgentServer server = started(StepListener.NONE)) {
            Enlist enlisted = branch(server, "UPDATE stock SET amount = 1");
            coordinator.prepare(enlisted, 1);
            VoteEntry vote = coordinator.awaitVote();
            postgres.execute(verb + " PREPARED '" + postgres.prepared().get(0) + "'");
            coordinator.commit(enlisted, vote);
            assertEquals(
                    told,
                    coordinator.await(EntryCase.BRANCH_DONE).getBranchDone().getResult());
            assertTrue(server.runtime().isReady());
        }
    }

    private void createClerk() throws SQLException {
        postgres.execute(
                "DROP ROLE IF EXISTS clerk", "CREATE ROLE clerk LOGIN PASSWORD 'none'", "GRANT ALL ON stock TO clerk");
    }

    private void dropClerk() throws SQLException {
        postgres.execute(
                "GRANT SELECT ON pg_prepared_xacts TO PUBLIC", "REVOKE ALL ON stock FROM clerk", "DROP ROLE clerk");
    }

    @Test
    void refusesARoleThatMayNotListWhatIsPrepared() throws Exception {
        createClerk();
        try {
            postgres.execute("REVOKE SELECT ON pg_prepared_xacts FROM PUBLIC");
            TrothException refused = assertThrows(
                    TrothException.class, () -> AgentServer.start(config("clerk", Map.of()), StepListener.NONE));
            assertEquals(ErrorCode.DATABASE_MISCONFIGURED, refused.code());
            String message = String.valueOf(refused.getMessage());
            assertTrue(message.contains("resource stock: prepared transactions cannot be listed"), message);
            assertTrue(message.contains("permission denied for view pg_prepared_xacts"), message);
        } finally {
            dropClerk();
        }
    }

    /** Test plan, pitfall 19. */
    @Test
    void findsWhatIsInDoubtByItselfWhenItMayListAgain() throws Exception {
        createClerk();
        try (AgentServer server = started("clerk", StepListener.NONE)) {
            postgres.execute("REVOKE SELECT ON pg_prepared_xacts FROM PUBLIC", "REVOKE ALL ON stock FROM clerk");
            awaitScans(server, "failed");
            // As an instance leaves it that is gone.
            GlobalTxId left = coordinator.transaction(sequence++);
            String gid = PostgresGids.ofCluster(SimulatedAgentService.CLUSTER, left);
            postgres.execute(
                    "BEGIN", "UPDATE stock SET amount = 7", "SET ROLE clerk", "PREPARE TRANSACTION '" + gid + "'");
            awaitScans(server, "failed");
            assertTrue(coordinator.unread().stream().noneMatch(AgentEntry::hasBranchInquiry));

            // New work fails at once, in the database's words.
            SQLException refused =
                    assertThrows(SQLException.class, () -> branch(server, "UPDATE stock SET amount = 1"));
            assertTrue(refused.getMessage().contains("permission denied for table stock"), refused.getMessage());

            postgres.execute("GRANT SELECT ON pg_prepared_xacts TO PUBLIC", "GRANT ALL ON stock TO clerk");
            BranchInquiry asked = coordinator.await(EntryCase.BRANCH_INQUIRY).getBranchInquiry();
            assertEquals(SimulatedAgentService.wire(left), asked.getTx());
            coordinator.rollback(asked.getTx(), asked.getBranch(), "stock");
            Awaitility.await().atMost(LIMIT).until(() -> postgres.prepared().isEmpty());
            coordinator.prepare(branch(server, "UPDATE stock SET amount = 1"), 1);
            assertEquals(Vote.VOTE_YES, coordinator.awaitVote().getVote());
        } finally {
            postgres.rollbackEverythingPrepared();
            dropClerk();
        }
    }

    /** Waits for the second scan from now that ends so: the first may have begun before. */
    private static void awaitScans(AgentServer server, String result) throws IOException {
        double before = scans(server, result);
        Awaitility.await().atMost(LIMIT).until(() -> scans(server, result) >= before + 2);
    }

    private static double scans(AgentServer server, String result) throws IOException {
        String line = "troth_agent_scans_total{resource=\"stock\",result=\"" + result + "\"} ";
        return get(server, "/metrics")
                .body()
                .lines()
                .filter(each -> each.startsWith(line))
                .mapToDouble(each -> Double.parseDouble(each.substring(line.length())))
                .sum();
    }

    @Test
    void finishesByItselfWhenItsRoleMayLogInAgain() throws Exception {
        createClerk();
        try (AgentServer server = started("clerk", StepListener.NONE)) {
            Enlist enlisted = branch(server, "UPDATE stock SET amount = 1");
            coordinator.prepare(enlisted, 1);
            VoteEntry vote = coordinator.awaitVote();
            postgres.execute(
                    "ALTER ROLE clerk NOLOGIN",
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'clerk'");
            coordinator.commit(enlisted, vote);
            assertEquals(1, postgres.prepared().size());
            // Pooled connections that have ended are found out one by one.
            Awaitility.await().atMost(LIMIT).untilAsserted(() -> {
                SQLException refused = assertThrows(SQLException.class, () -> branch(server, "SELECT 1", 500));
                assertTrue(refused.getMessage().contains("role \"clerk\" is not permitted"), refused.getMessage());
            });
            postgres.execute("ALTER ROLE clerk LOGIN");
            coordinator.await(EntryCase.BRANCH_DONE);
            assertEquals("1", postgres.ask("SELECT amount FROM stock"));
        } finally {
            dropClerk();
        }
    }

    @Test
    void keepsAskingACoordinatorThatRefusesItsDatabase() throws Exception {
        coordinator.welcomes(false);
        try (AgentServer server = AgentServer.start(config("postgres", Map.of()), StepListener.NONE)) {
            coordinator.awaitHello();
            coordinator.cut(Status.FAILED_PRECONDITION, "RESOURCE_IDENTITY_DIFFERS: stock is another database");
            Awaitility.await().atMost(LIMIT).untilAsserted(() -> {
                String body = get(server, "/readyz").body();
                assertTrue(body.contains("RESOURCE_IDENTITY_DIFFERS: stock is another database"), body);
            });
            coordinator.welcomes(true);
            coordinator.awaitHello();
            coordinator.cut();
            assertTrue(server.runtime().awaitReady(LIMIT));
        }
    }
}
