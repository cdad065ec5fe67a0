package io.troth.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.troth.agent.database.PostgresExtension;
import io.troth.agent.database.TestPostgres;
import io.troth.agent.grpc.SimulatedAgentService;
import io.troth.agent.metrics.AgentMetrics;
import io.troth.agent.xa.PostgresGids;
import io.troth.client.context.CallScope;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.SessionKey;
import io.troth.core.TransactionContext;
import io.troth.core.TrothException;
import io.troth.proto.v1.AgentEntry.EntryCase;
import io.troth.proto.v1.Enlist;
import io.troth.proto.v1.Vote;
import io.troth.proto.v1.VoteEntry;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.CommonDataSource;
import javax.sql.DataSource;
import org.awaitility.Awaitility;
import org.awaitility.core.ThrowingRunnable;
import org.h2.jdbcx.JdbcDataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.postgresql.xa.PGXADataSource;

/**
 * Goal: an embedded agent as a service sees it: connections that take part in a transaction, an ending as the coordinator
 * says, and no lock left behind when something is lost. Method: a real PostgreSQL, and a coordinator whose every word is
 * the test's.
 */
@SuppressWarnings("try") // A binding is there to be closed.
class TrothAgentTest {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final AtomicLong SEQUENCES = new AtomicLong();

    private final TestPostgres postgres = POSTGRES.server();
    private final SimulatedAgentService coordinator = SimulatedAgentService.start();
    private final MeterRegistry meters = new SimpleMeterRegistry();

    @BeforeEach
    void table() throws SQLException {
        postgres.execute(
                "DROP TABLE IF EXISTS account",
                "CREATE TABLE account (id int PRIMARY KEY, balance int)",
                "INSERT INTO account VALUES (1, 100), (2, 100)");
    }

    @AfterEach
    void close() throws SQLException {
        coordinator.close();
        postgres.rollbackEverythingPrepared();
    }

    private TrothAgentBuilder builder() {
        return TrothAgent.builder()
                .coordinator(coordinator.endpoint())
                .resource("accounts", postgres.dataSource(), ResourceOptions.DEFAULTS.withPoolSize(4))
                .scanInterval(Duration.ofMillis(300))
                .drain(Duration.ZERO)
                .metrics(new AgentMetrics(meters));
    }

    private TrothAgent started() throws InterruptedException {
        TrothAgent agent = builder().start();
        assertTrue(agent.awaitReady(LIMIT));
        return agent;
    }

    private CallScope scope() {
        return new CallScope(
                new TransactionContext(
                        SimulatedAgentService.CLUSTER,
                        coordinator.transaction(SEQUENCES.incrementAndGet()),
                        new SessionKey(1, 2),
                        1,
                        60_000),
                System::nanoTime);
    }

