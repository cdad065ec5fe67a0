package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.troth.chaos.bank.Transfer;
import io.troth.chaos.process.Failpoints;
import io.troth.client.GlobalTransaction;
import io.troth.client.TransactionOptions;
import io.troth.core.Outcome;
import java.sql.SQLException;
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

    private static final Duration TIMEOUT = Duration.ofSeconds(6);
    private static final String POINT = "BEFORE_APPEND_COMMIT";

    /** What was asked for, and what is told of it. */
    private record Commit(Transfer transfer, GlobalTransaction tx, CompletableFuture<Outcome> answer) {}

    /** Pitfall 7: nobody may take a silent coordinator for a dead one. With and without group commit. */
    @ParameterizedTest
    @ValueSource(ints = {1, 1_024})
    void waitsForACoordinatorThatStandsStillBetweenVotesAndDecision(int batchLimit) throws Exception {
        try (Stack stack = Stack.start("Pause", "log.recordsPerBatchMax=" + batchLimit)) {
            // Connects and loads first: that is not what the transaction's time is for.
            stack.client().inTransaction(warm -> stack.work(Banks.transfer()));
            Commit commit = parkedAtThePoint(stack);
            GlobalTransaction tx = commit.tx();
            stack.coordinator().child().suspend();

            Awaitility.await("the transaction's time is over")
                    .atMost(LIMIT)
                    .until(() -> tx.remaining().isZero());
            Awaitility.await("and nobody has decided alone")
                    .during(Duration.ofMillis(500))
                    .atMost(LIMIT)
                    .until(() -> stack.banks().prepared(Banks.A).size() == 1
                            && stack.banks().prepared(Banks.B).size() == 1);
            assertFalse(commit.answer().isDone());

            stack.coordinator().child().proceed();
            stack.coordinator().release();
            Outcome told = commit.answer().get(ANSWER_SECONDS, TimeUnit.SECONDS);
            stack.banks().awaitNothingPrepared();
            assertEquals(stack.banks().ending(commit.transfer()), told);
            assertEquals(told, stack.client().outcome(tx.token()));
        }
    }

    /** A machine that stands still may take all of a transaction's time; then it is the next one's turn. */
    private static Commit parkedAtThePoint(Stack stack) throws Exception {
        CompletableFuture<Outcome> parked = new CompletableFuture<>();
        stack.coordinator().arm(POINT, 1);
        stack.coordinator().child().onLine(line -> {
            if (line.startsWith(Failpoints.REACHED + POINT)) {
                parked.complete(Outcome.PENDING);
            }
        });
        while (true) {
            Commit commit = commit(stack);
            if (CompletableFuture.anyOf(parked, commit.answer()).get(ANSWER_SECONDS, TimeUnit.SECONDS)
                    == Outcome.PENDING) {
                return commit;
            }
            assertEquals(Outcome.ROLLED_BACK, commit.answer().join());
            stack.banks().awaitNothingPrepared();
        }
    }

    private static Commit commit(Stack stack) throws SQLException {
        Transfer transfer = Banks.transfer();
        GlobalTransaction tx = stack.client().begin(TransactionOptions.DEFAULTS.withTimeout(TIMEOUT));
        try {
            stack.work(transfer);
        } catch (SQLException e) {
            if (!tx.remaining().isZero()) {
                throw e;
            }
        }
        return new Commit(transfer, tx, Answers.of(tx.commitAsync()));
    }
}
