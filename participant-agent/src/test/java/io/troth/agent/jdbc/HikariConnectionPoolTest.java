package io.troth.agent.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.AbstractDataSource;
import io.troth.core.ErrorCode;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Goal: who needs a connection hears soon, and in the database's words, that the database refuses; and waits as long as
 * waiting can help. Method: a database of this test, which takes or refuses connections; a refusal settles it after 50 ms.
 */
class HikariConnectionPoolTest {

    private static final long LONG_MILLIS = 60_000;

    /** After how long an idle connection is asked whether it lives, before it goes out. */
    private static final String ALWAYS_ASKED = "com.zaxxer.hikari.aliveBypassWindowMs";

    private final AtomicInteger refused = new AtomicInteger();
    private volatile boolean refusing;
    private final HikariConnectionPool pool =
            new HikariConnectionPool("bank", new Database(), 2, 0, TestAgent.DAEMONS, 50);

    private final class Database extends AbstractDataSource {
        @Override
        public Connection getConnection() throws SQLException {
            if (refusing) {
                refused.incrementAndGet();
                throw new SQLException("the database takes no logins now", "57P03");
            }
            return connection();
        }
    }

    private static Connection connection() {
        return (Connection) Proxy.newProxyInstance(
                Connection.class.getClassLoader(),
                new Class<?>[] {Connection.class},
                (self, method, arguments) -> switch (method.getName()) {
                    // As on a virtual thread, whose sockets an interrupt closes.
                    case "isValid" -> !Thread.currentThread().isInterrupted();
                    case "getAutoCommit" -> true;
                    default -> {
                        Class<?> type = method.getReturnType();
                        yield type == boolean.class ? (Object) false : type == int.class ? (Object) 0 : null;
                    }
                });
    }

    @AfterEach
    void close() {
        pool.close();
    }

    @Test
    void aDatabaseThatRefusesIsNamedSoonAndInItsOwnWords() {
        refusing = true;
        SQLException failure = assertThrows(SQLException.class, () -> pool.take(LONG_MILLIS));
        assertEquals(ErrorCode.DATABASE_UNAVAILABLE, SqlErrors.reasonOf(failure).code());
        assertTrue(
                failure.getMessage().contains("SQLState 57P03: the database takes no logins now"), failure::toString);
        String waited = failure.getMessage().replaceAll("(?s).* within ([0-9]+) ms.*", "$1");
        assertTrue(Long.parseLong(waited) < LONG_MILLIS, failure::toString);
    }

    @Test
    void aConnectionThatMayComeBackIsWaitedFor() throws Exception {
        Connection out = pool.take(LONG_MILLIS);
        refusing = true;
        CompletableFuture<Connection> waiting = new CompletableFuture<>();
        Thread borrower = TestAgent.DAEMONS.newThread(() -> {
            try {
                waiting.complete(pool.take(LONG_MILLIS));
            } catch (SQLException e) {
                waiting.completeExceptionally(e);
            }
        });
        borrower.start();
        // Hikari pauses 10, 20, 40 .. ms between attempts: the time for a refusal is over by then.
        Awaitility.await().atMost(60, TimeUnit.SECONDS).until(() -> refused.get() >= 6);
        pool.giveBack(out);
        assertNotNull(waiting.get(60, TimeUnit.SECONDS));
    }

    /** As of a service whose last requests come when its agent has stopped. */
    @Test
    void aClosedPoolLetsNobodyWait() {
        pool.close();
        SQLException failure = assertTimeoutPreemptively(
                Duration.ofMillis(LONG_MILLIS / 2),
                () -> assertThrows(SQLException.class, () -> pool.take(LONG_MILLIS)));
        assertEquals(ErrorCode.DRAINING, SqlErrors.reasonOf(failure).code());
    }