    private static void update(TrothAgent agent, CallScope scope, String sql) throws SQLException {
        try (CallScope.Binding ignored = scope.attach();
                Connection connection = agent.dataSource("accounts").getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private int balance(int id) throws SQLException {
        return Integer.parseInt(postgres.ask("SELECT balance FROM account WHERE id = " + id));
    }

    /** Fails when anybody holds a lock on the row. */
    private void assertFree(int id) throws SQLException {
        postgres.ask("SELECT balance FROM account WHERE id = " + id + " FOR UPDATE NOWAIT");
    }

    private void awaitFree(int id) {
        Awaitility.await().atMost(LIMIT).ignoreExceptions().untilAsserted(() -> assertFree(id));
    }

    private double count(String name, String... tags) {
        return meters.get(name).tags(tags).counter().count();
    }

    /** What is counted may be counted a moment after it was said. */
    private void awaitCount(double expected, String name, String... tags) {
        await(() -> assertEquals(expected, count(name, tags)));
    }

    private void awaitInDoubt(double expected) {
        await(() -> assertEquals(
                expected, meters.get("troth.agent.in.doubt.branches").gauge().value()));
    }

    /** Also for meters that are not there yet. */
    private static void await(ThrowingRunnable assertion) {
        Awaitility.await().atMost(LIMIT).ignoreExceptions().untilAsserted(assertion);
    }

    @Test
    void commitsWhatAScopeDidWhenTheCoordinatorSaysSo() throws Exception {
        try (TrothAgent agent = started()) {
            CallScope scope = scope();
            update(agent, scope, "UPDATE account SET balance = balance - 10 WHERE id = 1");
            update(agent, scope, "UPDATE account SET balance = balance + 10 WHERE id = 2");
            assertEquals(1, scope.close().branches().size());
            Enlist enlisted = coordinator.awaitEnlist();
            assertEquals("accounts", enlisted.getResource());
            coordinator.prepare(enlisted, 1);
            VoteEntry vote = coordinator.awaitVote();
            assertEquals(Vote.VOTE_YES, vote.getVote());
            assertFalse(vote.getProof().isEmpty());
            assertEquals(1, postgres.prepared().size());
            assertEquals(100, balance(1));
            coordinator.commit(enlisted, vote);
            coordinator.await(EntryCase.BRANCH_DONE);
            assertEquals(90, balance(1));
            assertEquals(110, balance(2));
            assertTrue(postgres.prepared().isEmpty());
            awaitCount(1, "troth.agent.votes", "vote", "yes", "reason", "");
            awaitCount(1, "troth.agent.branches.finished", "resource", "accounts", "end", "committed");
            await(() -> assertEquals(
                    1, meters.get("troth.agent.prepare.duration").timer().count()));
            await(() -> assertEquals(
                    1, meters.get("troth.agent.commit.duration").timer().count()));
            awaitInDoubt(0);
        }
    }

    @Test
    void commitsInOnePhase() throws Exception {
        try (TrothAgent agent = started()) {
            CallScope scope = scope();
            update(agent, scope, "UPDATE account SET balance = 7 WHERE id = 1");
            var unused = scope.close();
            Enlist enlisted = coordinator.awaitEnlist();
            coordinator.commitOnePhase(enlisted, 1);
            coordinator.await(EntryCase.ONE_PHASE_PROOF);
            coordinator.await(EntryCase.ONE_PHASE_RESULT);
            assertEquals(7, balance(1));
            awaitCount(1, "troth.agent.branches.finished", "resource", "accounts", "end", "one_phase");
        }
    }

    @Test
    void votesReadOnlyForABranchThatOnlyRead() throws Exception {
        try (TrothAgent agent = started()) {
            CallScope scope = scope();
            update(agent, scope, "SELECT balance FROM account");
            var unused = scope.close();
            coordinator.prepare(coordinator.awaitEnlist(), 1);
            assertEquals(Vote.VOTE_READ_ONLY, coordinator.awaitVote().getVote());
            awaitCount(1, "troth.agent.branches.finished", "resource", "accounts", "end", "read_only");
        }
    }

    @Test
    void worksLocallyWithoutACoordinatorAndSaysWhyABranchCannotStart() throws Exception {
        coordinator.stop();
        try (TrothAgent agent = builder().connectTimeout(Duration.ZERO).start()) {
            assertFalse(agent.awaitReady(Duration.ofMillis(100)));
            try (Connection connection = agent.dataSource("accounts").getConnection();
                    Statement statement = connection.createStatement()) {
                assertEquals(1, statement.executeUpdate("UPDATE account SET balance = 1 WHERE id = 1"));
            }
            assertEquals(1, balance(1));
            SQLTransientConnectionException refused = assertThrows(
                    SQLTransientConnectionException.class,
                    () -> update(agent, scope(), "UPDATE account SET balance = 2 WHERE id = 1"));
            assertTrue(refused.getMessage().startsWith("NO_COORDINATOR"), refused.getMessage());
            awaitCount(1, "troth.agent.refused", "reason", "no_coordinator");
            // The order of starts does not matter.
            coordinator.listen();
            assertTrue(agent.awaitReady(LIMIT));
            update(agent, scope(), "UPDATE account SET balance = 3 WHERE id = 1");
            coordinator.awaitEnlist();
        }
    }

    @Test
    void aCallThatComesBeforeTheStreamWaitsForIt() throws Exception {
        coordinator.stop();
        try (TrothAgent agent = builder().start()) {
            FutureTask<Boolean> call = new FutureTask<>(() -> {
                update(agent, scope(), "UPDATE account SET balance = 4 WHERE id = 1");
                return true;
            });
            Thread caller = new Thread(call, "caller");
            caller.start();
            Awaitility.await().atMost(LIMIT).until(() -> caller.getState() == Thread.State.TIMED_WAITING);
            coordinator.listen();
            call.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
            coordinator.awaitEnlist();
            assertTrue(
                    meters.find("troth.agent.refused").counters().stream().allMatch(refused -> refused.count() == 0));
        }
    }

    @Test
    void rollsBackAndFreesLocksWhenTheStreamBreaks() throws Exception {
        try (TrothAgent agent = started()) {
            CallScope scope = scope();
            update(agent, scope, "UPDATE account SET balance = 0 WHERE id = 1");
            coordinator.awaitEnlist();
            assertThrows(SQLException.class, () -> assertFree(1));
            coordinator.cut();
            awaitFree(1);
            assertEquals(100, balance(1));
            assertTrue(agent.awaitReady(LIMIT));
            awaitCount(1, "troth.agent.branches.finished", "resource", "accounts", "end", "rolled_back");
            awaitCount(1, "troth.agent.reconnects");
        }
    }

    @Test
    void keepsAPreparedBranchOverABrokenStreamAndFinishesItAfterwards() throws Exception {
        try (TrothAgent agent = started()) {
            CallScope scope = scope();
            update(agent, scope, "UPDATE account SET balance = 0 WHERE id = 1");
            var unused = scope.close();
            Enlist enlisted = coordinator.awaitEnlist();
            coordinator.prepare(enlisted, 1);
            VoteEntry vote = coordinator.awaitVote();
            coordinator.cut();
            coordinator.awaitHello();
            var inquiry = coordinator.await(EntryCase.BRANCH_INQUIRY).getBranchInquiry();
            assertEquals(enlisted.getBranch(), inquiry.getBranch());
            awaitInDoubt(1);
            coordinator.commit(enlisted, vote);
            coordinator.await(EntryCase.BRANCH_DONE);
            assertEquals(0, balance(1));
        }
    }

    @Test
    void asksAboutWhatAnEarlierInstanceLeftPreparedAndFinishesIt() throws Exception {
        Enlist enlisted;
        try (TrothAgent first = started()) {
            CallScope scope = scope();
            update(first, scope, "UPDATE account SET balance = 0 WHERE id = 1");
            var unused = scope.close();
            enlisted = coordinator.awaitEnlist();
            coordinator.prepare(enlisted, 1);
            coordinator.awaitVote();
        }
        assertEquals(1, postgres.prepared().size());
        try (TrothAgent second = started()) {
            var inquiry = coordinator.await(EntryCase.BRANCH_INQUIRY).getBranchInquiry();
            assertEquals(enlisted.getBranch(), inquiry.getBranch());
            coordinator.rollback(inquiry.getTx(), inquiry.getBranch(), "accounts");
            awaitFree(1);
            assertEquals(100, balance(1));
            assertTrue(second.isReady());
        }
    }

    @Test
    void countsPreparedBranchesOfOtherClustersAndNeverTouchesThem() throws Exception {
        String foreign = PostgresGids.ofCluster(new ClusterId(99), coordinator.transaction(1));
        postgres.execute(
                "BEGIN", "UPDATE account SET balance = 5 WHERE id = 2", "PREPARE TRANSACTION '" + foreign + "'");
        try (TrothAgent agent = started()) {
            await(() -> assertEquals(
                    1, meters.get("troth.agent.other.cluster.prepared").gauge().value()));
            await(() -> assertTrue(count("troth.agent.scans", "resource", "accounts", "result", "read") > 0));
            double scans = count("troth.agent.scans", "resource", "accounts", "result", "read");
            await(() -> assertTrue(count("troth.agent.scans", "resource", "accounts", "result", "read") > scans + 1));
            assertEquals(1, postgres.prepared().size());
            assertTrue(coordinator.unread().stream().noneMatch(entry -> entry.hasBranchInquiry()));
            assertTrue(agent.isReady());
        }
    }

    @Test
    void refusesACoordinatorOfAnotherCluster() throws Exception {
        try (TrothAgent agent = builder().cluster(new ClusterId(5)).start()) {
            coordinator.awaitHello();
            coordinator.awaitHello();
            assertFalse(agent.isReady());
            await(() -> assertNotEquals(0, count("troth.agent.alarms", "reason", "wrong_cluster")));
            coordinator.becomes(new ClusterId(5), new EpochId(1, 9));
            assertTrue(agent.awaitReady(LIMIT));
        }
    }

    /** Returns when the agent waits for what is running. */
    private static CompletableFuture<Void> closes(TrothAgent agent) {
        CompletableFuture<Void> closed = new CompletableFuture<>();
        Thread closer = new Thread(
                () -> {
                    agent.close();
                    closed.complete(null);
                },
                "closer");
        closer.start();
        Awaitility.await().atMost(LIMIT).until(() -> closer.getState() == Thread.State.TIMED_WAITING);
        return closed;
    }

    @Test
    void drainsWhenItCloses() throws Exception {
        TrothAgent agent = builder().drain(LIMIT).start();
        assertTrue(agent.awaitReady(LIMIT));
        CallScope scope = scope();
        update(agent, scope, "UPDATE account SET balance = 0 WHERE id = 1");
        Enlist enlisted = coordinator.awaitEnlist();
        CompletableFuture<Void> closing = closes(agent);
        SQLException refused = assertThrows(SQLException.class, () -> update(agent, scope(), "SELECT 1"));
        assertTrue(refused.getMessage().startsWith("DRAINING"), refused.getMessage());
        assertFalse(closing.isDone());
        update(agent, scope, "UPDATE account SET balance = 1 WHERE id = 1");
        var unused = scope.close();
        coordinator.commitOnePhase(enlisted, 1);
        coordinator.await(EntryCase.ONE_PHASE_RESULT);
        closing.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        assertEquals(1, balance(1));
        agent.close();
    }

    @Test
    void waitsForTheDecisionOnWhatItHasPreparedWhenItCloses() throws Exception {
        TrothAgent agent = builder().drain(LIMIT).start();
        assertTrue(agent.awaitReady(LIMIT));
        CallScope scope = scope();
        update(agent, scope, "UPDATE account SET balance = 0 WHERE id = 1");
        var unused = scope.close();
        Enlist enlisted = coordinator.awaitEnlist();
        coordinator.prepare(enlisted, 1);
        VoteEntry vote = coordinator.awaitVote();
        CompletableFuture<Void> closing = closes(agent);
        assertFalse(closing.isDone());
        coordinator.commit(enlisted, vote);
        closing.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        assertEquals(0, balance(1));
        assertTrue(postgres.prepared().isEmpty());
    }

    @Test
    void rollsBackWhatIsOpenWhenTheDrainTimeIsOver() throws Exception {
        TrothAgent agent = started();
        update(agent, scope(), "UPDATE account SET balance = 0 WHERE id = 1");
        agent.close();
        assertFree(1);
        assertEquals(100, balance(1));
    }

    @Test
    void saysWhatIsMissingBeforeItStarts() {
        assertThrows(
                IllegalArgumentException.class,
                () -> TrothAgent.builder().coordinator("localhost:7700").start());
        assertThrows(IllegalArgumentException.class, () -> builder().resource("accounts", postgres.dataSource()));
        assertThrows(IllegalArgumentException.class, () -> builder().resource("no name", postgres.dataSource()));
        IllegalArgumentException plaintext = assertThrows(
                IllegalArgumentException.class,
                () -> builder().coordinator("example.org:7700").start());
        assertTrue(plaintext.getMessage().contains("example.org:7700"));
        IllegalArgumentException unknown = assertThrows(IllegalArgumentException.class, () -> {
            try (TrothAgent agent = builder().start()) {
                agent.dataSource("acounts");
            }
        });
        assertTrue(unknown.getMessage().contains("accounts"));
    }

    @Test
    void tellsADatabaseThatDoesNotAnswerFromOneThatNeedsAChange() throws Exception {
        TrothException absent =
                assertThrows(TrothException.class, () -> startOn(postgres.dataSource("postgres", "no_such_database")));
        assertEquals(ErrorCode.DATABASE_MISCONFIGURED, absent.code());
        assertTrue(absent.getMessage().contains("resource savings: SQLState 3D000"), absent.getMessage());
        TrothException silent = assertThrows(TrothException.class, () -> {
            try (Socket taken = new Socket()) {
                // Nobody else can listen there either.
                taken.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                startOn(postgres.dataSource("postgres", "postgres", taken.getLocalPort()));
            }
        });
        assertEquals(ErrorCode.DATABASE_UNAVAILABLE, silent.code());
        JdbcDataSource h2 = new JdbcDataSource();
        h2.setURL("jdbc:h2:mem:unfit");
        TrothException unfit = assertThrows(TrothException.class, () -> startOn(h2));
        assertEquals(ErrorCode.DATABASE_MISCONFIGURED, unfit.code());
        TrothException foreign = assertThrows(TrothException.class, () -> startOn(new PlainSource(h2)));
        assertTrue(foreign.getMessage().contains("give an XADataSource"), foreign.getMessage());
    }

    @Test
    void takesXaDataSourcesAndAnApplicationsOwnDataSources() throws Exception {
        PGXADataSource xa = new PGXADataSource();
        xa.setUrl("jdbc:postgresql://localhost:" + postgres.port() + "/postgres?user=postgres");
        for (CommonDataSource source : List.of(xa, new PlainSource(postgres.dataSource()))) {
            try (TrothAgent agent = startOn(source);
                    Connection connection = agent.dataSource("savings").getConnection()) {
                assertTrue(connection.isValid(30));
            }
        }
    }

    /** A DataSource of an application's own. */
    private static final class PlainSource extends AbstractDataSource {
        private final DataSource wrapped;

        PlainSource(DataSource wrapped) {
            this.wrapped = wrapped;
        }

        @Override
        public Connection getConnection() throws SQLException {
            return wrapped.getConnection();
        }
    }

    private TrothAgent startOn(CommonDataSource source) {
        return TrothAgent.builder()
                .coordinator(coordinator.endpoint())
                .resource("savings", source)
                .start();
    }
}
