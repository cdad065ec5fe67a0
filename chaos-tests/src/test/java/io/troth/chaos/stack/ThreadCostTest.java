package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.TrothAgent;
import io.troth.chaos.process.WorkDirectory;
import io.troth.chaos.stack.ThreadUse.Use;
import io.troth.client.GlobalTransaction;
import io.troth.client.OutcomeToken;
import io.troth.client.TrothClient;
import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.server.CoordinatorServer;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * Goal: a copy of a message, or a thread more that a transaction has to pass, does not get in unnoticed. Method: as
 * {@link CostTest}, but with the product's own coordinator, meters and all; and what is counted are the bytes that each kind
 * of thread allocates for one transaction, and how often it was handed work: {@link ThreadUse}. The figures are those of the
 * JVM flags of the build; a JVM that is allowed to optimise more allocates less.
 *
 * <p>The caller sleeps once, until the answer comes; a branch's worker until the prepare and until the commit; the log until
 * the COMMIT and until the END. Nobody waits for the end of a rollback, so that the next transaction may have to: there the
 * figures are higher than what is mostly seen.
 */
@Isolated("looks at the threads of this JVM")
class ThreadCostTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int WARM_UP = 40;
    private static final int ROUND = 20;
    private static final int ROUNDS_MAX = 6;

    private static WorkDirectory directory;
    private static Set<Long> strangers;
    private static CoordinatorServer coordinator;
    private static final List<TrothAgent> AGENTS = new ArrayList<>();
    private static TrothClient client;
    private static ThreadUse idle;

    @BeforeAll
    static void start() throws Exception {
        directory = WorkDirectory.create("thread-cost-");
        Banks banks = Banks.create("ThreadCost");
        strangers = ThreadUse.running();
        coordinator = CoordinatorServer.start(
                CoordinatorConfig.onFreePorts(directory.path().resolve("decisions"), Map.of()));
        String address = "localhost:" + coordinator.grpcPort();
        client = TrothClient.connect(address);
        for (String bank : List.of(Banks.A, Banks.B)) {
            AGENTS.add(TrothAgent.builder()
                    .coordinator(address)
                    .resource(bank, banks.dataSource(bank))
                    .start());
        }
        for (TrothAgent agent : AGENTS) {
            assertTrue(agent.awaitReady(LIMIT));
        }
        // Once everything has run: what it needs for the first time is not what it needs all the time.
        repeat(
                () -> {
                    GlobalTransaction tx = client.begin();
                    write(Banks.A);
                    write(Banks.B);
                    tx.commit();
                },
                WARM_UP);
        idle = ThreadUse.idle(strangers);
    }

    @AfterAll
    static void end() {
        client.close();
        AGENTS.forEach(TrothAgent::close);
        coordinator.close();
        directory.close();
    }

    /** It ends on the caller's thread, and nobody else hears of it. */
    @Test
    void oneBranch() throws Exception {
        assertUse(Map.of(ThreadUse.CALLER, new Use(18_000, 0)), () -> {
            GlobalTransaction tx = client.begin();
            write(Banks.A);
            tx.commit();
        });
    }

    /** The same where somebody else may ask about it. */
    @Test
    void oneBranchByTheCoordinator() throws Exception {
        assertUse(
                Map.of(
                        ThreadUse.CALLER,
                        new Use(14_000, 1),
                        "troth-client",
                        new Use(2_900, 0),
                        "troth-grpc",
                        new Use(14_400, 0),
                        "troth-agent-link",
                        new Use(5_400, 0),
                        "troth-agent-bank-a",
                        new Use(5_200, 1)),
                () -> {
                    GlobalTransaction tx = client.begin();
                    write(Banks.A);
                    OutcomeToken unused = tx.token();
                    tx.commit();
                });
    }

    @Test
    void twoBranches() throws Exception {
        assertUse(
                Map.of(
                        ThreadUse.CALLER,
                        new Use(25_300, 1),
                        "troth-client",
                        new Use(2_900, 0),
                        "troth-grpc",
                        new Use(28_600, 0),
                        "troth-log",
                        new Use(2_300, 2),
                        "troth-agent-link",
                        new Use(16_100, 0),
                        "troth-agent-bank-a",
                        new Use(10_500, 2),
                        "troth-agent-bank-b",
                        new Use(10_500, 2)),
                () -> {
                    GlobalTransaction tx = client.begin();
                    write(Banks.A);
                    write(Banks.B);
                    tx.commit();
                });
    }

    @Test
    void aBranchThatOnlyReads() throws Exception {
        assertUse(
                Map.of(
                        ThreadUse.CALLER,
                        new Use(22_400, 1),
                        "troth-client",
                        new Use(2_900, 0),
                        "troth-grpc",
                        new Use(24_400, 0),
                        "troth-log",
                        new Use(1_900, 2),
                        "troth-agent-link",
                        new Use(12_400, 0),
                        "troth-agent-bank-a",
                        new Use(10_500, 2),
                        "troth-agent-bank-b",
                        new Use(4_000, 1)),
                () -> {
                    GlobalTransaction tx = client.begin();
                    write(Banks.A);
                    read(Banks.B);
                    tx.commit();
                });
    }

    @Test
    void aRollback() throws Exception {
        assertUse(
                Map.of(
                        ThreadUse.CALLER,
                        new Use(25_500, 2),
                        "troth-client",
                        new Use(3_400, 0),
                        "troth-grpc",
                        new Use(14_900, 0),
                        "troth-agent-link",
                        new Use(7_500, 0),
                        "troth-agent-bank-a",
                        new Use(800, 2),
                        "troth-agent-bank-b",
                        new Use(800, 2)),
                () -> {
                    GlobalTransaction tx = client.begin();
                    write(Banks.A);
                    write(Banks.B);
                    tx.rollback();
                });
    }

    /** One transaction, from begin to its end. */
    private interface Work {
        void run() throws Exception;
    }

    /** What happens only once is over after the warm-up; what happens beside the work does not happen in every round. */
    private static void assertUse(Map<String, Use> was, Work work) throws Exception {
        repeat(work, WARM_UP);
        ThreadUse now = null;
        List<String> grown = List.of();
        for (int round = 0; round < ROUNDS_MAX && (round == 0 || !grown.isEmpty()); round++) {
            ThreadUse.Look before = new ThreadUse.Look(strangers);
            repeat(work, ROUND);
            ThreadUse use = ThreadUse.between(before, new ThreadUse.Look(strangers), ROUND, idle);
            now = now == null ? use : now.lower(use);
            grown = now.growthSince(new ThreadUse(was));
        }
        assertEquals(List.of(), grown, "for each transaction; all there is: " + now);
    }

    private static void repeat(Work work, int times) throws Exception {
        for (int i = 0; i < times; i++) {
            work.run();
        }
    }

    private static void write(String bank) throws Exception {
        try (Connection connection = connect(bank)) {
            Banks.apply(connection, Banks.transfer(), bank);
        }
    }

    private static void read(String bank) throws Exception {
        try (Connection connection = connect(bank);
                Statement statement = connection.createStatement()) {
            statement.executeQuery("SELECT count(*) FROM account").close();
        }
    }

    private static Connection connect(String bank) throws Exception {
        return AGENTS.get(bank.equals(Banks.A) ? 0 : 1).dataSource(bank).getConnection();
    }
}
