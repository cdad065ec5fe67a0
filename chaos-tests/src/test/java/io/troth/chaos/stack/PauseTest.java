package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.troth.chaos.bank.Transfer;
import io.troth.client.GlobalTransaction;
import io.troth.client.TransactionOptions;
import io.troth.core.Outcome;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Goal: a pause ends in one truth. Method: the coordinator process is stopped, by SIGSTOP, between the votes and its
 * decision, for longer than the transaction's time.
 */
class PauseTest {

    private static final long ANSWER_SECONDS = 90;
    private static final Duration LIMIT = Duration.ofSeconds(60);

    /** It is waited for, and until the point is reached a slow machine may take of it what it likes. */
    private static final Duration TIMEOUT = Duration.ofSeconds(6);

    /** Pitfall 7: nobody may take a silent coordinator for a dead one. With and without group commit. */
    @ParameterizedTest
    @ValueSource(ints = {1, 1_024})
    void waitsForACoordinatorThatStandsStillBetweenVotesAndDecision(int batchLimit) throws Exception {
        try (Stack stack = Stack.start("Pause", "log.recordsPerBatchMax=" + batchLimit)) {
            // Connects and loads first: that is not what the transaction's time is for.
            stack.client().inTransaction(warm -> stack.work(Banks.transfer()));
            Transfer transfer = Banks.transfer();
            GlobalTransaction tx = stack.client().begin(TransactionOptions.DEFAULTS.withTimeout(TIMEOUT));
            stack.work(transfer);
            stack.coordinator().arm("BEFORE_APPEND_COMMIT", 1);
            CompletableFuture<Outcome> answer = Answers.of(tx.commitAsync());
            stack.coordinator().awaitReached("BEFORE_APPEND_COMMIT");
            stack.coordinator().child().suspend();

            Awaitility.await("the transaction's time is over")
                    .atMost(LIMIT)
                    .until(() -> tx.remaining().isZero());
            Awaitility.await("and nobody has decided alone")
                    .during(Duration.ofMillis(500))
                    .atMost(LIMIT)
                    .until(() -> stack.banks().prepared(Banks.A).size() == 1
                            && stack.banks().prepared(Banks.B).size() == 1);
            assertFalse(answer.isDone());

            stack.coordinator().child().proceed();
            stack.coordinator().release();
            Outcome told = answer.get(ANSWER_SECONDS, TimeUnit.SECONDS);
            stack.banks().awaitNothingPrepared();
            assertEquals(stack.banks().ending(transfer), told);
            assertEquals(told, stack.client().outcome(tx.token()));
        }
    }
}
