package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.TrothAgent;
import io.troth.agent.TrothAgentBuilder;
import io.troth.chaos.process.WorkDirectory;
import io.troth.client.GlobalTransaction;
import io.troth.client.TransactionOptions;
import io.troth.client.TrothClient;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Goal: what a transaction costs is known, exactly, and cannot grow unnoticed (pitfalls 16 and 21). Method: the whole
 * stack in this JVM, with counters between the coordinator's parts and at its log; each transaction runs alone. Entries and
 * forced writes are exact. Messages and hand-overs have a limit, because what is ready together goes together: never are
 * there more than without any luck, which is one message for what one turn of the engine says to one peer, and one for
 * each entry that has a moment of its own.
 */
class CostTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private static final String A = Banks.A;
    private static final String B = Banks.B;

    /** So that one branch can write while two read: bank A under another name. */
    private static final String A_AGAIN = "bank-a-again";

    /** Both banks again, at one agent. */
    private static final String SHARED_A = "shared-a";

    private static final String SHARED_B = "shared-b";

    private static final Map<String, Integer> TWO_BRANCHES = Map.of(
            "Enlist", 2,
            "CommitRequested", 1,
            "Prepare", 2,
            "VoteReceived", 2,
            "CommitBranch", 2,
            "BranchDone", 2,
            "Answer", 1);

    /** COMMIT and END: each is handed to the log's thread, and back when it is written. */
    private static final int LOGGED = 2;

    private static final Map<String, TrothAgent> AGENTS = new HashMap<>();

    private static WorkDirectory directory;
    private static CountedCoordinator coordinator;
    private static Banks banks;
    private static TrothClient client;

    @BeforeAll
    static void start() throws Exception {
        directory = WorkDirectory.create("cost-");
        coordinator = new CountedCoordinator(directory.path().resolve("decisions"));
        banks = Banks.create("Cost");
        client = TrothClient.connect(coordinator.address());
        for (List<String> resources : List.of(List.of(A), List.of(B), List.of(A_AGAIN), List.of(SHARED_A, SHARED_B))) {
            TrothAgentBuilder builder = TrothAgent.builder().coordinator(coordinator.address());
            resources.forEach(resource -> builder.resource(resource, banks.dataSource(bank(resource))));
            TrothAgent agent = builder.start();
            resources.forEach(resource -> AGENTS.put(resource, agent));
        }
        for (TrothAgent agent : AGENTS.values()) {
            assertTrue(agent.awaitReady(LIMIT));
        }
    }

    @AfterAll
    static void end() {
        client.close();
        AGENTS.values().forEach(TrothAgent::close);
        coordinator.close();
        directory.close();
    }

    @Test
    void twoBranchesCostTwelveEntriesAndOneForce() throws Exception {
        int forces = coordinator.forces();
        GlobalTransaction tx = client.begin();
        share(tx);
        write(A);
        write(B);
        assertEquals(Outcome.COMMITTED, tx.commit().outcome());
        assertEntries(tx.id(), TWO_BRANCHES);
        assertEquals(1, coordinator.forces() - forces);
        // As many as entries: each is between two peers that say nothing else to each other at that moment.
        assertNoGrowth(messages(1, 1, 6, 4, LOGGED), tx.id());
    }

    /** What one turn says to one agent is one message: both prepares, and both commits. */
    @Test
    void twoBranchesAtOneAgentShareMessages() throws Exception {
        int forces = coordinator.forces();
        GlobalTransaction tx = client.begin();
        share(tx);
        write(SHARED_A);
        write(SHARED_B);
        awaitEnlisted(tx.id(), 2);
        assertEquals(Outcome.COMMITTED, tx.commit().outcome());
        assertEntries(tx.id(), TWO_BRANCHES);
        assertEquals(1, coordinator.forces() - forces);
        assertNoGrowth(messages(1, 1, 6, 2, LOGGED), tx.id());
    }

    /** What the client is asked for in one go is one message, and so is all that follows from it in one turn. */
    @Test
    void twoRollbacksAskedForTogetherShareMessages() throws Exception {
        GlobalTransaction first = beginUnbound();
        GlobalTransaction second = beginUnbound();
        GlobalTransaction before = beginUnbound();
        under(first, () -> write(SHARED_A));
        under(second, () -> write(SHARED_B));
        under(before, () -> read(A));
        share(first);
        share(second);
        share(before);
        awaitEnlisted(first.id(), 1);
        awaitEnlisted(second.id(), 1);
        CompletableFuture<String> asked = new CompletableFuture<>();
        // It answers only after it is known who waits for it: the client's own thread, which sends when it is done
        // here.
        coordinator.whileItStands(() -> {
            var unused = before.commitAsync().thenCompose(committed -> {
                asked.complete(Thread.currentThread().getName());
                return first.rollbackAsync().thenCombine(second.rollbackAsync(), (one, other) -> committed);
            });
        });
        String thread = asked.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        assertTrue(thread.startsWith("troth-client"), thread);
        Map<String, Integer> rollback = Map.of("Enlist", 1, "RollbackRequested", 1, "RollbackBranch", 1, "Answer", 1);
        assertEntries(first.id(), rollback);
        assertEntries(second.id(), rollback);
        assertNoGrowth(messages(1, 1, 2, 1, 0), first.id(), second.id());
    }

    @Test
    void aRollbackForcesNothing() throws Exception {
        int forces = coordinator.forces();
        GlobalTransaction tx = client.begin();
        share(tx);
        write(A);
        write(B);
        awaitEnlisted(tx.id(), 2);
        tx.rollback();
        assertEntries(tx.id(), Map.of("Enlist", 2, "RollbackRequested", 1, "RollbackBranch", 2, "Answer", 1));
        assertEquals(0, coordinator.forces() - forces);
        assertNoGrowth(messages(1, 1, 2, 2, 0), tx.id());
    }

    /** Client and agent are in one process, and nobody else has heard of it. */
    @Test
    void oneBranchThatNobodyElseHasHeardOfCostsNothing() throws Exception {
        int forces = coordinator.forces();
        GlobalTransaction committed = client.begin();
        write(A);
        assertEquals(Outcome.COMMITTED, committed.commit().outcome());
        GlobalTransaction read = client.begin();
        read(A);
        assertEquals(Outcome.READ_ONLY, read.commit().outcome());
        GlobalTransaction rolledBack = client.begin();
        write(A);
        rolledBack.rollback();
        for (GlobalTransaction tx : List.of(committed, read, rolledBack)) {
            assertEntries(tx.id(), Map.of());
            assertNoGrowth(Map.of(), tx.id());
        }
        assertEquals(0, coordinator.forces() - forces);
    }

    /** The same of several, which are prepared before the coordinator hears of them. */
    @Test
    void twoBranchesThatNobodyElseHasHeardOfCostFourEntriesAndOneForce() throws Exception {
        int forces = coordinator.forces();
        GlobalTransaction tx = client.begin();
        write(A);
        write(B);
        assertEquals(Outcome.COMMITTED, tx.commit().outcome());
        assertEntries(tx.id(), Map.of("CommitRequested", 1, "Answer", 1, "BranchDone", 2));
        assertEquals(1, coordinator.forces() - forces);
        assertNoGrowth(messages(1, 1, 2, 0, LOGGED), tx.id());
    }

    @Test
    void readersThatNobodyElseHasHeardOfCostNothing() throws Exception {
        int forces = coordinator.forces();
        GlobalTransaction read = client.begin();
        read(A);
        read(B);
        assertEquals(Outcome.READ_ONLY, read.commit().outcome());
        GlobalTransaction rolledBack = client.begin();
        write(A);
        write(B);
        rolledBack.rollback();
        for (GlobalTransaction tx : List.of(read, rolledBack)) {
            assertEntries(tx.id(), Map.of());
            assertNoGrowth(Map.of(), tx.id());
        }
        GlobalTransaction one = client.begin();
        write(A);
        read(B);
        read(A_AGAIN);
        assertEquals(Outcome.COMMITTED, one.commit().outcome());
        assertEntries(one.id(), Map.of("CommitRequested", 1, "Answer", 1, "BranchDone", 1));
        assertNoGrowth(messages(1, 1, 1, 0, LOGGED), one.id());
        assertEquals(1, coordinator.forces() - forces);
    }

    @Test
    void oneBranchAloneForcesNothing() throws Exception {
        int forces = coordinator.forces();
        GlobalTransaction tx = client.begin();
        write(A);
        share(tx);
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
        assertNoGrowth(messages(1, 1, 3, 1, 0), tx.id());
    }

    @Test
    void readersGetNoSecondPhase() throws Exception {
        int forces = coordinator.forces();
        GlobalTransaction tx = client.begin();
        share(tx);
        write(A);
        read(B);
        read(A_AGAIN);
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
        assertNoGrowth(messages(1, 1, 7, 4, LOGGED), tx.id());
    }

    @Test
    void readersAloneForceNothing() throws Exception {
        int forces = coordinator.forces();
        GlobalTransaction tx = client.begin();
        share(tx);
        read(A);
        read(B);
        assertEquals(Outcome.READ_ONLY, tx.commit().outcome());
        assertEntries(tx.id(), Map.of("Enlist", 2, "CommitRequested", 1, "Prepare", 2, "VoteReceived", 2, "Answer", 1));
        assertEquals(0, coordinator.forces() - forces);
        assertNoGrowth(messages(1, 1, 4, 2, 0), tx.id());
    }

    private static Map<Cost, Integer> messages(
            int fromClients, int toClients, int fromAgents, int toAgents, int records) {
        return Map.of(
                Cost.MESSAGES_FROM_CLIENTS, fromClients,
                Cost.MESSAGES_TO_CLIENTS, toClients,
                Cost.MESSAGES_FROM_AGENTS, fromAgents,
                Cost.MESSAGES_TO_AGENTS, toAgents,
                Cost.TO_THE_LOG, records,
                Cost.FROM_THE_LOG, records);
    }

    /** Says of each figure that has grown what it is and what it was; what is not mentioned was 0. */
    private static void assertNoGrowth(Map<Cost, Integer> was, GlobalTxId... txs) {
        List<String> grown = Arrays.stream(Cost.values())
                .filter(cost -> coordinator.counters().count(cost, txs) > was.getOrDefault(cost, 0))
                .map(cost ->
                        cost + ": " + coordinator.counters().count(cost, txs) + ", it was " + was.getOrDefault(cost, 0))
                .toList();
        assertEquals(List.of(), grown);
    }

    /** The END of one transaction must not make the next one look dear, nor a late entry go uncounted. */
    private static void assertEntries(GlobalTxId tx, Map<String, Integer> expected) {
        Awaitility.await()
                .during(Duration.ofMillis(200))
                .atMost(LIMIT)
                .untilAsserted(() -> assertEquals(
                        new TreeMap<>(expected), coordinator.counters().entries(tx)));
    }

    /** A branch that the coordinator hears of late is prepared late, in a message of its own, or refused after a rollback. */
    private static void awaitEnlisted(GlobalTxId tx, int branches) {
        Awaitility.await()
                .atMost(LIMIT)
                .until(() -> coordinator.counters().entries(tx).equals(Map.of("Enlist", branches)));
    }

    private static GlobalTransaction beginUnbound() throws Exception {
        return client.beginAsync(TransactionOptions.DEFAULTS)
                .toCompletableFuture()
                .get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    }

    /** As a call to another service does: from now on the coordinator has to know. */
    private static void share(GlobalTransaction tx) {
        assertEquals(tx.id(), tx.token().tx());
    }

    private interface Work {
        void run() throws Exception;
    }

    private static void under(GlobalTransaction tx, Work work) throws Exception {
        Callable<Boolean> wrapped = tx.wrap(() -> {
            work.run();
            return true;
        });
        assertTrue(wrapped.call());
    }

    private static void write(String resource) throws Exception {
        try (Connection connection = connect(resource)) {
            Banks.apply(connection, Banks.transfer(), bank(resource));
        }
    }

    private static void read(String resource) throws Exception {
        try (Connection connection = connect(resource);
                Statement statement = connection.createStatement()) {
            statement.executeQuery("SELECT count(*) FROM account").close();
        }
    }

    private static Connection connect(String resource) throws Exception {
        return AGENTS.get(resource).dataSource(resource).getConnection();
    }

    private static String bank(String resource) {
        return resource.equals(B) || resource.equals(SHARED_B) ? B : A;
    }
}
