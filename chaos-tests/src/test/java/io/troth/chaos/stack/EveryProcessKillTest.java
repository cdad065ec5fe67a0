package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.chaos.bank.Answer;
import io.troth.chaos.bank.Bank;
import io.troth.chaos.cluster.TrothProcess;
import io.troth.chaos.db.PostgresServer;
import io.troth.chaos.process.ChildProcess;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;

/**
 * Goal: nobody's death, at whatever moment, makes an answer false or leaves anything prepared. Method: everything in
 * processes of its own. The client is killed at chosen moments; then transfers run while one process after the other is
 * killed or stopped in order, at random, and at the end every answer is compared with both databases;
 * {@code -Dtroth.rounds=N} kills more often.
 */
@ResourceLock(SharedServers.TO_KILL)
@Order(1)
class EveryProcessKillTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int ROUNDS = Integer.getInteger("troth.rounds", 5);
    private static final int TRANSFERS_AT_A_TIME = 2;
    private static final int ANSWERS_BETWEEN_KILLS = 5;

    private static ProcessStack stack;

    @BeforeAll
    static void start() {
        stack = new ProcessStack(() -> Banks.createWithServerToKill("EveryProcessKill"), "sessions.grace=200ms");
    }

    @AfterAll
    static void end() {
        stack.close();
    }

    @Test
    void rollsBackWhatAKilledClientHadOpen() {
        stack.client().arm("BEFORE_COMMIT", 2);
        stack.teller().burst(2);
        stack.client().awaitReached("BEFORE_COMMIT");
        Bank.Books before = stack.books(Banks.A);
        assertEquals(ChildProcess.EXIT_KILLED, stack.client().kill());
        awaitNoOpenWork();
        assertEquals(before, stack.books(Banks.A));
        assertEquals(List.of(), stack.banks().prepared(Banks.A));
        stack.replaceClient();
    }

    @Test
    void finishesWhatAKilledClientHadAskedToCommit() {
        Bank.Books before = stack.books(Banks.A);
        stack.coordinator().arm("BEFORE_APPEND_COMMIT", 1);
        stack.teller().burst(1);
        stack.coordinator().awaitReached("BEFORE_APPEND_COMMIT");
        assertEquals(ChildProcess.EXIT_KILLED, stack.client().kill());
        stack.coordinator().release();
        stack.banks().awaitNothingPrepared();
        assertEquals(before.amounts().size() + 1, stack.books(Banks.A).amounts().size());
        assertEquals(
                stack.books(Banks.A).amounts().keySet(),
                stack.books(Banks.B).amounts().keySet());
        stack.replaceClient();
    }

    @Test
    void staysTrueWhileOneProcessAfterTheOtherDies() {
        long seed = Long.getLong("troth.seed", System.nanoTime());
        SplittableRandom random = new SplittableRandom(seed);
        List<Runnable> kills = kills();
        stack.replaceClient();
        stack.teller().run(TRANSFERS_AT_A_TIME);
        for (int round = 0; round < ROUNDS; round++) {
            awaitAnswers(ANSWERS_BETWEEN_KILLS);
            kills.get(round < kills.size() ? round : random.nextInt(kills.size()))
                    .run();
        }
        awaitAnswers(ANSWERS_BETWEEN_KILLS);
        stack.teller().pause();
        stack.teller().settle();
        stack.banks().awaitNothingPrepared();
        String again = "; repeat with -Dtroth.seed=" + seed;
        assertEquals(List.of(), stack.falseAnswers(), again);
        assertEquals(0, stack.teller().ledger().count(Answer.Kind.UNKNOWN), again);
        assertTrue(stack.teller().committed() > ANSWERS_BETWEEN_KILLS, again);
    }

    private static List<Runnable> kills() {
        List<Runnable> kills = new ArrayList<>();
        List<TrothProcess> processes = new ArrayList<>(stack.agents());
        processes.add(stack.coordinator());
        for (TrothProcess process : processes) {
            kills.add(() -> {
                process.kill();
                process.restart();
                process.awaitReady();
            });
        }
        PostgresServer database = stack.banks().server(Banks.B);
        kills.add(() -> {
            database.kill();
            database.restart();
        });
        // A rolling restart: the old instance ends in order, and the new one finishes what it has left.
        TrothProcess agent = stack.agents().get(0);
        kills.add(() -> {
            agent.child().terminate();
            agent.child().awaitExit(LIMIT);
            agent.restart();
            agent.awaitReady();
        });
        return kills;
    }

    private static void awaitAnswers(int count) {
        long target = stack.teller().ledger().size() + count;
        Awaitility.await("more answers")
                .atMost(LIMIT)
                .pollInterval(Duration.ofMillis(10))
                .until(() -> stack.teller().ledger().size() >= target);
    }

    /** No branch holds a connection or a lock any more. */
    private static void awaitNoOpenWork() {
        String open = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = '"
                + stack.banks().database() + "'";
        for (String bank : List.of(Banks.A, Banks.B)) {
            Awaitility.await("no open work in " + bank)
                    .atMost(LIMIT)
                    .until(() -> stack.banks().server(bank).queryLong(open) == 0);
        }
    }
}
