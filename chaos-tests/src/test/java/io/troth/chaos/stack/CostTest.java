package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.TrothAgent;
import io.troth.chaos.process.WorkDirectory;
import io.troth.client.GlobalTransaction;
import io.troth.client.TrothClient;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Goal: what a transaction costs is known, exactly, and cannot grow unnoticed (pitfalls 16 and 21). Method: the whole
 * stack in this JVM, with a counter at the coordinator's door and at its log; each transaction runs alone.
 */
class CostTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    /** Three resources, so that one can write while two read: the third is bank A under another name. */
    private static final String A_AGAIN = "bank-a-again";

    private static WorkDirectory directory;
    private static CountedCoordinator coordinator;
    private static Banks banks;
    private static final List<TrothAgent> AGENTS = new ArrayList<>();
    private static TrothClient client;

    @BeforeAll
    static void start() throws Exception {
        directory = WorkDirectory.create("cost-");
        coordinator = new CountedCoordinator(directory.path().resolve("decisions"));
        banks = Banks.create("Cost");
        client = TrothClient.connect(coordinator.address());
        for (String resource : List.of(Banks.A, Banks.B, A_AGAIN)) {
            AGENTS.add(TrothAgent.builder()
                    .coordinator(coordinator.address())
                    .resource(resource, banks.dataSource(resource.equals(Banks.B) ? Banks.B : Banks.A))
                    .start());
        }
        for (TrothAgent agent : AGENTS) {
            assertTrue(agent.awaitReady(LIMIT));
        }
    }

    @AfterAll
    static void end() {
        client.close();
        AGENTS.forEach(TrothAgent::close);
        coordinator.close();
        directory.close();
    }

    @Test
    void twoBranchesCostTwelveEntriesAndOneForce() throws Exception {
        int forces = coordinator.forces();
        GlobalTransaction tx = client.begin();
        write(0);
        write(1);
        assertEquals(Outcome.COMMITTED, tx.commit().outcome());
        assertEntries(
                tx.id(),
                Map.of(
                        "Enlist", 2,
                        "CommitRequested", 1,
                        "Prepare", 2,
                        "VoteReceived", 2,
                        "CommitBranch", 2,
                        "BranchDone", 2,
                        "Answer", 1));
        assertEquals(1, coordinator.forces() - forces);
    }

    @Test
    void aRollbackForcesNothing() throws Exception {
        int forces = coordinator.forces();
        GlobalTransaction tx = client.begin();
        write(0);
        write(1);
        tx.rollback();
        assertEntries(tx.id(), Map.of("Enlist", 2, "RollbackRequested", 1, "RollbackBranch", 2, "Answer", 1));
        assertEquals(0, coordinator.forces() - forces);
    }

    @Test
    void oneBranchAloneForcesNothing() throws Exception {
        int forces = coordinator.forces();
        GlobalTransaction tx = client.begin();
        write(0);
        assertEquals(Outcome.COMMITTED, tx.commit().outcome());
        assertEntries(
                tx.id(),
                Map.of(
                        "Enlist", 1,
                        "CommitRequested", 1,
                        "CommitOnePhase", 1,
                        "OnePhaseProof", 1,
                        "OnePhaseResult", 1,
                        "Answer", 1));
        assertEquals(0, coordinator.forces() - forces);
    }

    @Test
    void readersGetNoSecondPhase() throws Exception {
        int forces = coordinator.forces();
        GlobalTransaction tx = client.begin();
        write(0);
        read(1);
        read(2);
        assertEquals(Outcome.COMMITTED, tx.commit().outcome());
        assertEntries(
                tx.id(),
                Map.of(
                        "Enlist", 3,
                        "CommitRequested", 1,
                        "Prepare", 3,
                        "VoteReceived", 3,
                        "CommitBranch", 1,
                        "BranchDone", 1,
                        "Answer", 1));
        assertEquals(1, coordinator.forces() - forces);
    }

    @Test
    void readersAloneForceNothing() throws Exception {
        int forces = coordinator.forces();
        GlobalTransaction tx = client.begin();
        read(0);
        read(1);
        assertEquals(Outcome.READ_ONLY, tx.commit().outcome());
        assertEntries(tx.id(), Map.of("Enlist", 2, "CommitRequested", 1, "Prepare", 2, "VoteReceived", 2, "Answer", 1));
        assertEquals(0, coordinator.forces() - forces);
    }

    /** The END of one transaction must not make the next one look dear, nor a late entry go uncounted. */
    private static void assertEntries(GlobalTxId tx, Map<String, Integer> expected) {
        Awaitility.await()
                .during(Duration.ofMillis(200))
                .atMost(LIMIT)
                .untilAsserted(() -> assertEquals(new java.util.TreeMap<>(expected), coordinator.entries(tx)));
    }

    private static void write(int agent) throws Exception {
        try (Connection connection = connect(agent)) {
            Banks.apply(connection, Banks.transfer(), agent == 1 ? Banks.B : Banks.A);
        }
    }

    private static void read(int agent) throws Exception {
        try (Connection connection = connect(agent);
                Statement statement = connection.createStatement()) {
            statement.executeQuery("SELECT count(*) FROM account").close();
        }
    }

    private static Connection connect(int agent) throws Exception {
        String resource = List.of(Banks.A, Banks.B, A_AGAIN).get(agent);
        return AGENTS.get(agent).dataSource(resource).getConnection();
    }
}
