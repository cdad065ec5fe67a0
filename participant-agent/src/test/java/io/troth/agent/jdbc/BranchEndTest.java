package io.troth.agent.jdbc;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.database.Branches;
import io.troth.agent.xa.BranchTransaction;
import io.troth.agent.xa.ResourceDriver;
import io.troth.agent.xa.StatementVerdict;
import io.troth.client.context.CallScope;
import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.participant.OnePhaseCompletion;
import io.troth.core.participant.PrepareResult;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Goal: after an end that is not certain a branch's connection is closed, whatever its driver thinks of it, and whoever
 * has to look for prepared branches hears of it. Method: a driver of this test that calls every connection clean, behind
 * the real pool and workers.
 */
@SuppressWarnings("try") // A binding is there to be closed.
class BranchEndTest {

    private static final Reason LOST = new Reason(ErrorCode.CONNECTION_LOST, "for the test");

    private final Set<Integer> open = ConcurrentHashMap.newKeySet();
    private final AtomicInteger opened = new AtomicInteger();
    private final AtomicInteger executed = new AtomicInteger();
    private final CompletableFuture<Void> lookedFor = new CompletableFuture<>();
    private final CountDownLatch running = new CountDownLatch(1);
    private final CountDownLatch cancelled = new CountDownLatch(1);
    private final CountDownLatch cut = new CountDownLatch(1);

    private boolean beginFails;
    private boolean runsUntilCancelled;
    private boolean runsUntilCut;
    private boolean isolationFails;
    private boolean rolledBack = true;

    private final JdbcBranchDatabase database =
            new JdbcBranchDatabase("fake", driver(), new PoolSettings(1, 1, 0, 20_000, 20_000), TestAgent.DAEMONS);
    private final SimulatedWorkspace workspace = new SimulatedWorkspace(Branches.nextBranch());
    private final BranchId branch = workspace.branch();
    private final GlobalTxId tx = Branches.nextTx();

