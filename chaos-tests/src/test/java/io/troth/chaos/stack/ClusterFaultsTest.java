package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.chaos.bank.Bank;
import io.troth.chaos.bank.Transfer;
import io.troth.chaos.process.ChildProcess;
import io.troth.client.GlobalTransaction;
import io.troth.client.OutcomeToken;
import io.troth.core.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * Goal: no fault of the members of a cluster makes an answer false. Method: transfers run all the time, while members are
 * killed at once, stand still, or find their log damaged; at the end every answer is compared with the books of both banks,
 * and asked for again.
 */
@EnabledIfSystemProperty(named = "troth.clusterFaults", matches = "true")
class ClusterFaultsTest {

    private static final Duration LIMIT = Duration.ofSeconds(90);
    private static final int THREADS = 3;

    /** Every transfer that was begun, and what its client was told; null as long as it was told nothing. */
    private final Map<Transfer, Outcome> told = new ConcurrentHashMap<>();

    private final Map<Transfer, OutcomeToken> tokens = new ConcurrentHashMap<>();
    private final Set<Transfer> begun = ConcurrentHashMap.newKeySet();
    private volatile boolean stopping;

    @Test
    @Timeout(value = 10, unit = TimeUnit.MINUTES)
    void noAnswerIsFalseWhateverHappensToTheMembers() throws Exception {
        try (ClusterStack stack = new ClusterStack("ClusterFaults")) {
            List<Thread> clients = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                Thread thread = new Thread(() -> transfers(stack), "transfers-" + i);
                thread.start();
                clients.add(thread);
            }
            try {
                awaitCommits();
                allAreKilledAtOnce(stack);
                theLeaderStandsStill(stack);
                theLeaderIsLeftAlone(stack);
                aLogIsDamaged(stack);
            } finally {
                stopping = true;
                for (Thread thread : clients) {
                    thread.join();
                }
            }
            stack.banks().awaitNothingPrepared();
            assertTruth(stack);
        }
    }

    private void allAreKilledAtOnce(ClusterStack stack) {
        ClusterStack.Lead before = stack.lead();
        List<String> all = new ArrayList<>(stack.others(""));
        all.forEach(node ->
                assertEquals(ChildProcess.EXIT_KILLED, stack.process(node).kill()));
        all.forEach(stack::restart);
        assertTrue(stack.awaitLeadAbove(before.epoch()).epoch() > before.epoch());
        awaitCommits();
    }

    /** Long enough that another one leads: it must not go on as if nothing had been. */
    private void theLeaderStandsStill(ClusterStack stack) {
        ClusterStack.Lead before = stack.lead();
        stack.process(before.node()).child().suspend();
        ClusterStack.Lead after = stack.awaitLeadAbove(before.epoch());
        assertNotEquals(before.node(), after.node());
        awaitCommits();
        stack.process(before.node()).child().proceed();
        stack.awaitNotLeading(before.node());
        awaitCommits();
    }

    /** Both others stand still: nothing is decided until one of them goes on. */
    private void theLeaderIsLeftAlone(ClusterStack stack) throws Exception {
        ClusterStack.Lead before = stack.lead();
        List<String> others = stack.others(before.node());
        others.forEach(node -> stack.process(node).child().suspend());
        CompletableFuture<Outcome> alone = CompletableFuture.supplyAsync(
                () -> transfer(stack), task -> new Thread(task, "transfer-alone").start());
        stack.awaitNotLeading(before.node());
        assertTrue(!alone.isDone() || alone.get() != Outcome.COMMITTED, "decided without a majority");
        others.forEach(node -> stack.process(node).child().proceed());
        assertTrue(stack.awaitLeadAbove(before.epoch()).epoch() > before.epoch());
        Outcome unused = alone.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        awaitCommits();
    }

    /** One bit of what a follower has on its disk: it refuses to start, and the others do without it. */
    private void aLogIsDamaged(ClusterStack stack) throws IOException {
        String node = stack.others(stack.lead().node()).get(0);
        stack.process(node).kill();
        Path log = anyLogFile(stack.data(node));
        byte[] good = Files.readAllBytes(log);
        byte[] bad = good.clone();
        bad[60] ^= 1;
        Files.write(log, bad);
        stack.restart(node);
        int exit = stack.process(node).child().awaitExit(LIMIT);
        assertTrue(exit != 0 && exit != ChildProcess.EXIT_KILLED, "exit code " + exit);
        awaitCommits();

        Files.write(log, good);
        stack.restart(node);
        stack.awaitNotLeading(node);
        awaitCommits();
    }

    private static Path anyLogFile(Path data) throws IOException {
        try (Stream<Path> files = Files.walk(data.resolve("raft"))) {
            return files.filter(file -> file.getFileName().toString().startsWith("log_"))
                    .sorted()
                    .findFirst()
                    .orElseThrow();
        }
    }

    // The clients.

    private void transfers(ClusterStack stack) {
        while (!stopping) {
            if (transfer(stack) == Outcome.ROLLED_BACK) {
                // There may be nobody to begin at.
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
            }
        }
    }

    /** One transfer; what its client was told. Without a commit it is one that was rolled back. */
    private Outcome transfer(ClusterStack stack) {
        Transfer transfer = Banks.transfer();
        begun.add(transfer);
        GlobalTransaction tx = null;
        CompletableFuture<Outcome> answer;
        try {
            tx = stack.client().begin();
            stack.work(transfer);
            answer = Answers.of(tx.commitAsync());
            tokens.put(transfer, tx.token());
        } catch (SQLException | RuntimeException e) {
            if (tx != null) {
                tx.rollback();
            }
            return Outcome.ROLLED_BACK;
        }
        Outcome outcome = answer.join();
        told.put(transfer, outcome);
        return outcome;
    }

    /** Transfers go on: some more are committed. */
    private void awaitCommits() {
        long before = committed();
        Awaitility.await("transfers go on").atMost(LIMIT).until(() -> committed() >= before + 2 * THREADS);
    }

    private long committed() {
        return told.values().stream().filter(Outcome.COMMITTED::equals).count();
    }

    // The truth.

    private void assertTruth(ClusterStack stack) throws SQLException {
        stack.banks().assertNoMoneyLost();
        Set<Long> inA = numbers(stack, Banks.A);
        assertEquals(inA, numbers(stack, Banks.B), "transfers that are in one bank only");
        for (Transfer transfer : begun) {
            Outcome truth = inA.contains(transfer.number()) ? Outcome.COMMITTED : Outcome.ROLLED_BACK;
            Outcome answer = told.getOrDefault(transfer, Outcome.ROLLED_BACK);
            assertTrue(
                    answer == truth || (answer == Outcome.UNKNOWN),
                    "transfer " + transfer.number() + " was answered " + answer + " and is " + truth);
            OutcomeToken token = tokens.get(transfer);
            if (token != null) {
                assertEquals(truth, stack.client().outcome(token), "transfer " + transfer.number() + ", asked again");
            }
        }
        assertTrue(committed() > 0);
    }

    private static Set<Long> numbers(ClusterStack stack, String bank) throws SQLException {
        try (Connection connection =
                stack.banks().server(bank).connect(stack.banks().database())) {
            return Set.copyOf(Bank.books(connection).amounts().keySet());
        }
    }
}
