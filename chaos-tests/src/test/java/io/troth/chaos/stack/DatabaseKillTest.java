package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.troth.chaos.bank.Transfer;
import io.troth.chaos.process.ChildProcess;
import io.troth.client.GlobalTransaction;
import io.troth.core.Outcome;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;

/** Goal: a killed database leaves nothing half done. Method: it dies before and after it has prepared. */
@ResourceLock(SharedServers.TO_KILL)
class DatabaseKillTest {

    private static final long ANSWER_SECONDS = 90;
    private static final String VOTES_IN = "BEFORE_APPEND_COMMIT";

    private static Stack stack;

    @BeforeAll
    static void start() throws Exception {
        stack = Stack.startWithServerToKill("DatabaseKill", "sessions.grace=200ms");
    }

    @AfterAll
    static void end() {
        stack.close();
    }

    @Test
    void commitsWhatAKilledDatabaseHadPrepared() throws Exception {
        Transfer transfer = Banks.transfer();
        GlobalTransaction tx = stack.client().begin();
        stack.work(transfer);
        stack.coordinator().arm(VOTES_IN, 1);
        CompletableFuture<Outcome> answer = Answers.of(tx.commitAsync());
        stack.coordinator().awaitReached(VOTES_IN);
        stack.banks().awaitPrepared(Banks.B, 1);
        assertEquals(ChildProcess.EXIT_KILLED, stack.banks().server(Banks.B).kill());
        stack.coordinator().release();
        assertEquals(Outcome.COMMITTED, answer.get(ANSWER_SECONDS, TimeUnit.SECONDS), "decided without the database");
        stack.banks().server(Banks.B).restart();
        stack.banks().awaitNothingPrepared();
        assertEquals(Outcome.COMMITTED, stack.banks().ending(transfer));
        assertEquals(Outcome.COMMITTED, stack.client().outcome(tx.token()));
    }

    @Test
    void rollsBackWhatAKilledDatabaseHadNotPrepared() throws Exception {
        Transfer transfer = Banks.transfer();
        GlobalTransaction tx = stack.client().begin();
        stack.work(transfer);
        assertEquals(ChildProcess.EXIT_KILLED, stack.banks().server(Banks.B).kill());
        Outcome told = Answers.of(tx.commitAsync()).get(ANSWER_SECONDS, TimeUnit.SECONDS);
        stack.banks().server(Banks.B).restart();
        stack.banks().awaitNothingPrepared();
        assertEquals(Outcome.ROLLED_BACK, told);
        assertEquals(Outcome.ROLLED_BACK, stack.banks().ending(transfer));
        // The agent's pool pauses between attempts to connect, and may have made the last one a little too early.
        Awaitility.await("work at the database that is back")
                .atMost(Duration.ofSeconds(ANSWER_SECONDS))
                .ignoreExceptionsInstanceOf(SQLTransientConnectionException.class)
                .untilAsserted(() -> stack.client().inTransaction(next -> stack.work(Banks.transfer())));
    }
}
