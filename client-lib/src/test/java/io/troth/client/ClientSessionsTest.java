package io.troth.client;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.client.context.CallScope;
import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.Outcome;
import io.troth.core.TrothException;
import io.troth.proto.v1.ClientEntry.EntryCase;
import java.io.IOException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Goal: begin needs no message, and every limit and announcement of the coordinator is kept at the client (protocol 4).
 * Method: a simulated coordinator that counts what arrives.
 */
class ClientSessionsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private SimulatedCoordinator coordinator;
    private TrothClient client;
    private Set<Thread> threadsBefore;

    @BeforeEach
    void start() throws IOException {
        threadsBefore = Thread.getAllStackTraces().keySet();
        coordinator = SimulatedCoordinator.started();
        client = TrothClient.connect(coordinator.endpoint());
    }

    @AfterEach
    void stop() {
        client.close();
        coordinator.close();
    }

    private GlobalTransaction beginUnbound() {
        return client.beginAsync(TransactionOptions.DEFAULTS)
                .toCompletableFuture()
                .join();
    }

    private static GlobalTransaction withBranches(GlobalTransaction tx) {
        try (Transaction.Binding binding = tx.bind()) {
            assertTrue(binding != null);
            CallScope.current().addBranch(new BranchId(1, tx.id().sequence() * 2), "left");
            CallScope.current().addBranch(new BranchId(1, tx.id().sequence() * 2 + 1), "right");
        }
        return tx;
    }

    private static ErrorCode codeOf(CompletableFuture<?> future) {
        CompletionException thrown = assertThrows(CompletionException.class, future::join);
        return ((TrothException) thrown.getCause()).code();
    }

    @Test
    void beginsAndEndsAnEmptyTransactionWithoutAMessage() {
        assertEquals(Outcome.READ_ONLY, client.begin().commit().outcome());
        client.begin().close();
        client.begin().rollback();
        assertTrue(coordinator.received(EntryCase.COMMIT).isEmpty());
        assertTrue(coordinator.received(EntryCase.ROLLBACK).isEmpty());
    }

    @Test
    void tellsTheLowestOpenSequenceWithEveryMessage() {
        GlobalTransaction first = withBranches(beginUnbound());
        GlobalTransaction second = withBranches(beginUnbound());
        GlobalTransaction third = withBranches(beginUnbound());
        second.commit();
        first.commit();
        third.rollback();
        assertEquals(
                List.of(1L, 1L),
                coordinator.received(EntryCase.COMMIT).stream()
                        .map(entry -> entry.getCommit().getLowestOpen())
                        .toList());
        // A rollback waits only a moment for the coordinator to hear of it.
        await().atMost(PATIENCE)
                .until(() -> !coordinator.received(EntryCase.ROLLBACK).isEmpty());
        assertEquals(
                3, coordinator.received(EntryCase.ROLLBACK).get(0).getRollback().getLowestOpen());
        await().atMost(PATIENCE)
                .until(() -> coordinator.received(EntryCase.PROGRESS).stream()
                        .anyMatch(entry -> entry.getProgress().getLowestOpen() == 4));
    }

    @Test
    void failsBeginLocallyWhileTheCoordinatorAcceptsNone() {
        beginUnbound().close();
        coordinator.push(false, "DISK_FLOOR");
        await().atMost(PATIENCE).until(() -> {
            try {
                beginUnbound().close();
                return false;
            } catch (CompletionException e) {
                return ((TrothException) e.getCause()).code() == ErrorCode.DISK_FLOOR;
            }
        });
        assertEquals(
                ErrorCode.DISK_FLOOR,
                assertThrows(TrothException.class, () -> client.begin()).code());
        coordinator.push(true, "");
        await().atMost(PATIENCE).ignoreExceptions().until(() -> {
            beginUnbound().close();
            return true;
        });
    }

    @Test
    void refusesMoreOpenTransactionsThanTheCoordinatorAllows() {
        client.close();
        coordinator.sessionTerms(3, 3_600_000);
        client = TrothClient.connect(coordinator.endpoint());
        GlobalTransaction first = beginUnbound();
        GlobalTransaction second = beginUnbound();
        GlobalTransaction third = beginUnbound();
        assertEquals(
                ErrorCode.OVERLOADED,
                codeOf(client.beginAsync(TransactionOptions.DEFAULTS).toCompletableFuture()));
        second.close();
        beginUnbound().close();
        first.close();
        third.close();
    }

    @Test
    void opensTheNextSessionWhenOneIsOld() {
        client.close();
        coordinator.sessionTerms(100, 500);
        client = TrothClient.connect(coordinator.endpoint());
        GlobalTransaction old = withBranches(beginUnbound());
        await().atMost(PATIENCE).until(() -> {
            try (GlobalTransaction young = beginUnbound()) {
                return young.id().session() != old.id().session();
            }
        });
        assertEquals(Outcome.COMMITTED, old.commit().outcome());
        await().atMost(PATIENCE)
                .until(() -> coordinator.received(EntryCase.CLOSE_SESSION).stream()
                        .anyMatch(entry -> entry.getCloseSession().getSession().getSession()
                                == old.id().session()));
    }

    @Test
    void opensTheNextSessionBeforeTheWindowIsFull() {
        GlobalTransaction oldest = withBranches(beginUnbound());
        long last = 0;
        for (int i = 0; i < 10_500; i++) {
            GlobalTransaction tx = beginUnbound();
            last = tx.id().session();
            assertTrue(tx.id().sequence() <= 10_000, "no sequence beyond the window of " + oldest.id());
            tx.close();
        }
        assertNotEquals(oldest.id().session(), last);
        assertEquals(2, coordinator.received(EntryCase.OPEN_SESSION).size());
        assertEquals(Outcome.COMMITTED, oldest.commit().outcome());
    }

    @Test
    void saysThatThereIsNoCoordinatorAndFindsItLater() throws IOException {
        client.close();
        coordinator.kill();
        client = TrothClient.builder()
                .endpoint(coordinator.endpoint())
                .connectTimeout(Duration.ofMillis(300))
                .build();
        // The first begin may give up before the first attempt to connect has.
        await().atMost(PATIENCE).untilAsserted(() -> {
            TrothException thrown = assertThrows(TrothException.class, () -> client.begin());
            assertEquals(ErrorCode.NO_COORDINATOR, thrown.code());
            assertTrue(thrown.getMessage().contains(coordinator.endpoint()), thrown.getMessage());
        });
        coordinator.start();
        await().atMost(PATIENCE).ignoreExceptions().until(() -> {
            client.begin().close();
            return true;
        });
    }

    /** One that begins although nobody waits for it any more would be open until its time is over. */
    @Test
    void leavesNothingOpenThatNobodyWaitsForAnyMore() throws Exception {
        client.close();
        coordinator.kill();
        client = TrothClient.builder()
                .endpoint(coordinator.endpoint())
                .connectTimeout(Duration.ofMinutes(10))
                .transactionTimeout(Duration.ofMinutes(10))
                .openTransactionsMax(3)
                .build();
        CompletableFuture<GlobalTransaction> cancelled =
                client.beginAsync(TransactionOptions.DEFAULTS).toCompletableFuture();
        assertTrue(cancelled.cancel(true));
        CompletableFuture<GlobalTransaction> first =
                client.beginAsync(TransactionOptions.DEFAULTS).toCompletableFuture();
        CompletableFuture<ErrorCode> code = new CompletableFuture<>();
        Thread interrupted = new Thread(() -> code.complete(
                assertThrows(TrothException.class, () -> client.begin()).code()));
        interrupted.start();
        await().atMost(PATIENCE).until(() -> interrupted.getState() == Thread.State.WAITING);
        // In the moment in which its transaction has begun, and it has not heard of it.
        CompletableFuture<Void> heard = first.thenRun(() -> {
            interrupted.interrupt();
            code.join();
        });
        coordinator.start();
        heard.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        first.join().close();
        assertEquals(ErrorCode.NO_COORDINATOR, code.join());
        // Its own thread rolls it back, after those who wait for its transaction have heard.
        await().atMost(PATIENCE).until(this::threeCanBeOpen);
    }

    private boolean threeCanBeOpen() {
        List<GlobalTransaction> open = new ArrayList<>();
        try {
            for (int i = 0; i < 3; i++) {
                open.add(beginUnbound());
            }
            return true;
        } catch (CompletionException e) {
            return false;
        } finally {
            open.forEach(GlobalTransaction::close);
        }
    }

    @Test
    void rollsBackByItselfWhatRunsLongerThanItsTimeout() {
        AtomicReference<GlobalTransaction> tx = new AtomicReference<>(brief());
        await().atMost(PATIENCE).until(() -> {
            boolean told = !coordinator.received(EntryCase.ROLLBACK).isEmpty();
            if (!told && tx.get().isRollbackOnly()) {
                // On a slow machine its time is over before it has done anything, and then there is nothing to tell.
                tx.set(brief());
            }
            return told;
        });
        await().atMost(PATIENCE).until(() -> tx.get().isRollbackOnly());
        RolledBackException thrown = assertThrows(RolledBackException.class, tx.get()::commit);
        assertEquals(ErrorCode.DEADLINE_EXCEEDED, thrown.code());
        assertTrue(coordinator.received(EntryCase.COMMIT).isEmpty());
    }

    private GlobalTransaction brief() {
        return withBranches(client.beginAsync(TransactionOptions.DEFAULTS.withTimeout(Duration.ofMillis(50)))
                .toCompletableFuture()
                .join());
    }

    @Test
    void commitsTenThousandAtOnceOnFewThreadsAndInBatches() {
        List<GlobalTransaction> open = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            open.add(withBranches(beginUnbound()));
        }
        // The client's own thread is held up, so that all entries are ready when it gets to them.
        CountDownLatch holding = new CountDownLatch(1);
        CountDownLatch hold = new CountDownLatch(1);
        CompletableFuture<Void> held = coordinator.whileSilent(() -> open.get(0)
                .commitAsync()
                .thenRun(() -> {
                    holding.countDown();
                    awaitLatch(hold);
                })
                .toCompletableFuture());
        awaitLatch(holding);
        int batchesBefore = coordinator.batches();
        List<CompletableFuture<CommitResult>> commits = open.stream()
                .skip(1)
                .map(tx -> tx.commitAsync().toCompletableFuture())
                .toList();
        long threads = Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("troth-client") && !threadsBefore.contains(thread))
                .count();
        hold.countDown();
        held.join();
        commits.forEach(commit -> assertEquals(Outcome.COMMITTED, commit.join().outcome()));
        assertTrue(threads <= 4, "threads of the client: " + threads);
        // Not how often it was asked: a stream that a stall of the machine has cost is followed by another one.
        assertEquals(10_000, coordinator.committedCount());
        int batches = coordinator.batches() - batchesBefore;
        assertTrue(batches <= 10_000 / 8, "10,000 commits came in " + batches + " batches");
    }

    private static void awaitLatch(CountDownLatch latch) {
        try {
            assertTrue(latch.await(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** As {@code ChronoUnit.FOREVER} says that there is none. */
    @Test
    void aTimeLimitBeyondAllTimeIsNone() {
        Duration forever = ChronoUnit.FOREVER.getDuration();
        client.close();
        client = TrothClient.builder()
                .endpoint(coordinator.endpoint())
                .connectTimeout(forever)
                .outcomeTimeout(forever)
                .transactionTimeout(forever)
                .build();
        GlobalTransaction tx = withBranches(beginUnbound());
        assertTrue(tx.remaining().compareTo(Duration.ofDays(36_500)) > 0, () -> "" + tx.remaining());
        assertEquals(Outcome.COMMITTED, tx.commit().outcome());
        try (GlobalTransaction longer = client.begin(TransactionOptions.DEFAULTS.withTimeout(forever))) {
            longer.sql("accounts").withTimeout(forever);
        }
    }

    @Test
    void refusesToWaitOnItsOwnThread() {
        GlobalTransaction first = withBranches(beginUnbound());
        // A stage that is attached after the answer came would run here, on the test's thread.
        CompletableFuture<CommitResult> next = coordinator.whileSilent(() -> first.commitAsync()
                .thenCompose(result -> {
                    GlobalTransaction tx = withBranches(beginUnbound());
                    assertThrows(IllegalStateException.class, tx::commit);
                    assertEquals(1, coordinator.received(EntryCase.COMMIT).size(), "what is refused must not commit");
                    return tx.commitAsync();
                })
                .toCompletableFuture());
        assertEquals(Outcome.COMMITTED, next.join().outcome());
    }

    @Test
    void finishesRunningCommitsWhenItIsClosed() {
        CompletableFuture<CommitResult> commit =
                withBranches(beginUnbound()).commitAsync().toCompletableFuture();
        client.close();
        assertEquals(Outcome.COMMITTED, commit.join().outcome());
        assertEquals(
                ErrorCode.NO_COORDINATOR,
                codeOf(client.beginAsync(TransactionOptions.DEFAULTS).toCompletableFuture()));
    }

    @Test
    void saysGoodbyeAndEndsWhatIsOpenWhenItIsClosed() {
        GlobalTransaction tx = withBranches(beginUnbound());
        CallScope scope;
        try (Transaction.Binding binding = tx.bind()) {
            assertTrue(binding != null);
            scope = CallScope.current();
        }
        client.close();
        assertEquals(
                ErrorCode.NO_COORDINATOR,
                assertThrows(RolledBackException.class, tx::commit).code());
        assertTrue(scope.isClosed(), "what hangs on it is let go");
        await().atMost(PATIENCE)
                .until(() -> coordinator.received(EntryCase.CLOSE_SESSION).size() == 1);
    }

    /** What an agent announces is an address of its own network, which the client need not trust. */
    @Test
    void sendsNoStatementInPlaintextToAnotherMachine() {
        coordinator.offerSql("192.0.2.1:7710");
        TrothException refused = assertThrows(
                TrothException.class,
                () -> client.inTransaction(tx -> tx.sql("accounts").update("DELETE FROM t")));
        assertEquals(ErrorCode.INVALID_ARGUMENT, refused.code());
        assertTrue(refused.getMessage().contains("192.0.2.1:7710"), refused::toString);
    }

    @Test
    void refusesPlaintextToOtherMachines() {
        assertThrows(IllegalArgumentException.class, () -> TrothClient.connect("coordinator.example:7700"));
        assertThrows(IllegalArgumentException.class, () -> TrothClient.connect("localhost"));
        assertThrows(IllegalArgumentException.class, () -> TrothClient.connect("localhost:0"));
        TrothClient.builder()
                .endpoint("coordinator.example:7700")
                .insecure()
                .build()
                .close();
    }

    /** gRPC would say so at the first attempt to connect, to nobody, and there would be no second one. */
    @Test
    void refusesAHostThatCannotBeConnectedTo() {
        for (String endpoint : List.of("http://localhost:7700", "my_coordinator:7700", "two words:7700")) {
            IllegalArgumentException thrown = assertThrows(
                    IllegalArgumentException.class,
                    () -> TrothClient.builder()
                            .endpoint(endpoint)
                            .insecure()
                            .build()
                            .close());
            assertTrue(String.valueOf(thrown.getMessage()).contains(endpoint), thrown::toString);
        }
    }
}
