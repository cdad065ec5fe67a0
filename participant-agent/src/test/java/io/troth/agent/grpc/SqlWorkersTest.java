package io.troth.agent.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.troth.agent.sql.SqlCall;
import io.troth.agent.sql.SqlFailedException;
import io.troth.agent.sql.SqlGateway;
import io.troth.agent.sql.SqlLimits;
import io.troth.agent.sql.SqlStatement;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** Goal: a call that was given up ends, and waits for no other call to end; one too many is told of. */
class SqlWorkersTest {

    private static final int LIMIT_SECONDS = 60;

    private final SqlWorkers workers = new SqlWorkers(2);

    /** Who is refused says so to its own people; whoever runs the agent hears of it here only. */
    @Test
    void saysOnceASecondThatCallsAreRefused() {
        ListAppender<ILoggingEvent> lines = new ListAppender<>();
        Logger log = (Logger) LoggerFactory.getLogger(SqlWorkers.class);
        lines.start();
        log.setLevel(Level.WARN);
        log.addAppender(lines);
        try (workers) {
            for (int call = 1; call <= 4; call++) {
                assertEquals(call <= 2, workers.enter());
                assertEquals(call <= 2, lines.list.isEmpty());
            }
            assertEquals(1, lines.list.size(), lines.list::toString);
            String line = lines.list.get(0).getFormattedMessage();
            assertTrue(line.contains("OVERLOADED") && line.contains("agent.sql.callsMax (2)"), line);
        } finally {
            log.detachAppender(lines);
            log.setLevel(null);
        }
    }

    /** A database that the network does not reach answers no cancel for ten seconds. */
    @Test
    void aCancelThatIsNotAnsweredHoldsNoOtherUp() throws Exception {
        CountDownLatch answered = new CountDownLatch(1);
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch others = new CountDownLatch(2);
        try (workers) {
            workers.giveUp(new SqlCall(), () -> {
                asked.countDown();
                await(answered, 10 * LIMIT_SECONDS);
            });
            assertTrue(await(asked, LIMIT_SECONDS));
            workers.giveUp(new SqlCall(), others::countDown);
            var unused = workers.after(1, others::countDown);
            assertTrue(await(others, LIMIT_SECONDS));
        } finally {
            answered.countDown();
        }
    }

    /** A statement waits for a connection, or for another one of its branch, and no driver takes a cancel of it then. */
    @Test
    void aStatementThatIsSentAfterItsCancelEndsAllTheSame() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch cancels = new CountDownLatch(2);
        PreparedStatement prepared = fake(PreparedStatement.class, method -> {
            switch (method) {
                case "execute" -> {
                    begun.countDown();
                    throw new SQLException(await(cancels, LIMIT_SECONDS) ? "cancelled" : "ran on", "57014");
                }
                case "cancel" -> cancels.countDown();
                default -> {}
            }
            return null;
        });
        Connection connection = fake(Connection.class, method -> method.equals("prepareStatement") ? prepared : null);
        DataSource source = fake(DataSource.class, method -> connection);
        SqlGateway gateway = new SqlGateway(Map.of("slow", source), SqlLimits.DEFAULTS);
        SqlStatement statement = new SqlStatement("slow", "DELETE FROM t", List.of());
        SqlCall call = new SqlCall();
        try (workers) {
            FutureTask<SqlFailedException> failure = new FutureTask<>(
                    () -> assertThrows(SqlFailedException.class, () -> gateway.execute(statement, List.of(), call)));
            workers.statements().execute(failure);
            assertTrue(await(begun, LIMIT_SECONDS));
            workers.giveUp(call, () -> {});
            assertTrue(String.valueOf(failure.get().getMessage()).contains("cancelled"), failure.get()::toString);
            assertFalse(call.cancel());
        }
    }

    /** Not a new one for each call until there are as many as there may be calls. */
    @Test
    void aThreadThatIsIdleRunsTheNextCall() throws Exception {
        try (workers) {
            Thread first = thread();
            Awaitility.await()
                    .atMost(LIMIT_SECONDS, TimeUnit.SECONDS)
                    .until(() -> first.getState() == Thread.State.TIMED_WAITING);
            assertEquals(first, thread());
        }
    }

    /** The statement of a call that was given up may run for long, and the call has left its place to another one. */
    @Test
    void whatIsLeftOfCallsThatWereGivenUpHoldsNoOtherUp() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        try (workers) {
            for (int call = 0; call < 2; call++) {
                workers.statements().execute(() -> await(end, 10 * LIMIT_SECONDS));
            }
            assertTrue(thread().isAlive());
        } finally {
            end.countDown();
        }
    }

    private Thread thread() throws Exception {
        FutureTask<Thread> task = new FutureTask<>(Thread::currentThread);
        workers.statements().execute(task);
        return task.get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    private interface Answer {
        @Nullable
        Object to(String method) throws SQLException;
    }

    private static <T> T fake(Class<T> type, Answer answer) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(),
                new Class<?>[] {type},
                (self, method, arguments) -> answer.to(method.getName())));
    }

    private static boolean await(CountDownLatch latch, long seconds) {
        try {
            return latch.await(seconds, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
