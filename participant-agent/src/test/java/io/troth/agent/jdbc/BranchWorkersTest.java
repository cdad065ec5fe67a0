package io.troth.agent.jdbc;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Goal: whoever handed work over hears of it exactly once, whenever the workers are closed. */
class BranchWorkersTest {

    private final List<String> calls = new ArrayList<>();
    private final Connection connection = recording(Connection.class);

    private <T> T recording(Class<T> type) {
        return type.cast(Proxy.newProxyInstance(
                BranchWorkersTest.class.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    calls.add(method.getName());
                    return null;
                }));
    }

    @Test
    void worksAndTellsTheResultOnce() {
        List<String> results = new ArrayList<>();
        try (BranchWorkers workers = new BranchWorkers(PoolSettings.ofSize(10), Thread::new)) {
            workers.run(connection, () -> "done", why -> "lost", result -> {}, results::add);
        }
        assertEquals(List.of("done"), results);
        assertEquals(List.of(), calls);
    }

    @Test
    void cutsACallThatDoesNotReturnAndTellsNothingMore() {
        List<String> results = new CopyOnWriteArrayList<>();
        PoolSettings impatient =
                new PoolSettings(1, 1, 0, PoolSettings.ofSize(10).waitMillis(), 40);
        try (BranchWorkers workers = new BranchWorkers(impatient, Thread::new)) {
            workers.run(
                    connection,
                    () -> {
                        await().atMost(Duration.ofSeconds(60)).until(() -> !results.isEmpty());
                        return "late";
                    },
                    why -> "lost: " + why,
                    result -> {},
                    results::add);
        }
        assertEquals(List.of("lost: the driver did not return within 40 ms"), results);
        assertEquals(List.of("abort"), calls);
    }

    /** It may stand anywhere in its talk with the database, where the next one on it would read the answer to another question. */
    @Test
    void cutsTheConnectionWhoseDriverThrew() {
        List<String> results = new ArrayList<>();
        try (BranchWorkers workers = new BranchWorkers(PoolSettings.ofSize(10), Thread::new)) {
            workers.run(
                    connection,
                    () -> {
                        throw new StackOverflowError("on purpose");
                    },
                    why -> "lost: " + why,
                    result -> calls.add("handed over"),
                    results::add);
        }
        assertEquals(List.of("lost: the driver threw java.lang.StackOverflowError: on purpose"), results);
        assertEquals(List.of("abort", "handed over"), calls);
    }

    /** As over TLS, while a statement is sent to a server that does not read. */
    @Test
    void aConnectionThatCannotBeCutHoldsNobodyUp() {
        CountDownLatch sent = new CountDownLatch(1);
        Connection sending = (Connection) Proxy.newProxyInstance(
                BranchWorkersTest.class.getClassLoader(),
                new Class<?>[] {Connection.class},
                (proxy, method, arguments) -> {
                    sent.await();
                    return null;
                });
        try (BranchWorkers workers = new BranchWorkers(PoolSettings.ofSize(10), TestAgent.DAEMONS)) {
            assertTimeoutPreemptively(Duration.ofSeconds(60), () -> workers.abort(sending));
        } finally {
            sent.countDown();
        }
    }

    /** What becomes of the connection is nothing that the end of a branch could wait for. */
    @Test
    void tellsTheResultAlsoWhenTheConnectionCannotBeHandedOver() {
        List<String> results = new ArrayList<>();
        try (BranchWorkers workers = new BranchWorkers(PoolSettings.ofSize(10), Thread::new)) {
            assertThrows(
                    IllegalStateException.class,
                    () -> workers.run(
                            connection,
                            () -> "done",
                            why -> "lost",
                            result -> {
                                throw new IllegalStateException("on purpose");
                            },
                            results::add));
        }
        assertEquals(List.of("done"), results);
    }

    /** A finisher that waited for its connection while the agent stopped comes this late. */
    @Test
    void beginsNothingAfterTheCloseAndSaysThatItIsLost() {
        BranchWorkers workers = new BranchWorkers(PoolSettings.ofSize(10), Thread::new);
        workers.close();
        List<String> results = new ArrayList<>();
        workers.run(
                connection,
                () -> {
                    throw new AssertionError("begun without a guard");
                },
                why -> "lost: " + why,
                result -> {},
                results::add);
        assertEquals(List.of("lost: the agent has stopped"), results);
        assertEquals(List.of("abort"), calls);
    }

    /** Where no thread can be had, the rollback would end there, and tell nobody. */
    @Test
    void aCancelThatFindsNoThreadLetsTheRollbackGoOn() {
        AtomicBoolean exhausted = new AtomicBoolean();
        ThreadFactory threads = task -> {
            if (exhausted.get()) {
                throw new InternalError("on purpose");
            }
            return new Thread(task);
        };
        try (BranchWorkers workers = new BranchWorkers(PoolSettings.ofSize(10), threads)) {
            exhausted.set(true);
            workers.cancel(recording(Statement.class));
        }
        assertEquals(List.of(), calls);
    }

    /** A rollback that was under way at the close would end there, and tell nobody. */
    @Test
    void cancelsNothingAfterTheCloseAndLetsTheRollbackGoOn() {
        BranchWorkers workers = new BranchWorkers(PoolSettings.ofSize(10), Thread::new);
        workers.close();
        workers.cancel(recording(Statement.class));
        assertEquals(List.of(), calls);
    }
}
