package io.troth.client;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.troth.client.SimulatedCoordinator.Reaction;
import io.troth.client.context.CallScope;
import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import io.troth.proto.v1.ClientEntry.EntryCase;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Goal: the rules of joining, separate transactions, threads and repetition. Method: a simulated coordinator. */
class InTransactionTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private SimulatedCoordinator coordinator;
    private TrothClient client;

    @BeforeEach
    void start() throws IOException {
        coordinator = SimulatedCoordinator.started();
        client = TrothClient.connect(coordinator.endpoint());
    }

    @AfterEach
    void stop() {
        client.close();
        coordinator.close();
    }

    private static void work(String... resources) {
        long counter = 0;
        for (String resource : resources) {
            CallScope.current().addBranch(new BranchId(0xA, ++counter), resource);
        }
    }

    /** A rollback is certain, and waits only a moment for the coordinator to hear of it. */
    private void awaitOneRollback() {
        await().atMost(PATIENCE)
                .until(() -> coordinator.received(EntryCase.ROLLBACK).size() == 1);
    }

    @Test
    void commitsOnReturnAndUnbindsTheThread() {
        String result = client.callInTransaction(tx -> {
            work("left", "right");
            assertEquals(tx.id(), GlobalTransaction.current().orElseThrow().id());
            return "done";
        });
        assertEquals("done", result);
        assertEquals(1, coordinator.committedCount());
        assertTrue(GlobalTransaction.current().isEmpty());
    }

    @Test
    void rollsBackAndPassesTheExceptionOn() {
        IOException cause = new IOException("thrown on purpose");
        IOException thrown = assertThrows(
                IOException.class,
                () -> client.inTransaction(tx -> {
                    work("left", "right");
                    throw cause;
                }));
        assertSame(cause, thrown);
        awaitOneRollback();
        assertEquals(0, coordinator.committedCount());
        assertTrue(GlobalTransaction.current().isEmpty());
    }

    @Test
    void joinsTheTransactionAround() {
        client.inTransaction(outer -> {
            work("left", "right");
            client.inTransaction(inner -> assertEquals(outer.id(), inner.id()));
        });
        assertEquals(1, coordinator.received(EntryCase.COMMIT).size());
    }

    @Test
    void rollsBackWhenJoinedWorkThrewEvenIfSomebodyCaughtIt() {
        RolledBackException thrown = assertThrows(
                RolledBackException.class,
                () -> client.inTransaction(outer -> {
                    work("left", "right");
                    assertThrows(
                            IllegalStateException.class,
                            () -> client.inTransaction(inner -> {
                                throw new IllegalStateException("thrown on purpose");
                            }));
                }));
        assertEquals(ErrorCode.ROLLBACK_ONLY, thrown.code());
        assertTrue(coordinator.received(EntryCase.COMMIT).isEmpty());
    }

    @Test
    void refusesToBeginInsideUnlessSeparate() {
        client.inTransaction(outer -> {
            assertEquals(
                    ErrorCode.ALREADY_IN_TRANSACTION,
                    assertThrows(TrothException.class, () -> client.begin()).code());
            try (GlobalTransaction separate = client.begin(TransactionOptions.DEFAULTS.withSeparate())) {
                assertNotEquals(outer.id(), separate.id());
                assertEquals(
                        separate.id(), GlobalTransaction.current().orElseThrow().id());
            }
            assertEquals(outer.id(), GlobalTransaction.current().orElseThrow().id());
            client.inTransaction(
                    TransactionOptions.DEFAULTS.withSeparate(), inner -> assertNotEquals(outer.id(), inner.id()));
        });
    }

    @Test
    void rollsBackWhatIsClosedWithoutCommit() {
        try (GlobalTransaction tx = client.begin()) {
            work("left", "right");
            assertFalse(tx.isRollbackOnly());
        }
        awaitOneRollback();
        assertTrue(GlobalTransaction.current().isEmpty());
    }

    @Test
    void commitsOnlyOnce() {
        GlobalTransaction tx = client.begin();
        work("left", "right");
        tx.commit();
        assertEquals(
                ErrorCode.TRANSACTION_ENDED,
                assertThrows(TrothException.class, tx::commit).code());
        assertEquals(
                ErrorCode.TRANSACTION_ENDED,
                assertThrows(TrothException.class, tx::rollback).code());
        tx.close();
        assertEquals(1, coordinator.received(EntryCase.COMMIT).size());
        assertTrue(coordinator.received(EntryCase.ROLLBACK).isEmpty());
    }

    @Test
    void doesNotCommitWhatIsRollbackOnly() {
        RolledBackException thrown = assertThrows(
                RolledBackException.class,
                () -> client.inTransaction(tx -> {
                    work("left", "right");
                    GlobalTransaction.current().orElseThrow().setRollbackOnly("the credit limit");
                }));
        assertTrue(thrown.getMessage().contains("the credit limit"), thrown.getMessage());
        assertTrue(coordinator.received(EntryCase.COMMIT).isEmpty());
    }

    @Test
    void saysWhenItIsTooLateForRollbackOnly() {
        GlobalTransaction committed = client.begin();
        work("left", "right");
        committed.commit();
        TrothException thrown = assertThrows(TrothException.class, () -> committed.setRollbackOnly("too late"));
        assertEquals(ErrorCode.SCOPE_CLOSED, thrown.code());
        assertFalse(committed.isRollbackOnly());
        GlobalTransaction rolledBack = client.begin();
        rolledBack.rollback();
        rolledBack.setRollbackOnly("as it is");
        assertTrue(rolledBack.isRollbackOnly());
    }

    @Test
    void runsTheBodyAgainAfterACertainRollbackThatIsWorthIt() {
        List<GlobalTxId> ids = new ArrayList<>();
        client.inTransaction(TransactionOptions.DEFAULTS.withRetries(3), tx -> {
            ids.add(tx.id());
            work("left", ids.size() < 3 ? SimulatedCoordinator.REFUSING : "right");
        });
        assertEquals(3, ids.size());
        assertEquals(3, new HashSet<>(ids).size(), "each time another transaction");
        assertEquals(1, coordinator.committedCount());
    }

    @Test
    void saysTheNameOfWhatDidNotCommit() {
        TransactionOptions transfer = TransactionOptions.named("transfer");
        RolledBackException rolledBack = assertThrows(
                RolledBackException.class,
                () -> client.inTransaction(transfer, tx -> work("left", SimulatedCoordinator.REFUSING)));
        assertTrue(rolledBack.getMessage().startsWith("transaction \"transfer\" " + rolledBack.tx() + " is "));
        coordinator.plan(EntryCase.COMMIT, Reaction.SAY_UNKNOWN);
        OutcomeUnknownException unknown = assertThrows(
                OutcomeUnknownException.class, () -> client.inTransaction(transfer, tx -> work("left", "right")));
        assertTrue(unknown.getMessage().contains("transaction \"transfer\" " + unknown.tx() + " is "));
    }

    @Test
    void givesUpAfterTheLastRepetitionWithTheRollback() {
        List<GlobalTxId> ids = new ArrayList<>();
        RolledBackException thrown = assertThrows(
                RolledBackException.class,
                () -> client.inTransaction(TransactionOptions.DEFAULTS.withRetries(2), tx -> {
                    ids.add(tx.id());
                    work("left", SimulatedCoordinator.REFUSING);
                }));
        assertEquals(3, ids.size());
        assertEquals(ids.get(2), thrown.tx());
    }

    @Test
    void repeatsAfterABranchSaidWhyItsStatementFailed() {
        List<GlobalTxId> ids = new ArrayList<>();
        client.inTransaction(TransactionOptions.DEFAULTS.withRetries(1), tx -> {
            ids.add(tx.id());
            work("left", "right");
            if (ids.size() == 1) {
                CallScope.current().setRollbackOnly(new Reason(ErrorCode.DEADLOCK, "on purpose"));
                throw new IllegalStateException("what the driver throws");
            }
        });
        assertEquals(2, ids.size());
    }

    /** As a driver and a data source of the agent say it, under the exceptions of a framework. */
    @Test
    void repeatsAfterAnExceptionThatSaysThatItIsWorthIt() {
        assertEquals(2, attemptsAfter(new SQLException("could not serialize", "40001")));
        assertEquals(2, attemptsAfter(new SQLException("deadlock detected", "40P01")));
        assertEquals(2, attemptsAfter(new TrothException(Reason.of(ErrorCode.LEADER_CHANGED))));

        assertEquals(1, attemptsAfter(new SQLException("duplicate key", "23505")));
        assertEquals(1, attemptsAfter(new SQLException("no state")));
        assertEquals(1, attemptsAfter(new TrothException(Reason.of(ErrorCode.SQL_REFUSED))));
    }

    private int attemptsAfter(Exception failure) {
        AtomicInteger attempts = new AtomicInteger();
        try {
            client.inTransaction(TransactionOptions.DEFAULTS.withRetries(1), tx -> {
                work("left", "right");
                if (attempts.incrementAndGet() == 1) {
                    throw new IllegalStateException("what a framework makes of it", failure);
                }
            });
        } catch (IllegalStateException e) {
            assertSame(failure, e.getCause());
        }
        return attempts.get();
    }

    @Test
    void neverRunsTheBodyAgainAfterAnUnknownOutcome() {
        client.close();
        client = TrothClient.builder()
                .endpoint(coordinator.endpoint())
                .outcomeTimeout(Duration.ofMillis(200))
                .build();
        coordinator.plan(EntryCase.COMMIT, Reaction.IGNORE);
        List<GlobalTxId> ids = new ArrayList<>();
        assertThrows(
                OutcomeUnknownException.class,
                () -> client.inTransaction(TransactionOptions.DEFAULTS.withRetries(5), tx -> {
                    ids.add(tx.id());
                    work("left", "right");
                }));
        assertEquals(1, ids.size());
    }

    @Test
    void doesNotRepeatWhatIsNotWorthIt() {
        List<GlobalTxId> ids = new ArrayList<>();
        assertThrows(
                IllegalStateException.class,
                () -> client.inTransaction(TransactionOptions.DEFAULTS.withRetries(5), tx -> {
                    ids.add(tx.id());
                    throw new IllegalStateException("a bug");
                }));
        assertEquals(1, ids.size());
    }

    @Test
    void doesNotRepeatARollbackThatWouldHappenAgain() {
        coordinator.plan(EntryCase.COMMIT, Reaction.REFUSE);
        List<GlobalTxId> ids = new ArrayList<>();
        RolledBackException thrown = assertThrows(
                RolledBackException.class,
                () -> client.inTransaction(TransactionOptions.DEFAULTS.withRetries(5), tx -> {
                    ids.add(tx.id());
                    work("left", "right");
                }));
        assertEquals(ErrorCode.LIMIT_EXCEEDED, thrown.code());
        assertEquals(1, ids.size());
    }

    @Test
    void workCannotJoinATransactionThatHasEnded() {
        GlobalTransaction tx = client.beginAsync(TransactionOptions.DEFAULTS)
                .toCompletableFuture()
                .join();
        try (Transaction.Binding binding = tx.bind()) {
            assertTrue(binding != null);
            tx.rollback();
            TrothException thrown = assertThrows(
                    TrothException.class, () -> client.inTransaction(inner -> fail("ran without a transaction")));
            assertEquals(ErrorCode.SCOPE_CLOSED, thrown.code());
        }
    }

    /** The outer transaction may be repeated; what the inner one did may be done already. */
    @Test
    void neverRepeatsAfterAnUnknownOutcomeInside() {
        List<Integer> attempts = new ArrayList<>();
        assertThrows(
                IllegalStateException.class,
                () -> client.inTransaction(TransactionOptions.DEFAULTS.withRetries(3), tx -> {
                    attempts.add(1);
                    CallScope.current().setRollbackOnly(Reason.of(ErrorCode.LEADER_CHANGED));
                    OutcomeToken inner = new OutcomeToken(tx.id(), List.of(), true);
                    throw new IllegalStateException(
                            new OutcomeUnknownException(inner, "", Reason.of(ErrorCode.OUTCOME_UNKNOWN)));
                }));
        assertEquals(1, attempts.size());
    }

    @Test
    void passesOnAnExceptionThatIsItsOwnCauseInTheEnd() {
        IllegalStateException one = new IllegalStateException("one");
        one.initCause(new IllegalArgumentException("other", one));
        IllegalStateException thrown = assertTimeoutPreemptively(
                Duration.ofSeconds(60),
                () -> assertThrows(
                        IllegalStateException.class,
                        () -> client.inTransaction(tx -> {
                            throw one;
                        })));
        assertSame(one, thrown);
    }

    @Test
    void passesOnWhyItWasRolledBackWhenItIsInterruptedBeforeItIsRepeated() {
        List<Integer> attempts = new ArrayList<>();
        IllegalStateException thrown = assertThrows(
                IllegalStateException.class,
                () -> client.inTransaction(TransactionOptions.DEFAULTS.withRetries(3), tx -> {
                    attempts.add(1);
                    CallScope.current().setRollbackOnly(Reason.of(ErrorCode.DEADLOCK));
                    Thread.currentThread().interrupt();
                    throw new IllegalStateException("what the driver throws");
                }));
        assertTrue(Thread.interrupted());
        assertEquals("what the driver throws", thrown.getMessage());
        assertEquals(1, attempts.size());
    }

    @Test
    void endsWhenItsClientIsClosedBeforeItIsRepeated() {
        TrothException thrown = assertTimeoutPreemptively(
                Duration.ofSeconds(60),
                () -> assertThrows(
                        TrothException.class,
                        () -> client.inTransaction(TransactionOptions.DEFAULTS.withRetries(3), tx -> {
                            client.close();
                            await().atMost(PATIENCE)
                                    .until(() -> Thread.getAllStackTraces().keySet().stream()
                                            .noneMatch(
                                                    thread -> thread.getName().startsWith("troth-client")));
                            throw new TrothException(Reason.of(ErrorCode.LEADER_CHANGED));
                        })));
        assertEquals(ErrorCode.NO_COORDINATOR, thrown.code());
    }

    @Test
    void takesItsTransactionAcrossAnExecutorAndWaitsForItsTasks() {
        ExecutorService threads = Executors.newFixedThreadPool(2);
        CountDownLatch release = new CountDownLatch(1);
        GlobalTransaction tx = client.begin();
        work("left");
        Executor wrapped = tx.wrap(threads);
        CompletableFuture<Void> task = CompletableFuture.runAsync(
                () -> {
                    awaitLatch(release);
                    CallScope.current().addBranch(new BranchId(0xB, 1), "right");
                },
                wrapped);
        CompletableFuture<CommitResult> commit = tx.commitAsync().toCompletableFuture();
        assertFalse(commit.isDone());
        assertTrue(coordinator.received(EntryCase.COMMIT).isEmpty());
        release.countDown();
        task.join();
        commit.join();
        assertEquals(
                2,
                coordinator
                        .received(EntryCase.COMMIT)
                        .get(0)
                        .getCommit()
                        .getContent()
                        .getBranchesCount());
        threads.shutdownNow();
    }

    @Test
    void rollsBackAtTheDeadlineWhenATaskNeverEnds() {
        ExecutorService threads = Executors.newFixedThreadPool(1);
        CountDownLatch never = new CountDownLatch(1);
        GlobalTransaction tx = client.begin(TransactionOptions.DEFAULTS.withTimeout(Duration.ofMillis(100)));
        work("left", "right");
        tx.wrap(threads).execute(() -> awaitLatch(never));
        RolledBackException thrown = assertThrows(RolledBackException.class, tx::commit);
        assertEquals(ErrorCode.DEADLINE_EXCEEDED, thrown.code());
        never.countDown();
        threads.shutdownNow();
    }

    private static void awaitLatch(CountDownLatch latch) {
        try {
            assertTrue(latch.await(60, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
