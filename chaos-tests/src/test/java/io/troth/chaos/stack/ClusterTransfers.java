package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.jdbc.SqlErrors;
import io.troth.chaos.bank.Bank;
import io.troth.chaos.bank.Transfer;
import io.troth.client.GlobalTransaction;
import io.troth.client.OutcomeToken;
import io.troth.core.ErrorCode;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.awaitility.Awaitility;

/**
 * Clients that make transfers through a cluster until they are stopped, and keep what they were told; at the end every
 * answer is compared with the books of both banks, and asked for again.
 */
final class ClusterTransfers implements AutoCloseable {

    private static final Duration LIMIT = Duration.ofSeconds(90);
    private static final int THREADS = 3;

    private final ClusterStack stack;
    private final List<Thread> clients = new ArrayList<>();

    /** Every transfer that was begun, and what its client was told; null as long as it was told nothing. */
    private final Map<Transfer, Outcome> told = new ConcurrentHashMap<>();

    private final Map<Transfer, OutcomeToken> tokens = new ConcurrentHashMap<>();
    private final Set<Transfer> begun = ConcurrentHashMap.newKeySet();
    private final List<Reason> failures = new CopyOnWriteArrayList<>();
    private volatile boolean stopping;

    /** They run from now on. */
    ClusterTransfers(ClusterStack stack) {
        this.stack = stack;
        for (int i = 0; i < THREADS; i++) {
            Thread thread = new Thread(this::run, "transfers-" + i);
            thread.start();
            clients.add(thread);
        }
    }

    private void run() {
        while (!stopping) {
            if (transfer() == Outcome.ROLLED_BACK) {
                // There may be nobody to begin at.
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
            }
        }
    }

    /** One transfer; what its client was told. Without a commit it is one that was rolled back. */
    Outcome transfer() {
        Transfer transfer = Banks.transfer();
        begun.add(transfer);
        GlobalTransaction tx = null;
        CompletableFuture<Outcome> answer;
        try {
            tx = stack.client().begin();
            stack.work(transfer);
            var committing = tx.commitAsync();
            committing.toCompletableFuture().exceptionally(failure -> {
                failed(failure);
                return null;
            });
            answer = Answers.of(committing);
            tokens.put(transfer, tx.token());
        } catch (SQLException | RuntimeException e) {
            failed(e);
            if (tx != null) {
                tx.rollback();
            }
            return Outcome.ROLLED_BACK;
        }
        Outcome outcome = answer.join();
        told.put(transfer, outcome);
        return outcome;
    }

    private void failed(Throwable failure) {
        Reason reason = SqlErrors.reasonOf(failure);
        failures.add(reason == null ? new Reason(ErrorCode.INTERNAL, String.valueOf(failure)) : reason);
    }

    /** Why transfers were not committed, so far. */
    List<Reason> failures() {
        return List.copyOf(failures);
    }

    /** Transfers go on: some more are committed. */
    void awaitCommits() {
        long before = committed();
        Awaitility.await("transfers go on").atMost(LIMIT).until(() -> committed() >= before + 2 * THREADS);
    }

    private long committed() {
        return told.values().stream().filter(Outcome.COMMITTED::equals).count();
    }

    /** Stops the clients; then what they were told is true. */
    void assertTruth() throws Exception {
        close();
        stack.banks().awaitNothingPrepared();
        stack.banks().assertNoMoneyLost();
        Set<Long> inA = numbers(Banks.A);
        assertEquals(inA, numbers(Banks.B), "transfers that are in one bank only");
        for (Transfer transfer : begun) {
            Outcome truth = inA.contains(transfer.number()) ? Outcome.COMMITTED : Outcome.ROLLED_BACK;
            Outcome answer = told.getOrDefault(transfer, Outcome.ROLLED_BACK);
            assertTrue(
                    answer == truth || answer == Outcome.UNKNOWN,
                    "transfer " + transfer.number() + " was answered " + answer + " and is " + truth);
            OutcomeToken token = tokens.get(transfer);
            if (token != null) {
                assertEquals(truth, stack.client().outcome(token), "transfer " + transfer.number() + ", asked again");
            }
        }
        assertTrue(committed() > 0);
    }

    private Set<Long> numbers(String bank) throws SQLException {
        try (Connection connection =
                stack.banks().server(bank).connect(stack.banks().database())) {
            return Set.copyOf(Bank.books(connection).amounts().keySet());
        }
    }

    /** Waits until every client has its last answer. */
    @Override
    public void close() {
        stopping = true;
        for (Thread thread : clients) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while clients wait for their answers", e);
            }
        }
    }
}