    private static <T> T fake(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    private static Object plain(Class<?> type) {
        return type == boolean.class ? (Object) true : type == int.class ? (Object) 0 : null;
    }

    private ResourceDriver driver() {
        DataSource source = fake(
                DataSource.class,
                (self, method, arguments) -> method.getName().equals("getConnection")
                        ? connection(opened.incrementAndGet())
                        : plain(method.getReturnType()));
        BranchTransaction transaction =
                fake(BranchTransaction.class, (self, method, arguments) -> switch (method.getName()) {
                    case "prepare" -> PrepareResult.lost(LOST);
                    case "commitOnePhase" -> OnePhaseCompletion.lost(LOST);
                    case "rollback" -> rolledBack;
                    case "afterFailure" -> StatementVerdict.UNHARMED;
                    default -> null;
                });
        return fake(ResourceDriver.class, (self, method, arguments) -> switch (method.getName()) {
            case "physicalConnections" -> source;
            case "begin" -> {
                if (beginFails) {
                    throw new SQLException("for the test", "42000");
                }
                yield transaction;
            }
            case "isClean" -> true;
            default -> method.getReturnType() == boolean.class ? false : null;
        });
    }

    private Connection connection(int number) {
        open.add(number);
        Statement statement = fake(Statement.class, (self, method, arguments) -> {
            if (method.getName().equals("execute")) {
                executed.incrementAndGet();
            }
            if (method.getName().equals("cancel")) {
                cancelled.countDown();
            } else if (method.getName().equals("execute") && runsUntilCancelled) {
                running.countDown();
                cancelled.await();
            } else if (method.getName().equals("execute") && runsUntilCut) {
                running.countDown();
                cut.await();
            }
            return plain(method.getReturnType());
        });
        return fake(Connection.class, (self, method, arguments) -> switch (method.getName()) {
            case "abort" -> {
                cut.countDown();
                open.remove(number);
                yield null;
            }
            case "close" -> {
                // As drivers do, it waits for the statement.
                if (runsUntilCut) {
                    cut.await();
                }
                open.remove(number);
                yield null;
            }
            case "createStatement" -> statement;
            case "getTransactionIsolation" -> {
                if (isolationFails) {
                    throw new SQLException("for the test", "42000");
                }
                yield Connection.TRANSACTION_READ_COMMITTED;
            }
            case "isClosed" -> !open.contains(number);
            case "toString" -> "connection " + number;
            default -> plain(method.getReturnType());
        });
    }

    private void work() throws SQLException {
        CallScope scope = TestAgent.call(tx);
        try (CallScope.Binding bound = scope.attach();
                Connection connection = new ResourceDataSource(database, workspace, false, 0).getConnection();
                Statement statement = connection.createStatement()) {
            boolean unused = statement.execute("UPDATE");
        }
    }

    private interface End {
        void of() throws Exception;
    }

    /** After a statement something ends the branch; the next one is refused, and reaches no driver. */
    private void worksNoMoreAfter(End end) throws Exception {
        CallScope scope = TestAgent.call(tx);
        try (CallScope.Binding bound = scope.attach();
                Connection connection = new ResourceDataSource(database, workspace, false, 0).getConnection();
                Statement statement = connection.createStatement()) {
            boolean unused = statement.execute("UPDATE");
            end.of();
            int before = executed.get();
            SQLException refused = assertThrows(SQLException.class, () -> statement.execute("UPDATE"));
            assertEquals("25000", refused.getSQLState());
            assertEquals(before, executed.get());
        }
    }

    private static <T> T answer(Consumer<Consumer<T>> call) throws Exception {
        CompletableFuture<T> answer = new CompletableFuture<>();
        call.accept(answer::complete);
        return answer.get(60, TimeUnit.SECONDS);
    }

    private boolean rollback() throws Exception {
        return BranchEndTest.<Boolean>answer(done -> database.rollback(tx, branch, done));
    }

    private void assertClosed() {
        // What is evicted is closed by a thread of the pool.
        await().atMost(Duration.ofSeconds(60)).until(open::isEmpty);
        assertEquals(0, database.stats().branches().active());
    }

    @AfterEach
    void close() {
        cancelled.countDown();
        cut.countDown();
        database.close();
    }

    /** The engine, which has not heard of the end yet, would else wait for ever for a statement that nobody runs. */
    @Test
    void aStatementThatIsAdmittedAfterTheEndOfItsBranchEndsAsOftenAsItBegins() throws Exception {
        worksNoMoreAfter(() -> assertTrue(rollback()));
        assertEquals(0, workspace.running());
    }

    @Test
    void aBranchIsOverWhenItsDatabaseIsClosed() throws Exception {
        worksNoMoreAfter(database::close);
        assertClosed();
    }

    /** Protocol 9.5: after every lost connection. */
    @Test
    void aLostOnePhaseCommitIsLookedFor() throws Exception {
        database.onConnectionLost(() -> lookedFor.complete(null));
        work();
        OnePhaseCompletion completion = answer(done -> database.commitOnePhase(tx, branch, proof -> {}, done));
        assertEquals(OnePhaseFate.LOST, completion.fate());
        lookedFor.get(60, TimeUnit.SECONDS);
        assertClosed();
    }

    @Test
    void aLostPrepareIsLookedFor() throws Exception {
        database.onConnectionLost(() -> lookedFor.complete(null));
        work();
        PrepareResult result = answer(done -> database.prepare(tx, branch, done));
        assertEquals(PrepareResult.Kind.LOST, result.kind());
        lookedFor.get(60, TimeUnit.SECONDS);
        assertClosed();
    }

    @Test
    void aRollbackThatIsNotCertainCostsTheConnection() throws Exception {
        work();
        rolledBack = false;
        assertFalse(rollback());
        assertClosed();
    }

    @Test
    void aRollbackWithNothingToCancelKeepsTheConnection() throws Exception {
        work();
        assertTrue(rollback());
        assertEquals(0, database.stats().branches().active());
        assertEquals(Set.of(1), open);
        work();
        assertEquals(1, opened.get());
    }

    @Test
    void aConnectionThatDoesNotSayItsIsolationIsNotUsedAgain() throws Exception {
        work();
        assertTrue(rollback());
        isolationFails = true;
        try (CallScope.Binding bound = TestAgent.call(tx).attach();
                Connection connection = new ResourceDataSource(database, workspace, false, 0).getConnection()) {
            assertThrows(SQLException.class, connection::getTransactionIsolation);
        }
        assertClosed();
    }

    /** The cancel may arrive late, and would end a statement of whoever has the connection next. */
    @Test
    void aCancelCostsTheConnection() throws Exception {
        runsUntilCancelled = true;
        Future<?> working = workElsewhere();
        assertTrue(rollback());
        working.get(60, TimeUnit.SECONDS);
        assertClosed();
    }

    private Future<?> workElsewhere() throws InterruptedException {
        ExecutorService application = Executors.newSingleThreadExecutor(TestAgent.DAEMONS);
        Future<?> working = application.submit(() -> {
            work();
            return null;
        });
        application.shutdown();
        assertTrue(running.await(60, TimeUnit.SECONDS));
        return working;
    }

    @Test
    void aStatementThatHeedsNoCancelIsCut() throws Exception {
        runsUntilCut = true;
        Future<?> working = workElsewhere();
        assertFalse(rollback(), "the database has not said so");
        working.get(60, TimeUnit.SECONDS);
        assertClosed();
    }

    /** It may be of a branch that the engine has ended already, which nobody ends once more. */
    @Test
    void aBranchThatNeverBeganIsForgottenWithItsLastScope() {
        CallScope first = TestAgent.call(tx);
        CallScope second = TestAgent.call(tx);
        BranchSession session = database.session(first, workspace, branch);
        assertSame(session, database.session(second, workspace, branch));
        first.close();
        assertSame(session, database.session(second, workspace, branch));
        second.close();
        assertNotSame(session, database.session(TestAgent.call(tx), workspace, branch));
    }

    @Test
    void aConnectionOnWhichTheBranchCouldNotBeginIsNotUsedAgain() throws Exception {
        beginFails = true;
        assertThrows(SQLException.class, this::work);
        PrepareResult result = answer(done -> database.prepare(tx, branch, done));
        assertEquals(PrepareResult.Kind.REFUSED, result.kind());
        assertClosed();
    }
}