    @Test
    void whoIsInterruptedHearsThatAndNotThatItsTimeWasOver() throws Exception {
        Connection[] out = {pool.take(LONG_MILLIS), pool.take(LONG_MILLIS)};
        CompletableFuture<Boolean> stillInterrupted = new CompletableFuture<>();
        AtomicReference<SQLException> failure = new AtomicReference<>();
        Thread borrower = TestAgent.DAEMONS.newThread(() -> {
            try {
                pool.giveBack(pool.take(LONG_MILLIS));
            } catch (SQLException e) {
                failure.set(e);
            }
            stillInterrupted.complete(Thread.currentThread().isInterrupted());
        });
        borrower.start();
        Awaitility.await().atMost(60, TimeUnit.SECONDS).until(() -> pool.stats().waiting() == 1);

        borrower.interrupt();

        assertTrue(stillInterrupted.get(60, TimeUnit.SECONDS));
        String said = String.valueOf(failure.get());
        assertTrue(said.contains("no connection of pool bank: interrupted while waiting for one, "), said);
        assertFalse(said.contains("within"), said);
        pool.giveBack(out[0]);
        pool.giveBack(out[1]);
    }

    @Test
    void anInterruptedThreadTakesOneAndClosesNone() throws Exception {
        System.setProperty(ALWAYS_ASKED, "0");
        try (HikariConnectionPool asking =
                new HikariConnectionPool("bank", new Database(), 2, 0, TestAgent.DAEMONS, 50)) {
            Connection[] out = {asking.take(LONG_MILLIS), asking.take(LONG_MILLIS)};
            asking.giveBack(out[0]);
            asking.giveBack(out[1]);
            // Those that were used in this very millisecond are not asked.
            Awaitility.await()
                    .pollDelay(20, TimeUnit.MILLISECONDS)
                    .until(() -> asking.stats().idle() == 2);
            Thread.currentThread().interrupt();
            try {
                asking.giveBack(asking.take(LONG_MILLIS));
                assertTrue(Thread.currentThread().isInterrupted());
            } finally {
                var unused = Thread.interrupted();
            }
            assertEquals(2, asking.stats().idle());
        } finally {
            System.clearProperty(ALWAYS_ASKED);
        }
    }

    /** A wait that is cut into pieces begins at the end of the queue each time. */
    @Test
    void whoWaitsForAFullPoolKeepsItsPlace() throws Exception {
        Connection[] out = {pool.take(LONG_MILLIS), pool.take(LONG_MILLIS)};
        List<Integer> served = new CopyOnWriteArrayList<>();
        for (int i = 0; i < 8; i++) {
            int number = i;
            TestAgent.DAEMONS
                    .newThread(() -> {
                        try {
                            Connection taken = pool.take(LONG_MILLIS);
                            served.add(number);
                            pool.giveBack(taken);
                        } catch (SQLException e) {
                            served.add(-1);
                        }
                    })
                    .start();
            // Longer than one piece, so that its place is its own by then.
            Awaitility.await()
                    .atMost(60, TimeUnit.SECONDS)
                    .pollInterval(5, TimeUnit.MILLISECONDS)
                    .during(100, TimeUnit.MILLISECONDS)
                    .until(() -> pool.stats().waiting() == number + 1);
        }
        pool.giveBack(out[0]);
        Awaitility.await().atMost(60, TimeUnit.SECONDS).until(() -> served.size() == 8);
        int before = 0;
        for (int i = 0; i < 8; i++) {
            for (int j = i + 1; j < 8; j++) {
                before += served.get(i) > served.get(j) ? 1 : 0;
            }
        }
        // Those who came one after the other may change places on a busy machine; of 28 pairs chance would turn 14.
        assertTrue(before <= 5, served::toString);
    }

    @Test
    void worksAgainWhenTheDatabaseDoes() throws Exception {
        refusing = true;
        assertThrows(SQLException.class, () -> pool.take(LONG_MILLIS));
        refusing = false;
        // Until the pool has tried again, what the database said last is all it knows.
        Awaitility.await().atMost(60, TimeUnit.SECONDS).ignoreExceptions().until(() -> pool.take(LONG_MILLIS) != null);
    }

    @Test
    void aFullPoolIsWaitedForAndNotCalledARefusal() throws Exception {
        assertNotNull(pool.take(LONG_MILLIS));
        assertNotNull(pool.take(LONG_MILLIS));
        SQLException failure = assertThrows(SQLException.class, () -> pool.take(120));
        assertEquals(ErrorCode.DATABASE_UNAVAILABLE, SqlErrors.reasonOf(failure).code());
        assertTrue(failure.getMessage().contains("within 120 ms"), failure::toString);
    }
}
