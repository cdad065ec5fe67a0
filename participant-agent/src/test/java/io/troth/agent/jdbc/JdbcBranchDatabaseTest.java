package io.troth.agent.jdbc;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.database.Branches;
import io.troth.agent.database.DatabaseIdRow;
import io.troth.agent.xa.TrothXid;
import io.troth.agent.xa.XaDriver;
import io.troth.client.context.CallScope;
import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.coordinator.Fate;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.participant.OnePhaseCompletion;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PrepareResult;
import io.troth.core.participant.ScanCompletion;
import io.troth.core.participant.StatementEnd;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import javax.sql.XAConnection;
import javax.sql.XADataSource;
import javax.transaction.xa.XAException;
import javax.transaction.xa.XAResource;
import javax.transaction.xa.Xid;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Goal: each completion comes exactly once, whatever the driver does: throw, hang, or tie a branch to its session. Method:
 * an XA driver of this test behind the real pools and workers.
 */
@SuppressWarnings("try") // A binding is there to be closed.
class JdbcBranchDatabaseTest {

    private final List<String> calls = new CopyOnWriteArrayList<>();
    private final CountDownLatch hung = new CountDownLatch(1);

    /** The numbers of the sessions that are open at the database. */
    private final Set<Integer> sessions = ConcurrentHashMap.newKeySet();

    private String throwsAt = "";
    private String failsAt = "";
    private String failsWith = "42000";
    private int failsWithCode = XAException.XAER_RMFAIL;
    private Xid[] listed = {};
    private String hangsAt = "";
    private volatile boolean refusing;
    private JdbcBranchDatabase database;

    private static Object fake(Class<?> type, InvocationHandler handler) {
        return Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler);
    }

    private Object answer(String session, String call) throws Exception {
        calls.add(session + " " + call);
        if (call.equals(throwsAt)) {
            throw new IllegalStateException("a bug in a driver");
        }
        if (call.equals(failsAt)) {
            throw new XAException(failsWithCode);
        }
        if (call.equals(hangsAt)) {
            hung.await();
        }
        return call.equals("prepare") ? XAResource.XA_OK : call.equals("recover") ? listed : null;
    }

    private static Object plain(Class<?> type) {
        return type == boolean.class ? (Object) false : type == int.class ? (Object) 0 : null;
    }

    private XAConnection session(int number) {
        boolean[] closed = new boolean[1];
        sessions.add(number);
        Object resource =
                fake(XAResource.class, (self, method, arguments) -> answer("session" + number, method.getName()));
        Object statement = fake(Statement.class, (self, method, arguments) -> {
            if (method.getName().equals("execute") && throwsAt.equals("execute")) {
                throw new StackOverflowError("in a driver");
            }
            if (method.getName().equals("execute") && failsAt.equals("execute")) {
                throw new SQLException("on purpose", failsWith);
            }
            return method.getName().equals("executeQuery") ? DatabaseIdRow.rows() : plain(method.getReturnType());
        });
        Object handle = fake(Connection.class, (self, method, arguments) -> switch (method.getName()) {
            case "isClosed" -> closed[0];
            case "getAutoCommit", "isValid" -> {
                if (method.getName().equals(throwsAt)) {
                    throwsAt = "";
                    throw new StackOverflowError("in a driver");
                }
                yield true;
            }
            case "getMetaData" -> DatabaseIdRow.metaData();
            case "createStatement" -> statement;
            case "setSavepoint" -> fake(Savepoint.class, (savepoint, itsMethod, its) -> null);
            case "abort" -> {
                closed[0] = true;
                sessions.remove(number);
                hung.countDown();
                yield null;
            }
            case "toString" -> "connection " + number;
            default -> plain(method.getReturnType());
        });
        return (XAConnection) fake(XAConnection.class, (self, method, arguments) -> switch (method.getName()) {
            case "getConnection" -> handle;
            case "getXAResource" -> resource;
            case "close" -> {
                closed[0] = true;
                sessions.remove(number);
                yield null;
            }
            default -> null;
        });
    }

    /** With a driver that will hang, and is not waited for long. */
    private void openToHang() {
        open(false, 20_000, 500);
    }

    private void open(boolean tied) {
        open(tied, 20_000, 20_000);
    }

    private void open(boolean tied, long waitMillis, long hangMillis) {
        AtomicInteger opened = new AtomicInteger();
        XADataSource source = (XADataSource) fake(XADataSource.class, (self, method, arguments) -> {
            if (refusing) {
                throw new SQLException("no more logins", "57P03");
            }
            return session(opened.incrementAndGet());
        });
        database = new JdbcBranchDatabase(
                "fake",
                new XaDriver(source, tied, Clock.systemUTC()),
                new PoolSettings(1, 1, 0, waitMillis, hangMillis),
                TestAgent.DAEMONS);
        database.clusterKnown(Branches.CLUSTER);
    }

    @AfterEach
    void close() {
        hung.countDown();
        database.close();
    }

    private SimulatedWorkspace workspace = new SimulatedWorkspace(Branches.nextBranch());
    private final GlobalTxId tx = Branches.nextTx();

    private BranchId work() throws Exception {
        CallScope scope = TestAgent.call(tx);
        try (CallScope.Binding bound = scope.attach();
                Connection connection = new ResourceDataSource(database, workspace, false, 0).getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("UPDATE");
        }
        return workspace.branch();
    }

    private static <T> T once(Consumer<Consumer<T>> call) throws Exception {
        CompletableFuture<T> answer = new CompletableFuture<>();
        List<T> answers = new CopyOnWriteArrayList<>();
        call.accept(result -> {
            answers.add(result);
            answer.complete(result);
        });
        T result = answer.get(60, TimeUnit.SECONDS);
        assertEquals(1, answers.size());
        return result;
    }

    @Test
    void aDriverThatThrowsAtPrepareLeavesTheBranchInDoubt() throws Exception {
        open(false);
        BranchId branch = work();
        throwsAt = "prepare";
        CompletableFuture<Void> lost = new CompletableFuture<>();
        database.onConnectionLost(() -> lost.complete(null));
        PrepareResult result = once(done -> database.prepare(tx, branch, done));
        assertEquals(PrepareResult.Kind.LOST, result.kind());
        lost.get(60, TimeUnit.SECONDS);
        assertEquals(0, database.stats().branches().active());
    }

    /** The question whether a connection is clean is the last one, after which the end of the branch is told. */
    @Test
    void aDriverThatThrowsWhenAConnectionIsGivenBackLosesNoResult() throws Exception {
        open(false);
        BranchId branch = work();
        throwsAt = "getAutoCommit";
        assertEquals(PrepareResult.Kind.PREPARED, prepare(branch, "").kind());
        assertNotNull(once(database::listPrepared));
        throwsAt = "getAutoCommit";
        PhaseTwoCompletion committed = once(done -> database.commitPrepared(tx, branch, null, true, done));
        assertEquals(PhaseTwoCompletion.Kind.DONE, committed.kind());
        BranchId second = work();
        throwsAt = "getAutoCommit";
        assertTrue(rollback(second));
        BranchId third = work();
        throwsAt = "getAutoCommit";
        assertEquals(OnePhaseFate.COMMITTED, commitOnePhase(third, "").fate());
        assertEquals("", throwsAt);
        assertEquals(0, database.stats().branches().active());
        assertEquals(0, database.stats().finishers().active());
    }

    @Test
    void recoveryIsAnsweredWhenTheDriverThrowsAsAConnectionIsTaken() throws Exception {
        open(false);
        assertNotNull(once(database::listPrepared));
        // Hikari asks a connection that has rested for half a second.
        await().pollDelay(Duration.ofMillis(700)).atMost(Duration.ofSeconds(60)).until(() -> true);
        throwsAt = "isValid";
        ScanCompletion scan = once(database::listPrepared);
        assertNotNull(scan.failure());
        assertEquals("", throwsAt);
    }

    @Test
    void aDriverThatHangsAtPrepareLeavesTheBranchInDoubtAndItsConnectionIsCut() throws Exception {
        openToHang();
        BranchId branch = work();
        hangsAt = "prepare";
        PrepareResult result = once(done -> database.prepare(tx, branch, done));
        assertEquals(PrepareResult.Kind.LOST, result.kind());
        assertEquals(0, database.stats().branches().active());
        // The pool of one connection works again.
        hangsAt = "";
        work();
    }

    @Test
    void aDriverThatHangsAtAOnePhaseCommitIsLost() throws Exception {
        openToHang();
        BranchId branch = work();
        hangsAt = "commit";
        OnePhaseCompletion completion = once(done -> database.commitOnePhase(tx, branch, proof -> {}, done));
        assertEquals(OnePhaseFate.LOST, completion.fate());
        assertEquals(0, database.stats().branches().active());
    }

    @Test
    void aDriverThatHangsAtRollbackIsCut() throws Exception {
        openToHang();
        BranchId branch = work();
        hangsAt = "rollback";
        assertFalse(JdbcBranchDatabaseTest.<Boolean>once(done -> database.rollback(tx, branch, done)));
        assertEquals(0, database.stats().branches().active());
    }

    @Test
    void aDriverThatHangsOrThrowsInPhaseTwoIsAskedAgain() throws Exception {
        openToHang();
        BranchId branch = work();
        PrepareResult unused = once(done -> database.prepare(tx, branch, done));
        hangsAt = "rollback";
        PhaseTwoCompletion hanging = once(done -> database.rollbackPrepared(tx, branch, null, done));
        assertEquals(PhaseTwoCompletion.Kind.NOT_YET, hanging.kind());
        hangsAt = "";
        throwsAt = "commit";
        PhaseTwoCompletion thrown = once(done -> database.commitPrepared(tx, branch, null, true, done));
        assertEquals(PhaseTwoCompletion.Kind.NOT_YET, thrown.kind());
        throwsAt = "";
    }

    @Test
    void aBranchTiedToItsSessionIsFinishedThere() throws Exception {
        open(true);
        BranchId branch = work();
        PrepareResult unused = once(done -> database.prepare(tx, branch, done));
        assertEquals(1, database.stats().branches().active(), "kept, untouched");
        PhaseTwoCompletion done = once(answer -> database.commitPrepared(tx, branch, null, true, answer));
        assertEquals(PhaseTwoCompletion.Kind.DONE, done.kind());
        String prepared = calls.stream()
                .filter(call -> call.endsWith(" prepare"))
                .findFirst()
                .orElseThrow();
        assertTrue(calls.contains(prepared.replace("prepare", "commit")), calls::toString);
        assertEquals(0, database.stats().branches().active());
    }

    @Test
    void aBranchTiedToASessionThatIsGoneIsFinishedByAnotherOne() throws Exception {
        open(true);
        BranchId branch = work();
        PrepareResult unused = once(done -> database.prepare(tx, branch, done));
        throwsAt = "commit";
        PhaseTwoCompletion cut = once(answer -> database.commitPrepared(tx, branch, null, true, answer));
        assertEquals(PhaseTwoCompletion.Kind.NOT_YET, cut.kind());
        assertEquals(0, database.stats().branches().active(), "a connection that was cut is of no use");
        throwsAt = "";
        calls.clear();
        PhaseTwoCompletion done = once(answer -> database.commitPrepared(tx, branch, null, false, answer));
        assertEquals(PhaseTwoCompletion.Kind.DONE, done.kind());
        assertEquals(List.of("session2 commit"), calls);
    }

    /** NOTA is said of a branch that another session still holds, too. */
    @Test
    void aBranchThatIsListedIsNotGoneWhateverTheSessionSays() throws Exception {
        open(false);
        BranchId branch = Branches.nextBranch();
        failsAt = "commit";
        failsWithCode = XAException.XAER_NOTA;
        listed = new Xid[] {new TrothXid(Branches.CLUSTER, tx, branch)};
        PhaseTwoCompletion held = once(done -> database.commitPrepared(tx, branch, null, true, done));
        assertEquals(PhaseTwoCompletion.Kind.NOT_YET, held.kind());
        listed = new Xid[0];
        PhaseTwoCompletion gone = once(done -> database.commitPrepared(tx, branch, null, true, done));
        assertEquals(PhaseTwoCompletion.Kind.RESOLVED_ELSEWHERE, gone.kind());
    }

    @Test
    void anErrorOutOfTheDriverIsNoCompletedStatement() throws Exception {
        open(false);
        throwsAt = "execute";
        assertThrows(StackOverflowError.class, this::work);
        throwsAt = "recover";
        assertEquals(StatementEnd.Kind.CONNECTION_LOST, workspace.lastEnd());
        assertEquals(Set.of(), sessions, "nobody knows where the driver stands: its session is cut");
        assertNotNull(once(database::listPrepared).failure());
        assertEquals(Set.of(), sessions, "so is that of a question of recovery");
    }

    @Test
    void aBranchThatCannotBeginIsLostWithItsConnection() throws Exception {
        open(false);
        failsAt = "start";
        assertThrows(SQLException.class, this::work);
        assertEquals(StatementEnd.Kind.CONNECTION_LOST, workspace.lastEnd());
    }

    @Test
    void aConnectionLostInAStatementIsToldToWhoeverWouldLook() throws Exception {
        open(false);
        CompletableFuture<Void> lost = new CompletableFuture<>();
        database.onConnectionLost(() -> lost.complete(null));
        failsAt = "execute";
        failsWith = "08006";
        assertThrows(SQLException.class, this::work);
        lost.get(60, TimeUnit.SECONDS);
    }

    @Test
    void onlyWhatFailedAfterItIsUndoneByASavepoint() throws Exception {
        open(false);
        CallScope scope = TestAgent.call(tx);
        try (CallScope.Binding bound = scope.attach();
                Connection connection = new ResourceDataSource(database, workspace, false, 0).getConnection();
                Statement statement = connection.createStatement()) {
            Savepoint before = connection.setSavepoint();
            failsAt = "execute";
            assertThrows(SQLException.class, () -> statement.execute("UPDATE"));
            Savepoint after = connection.setSavepoint();
            connection.rollback(after);
            assertEquals(StatementEnd.Kind.COMPLETED, workspace.lastEnd());
            connection.rollback(before);
            assertEquals(StatementEnd.Kind.UNDONE, workspace.lastEnd());
        }
    }

    @Test
    void recoveryIsAnsweredWhileTheDatabaseTakesNobody() throws Exception {
        open(false, 250, 20_000);
        refusing = true;
        BranchId branch = Branches.nextBranch();
        PhaseTwoCompletion commit = once(done -> database.commitPrepared(tx, branch, null, true, done));
        assertEquals(PhaseTwoCompletion.Kind.NOT_YET, commit.kind());
        ScanCompletion scan = once(database::listPrepared);
        assertNotNull(scan.failure());
        // It is asked again: "nobody knows" would be for good.
        assertEquals(
                Fate.IN_PROGRESS,
                JdbcBranchDatabaseTest.<Fate>once(done -> database.fate(Proof.of(new byte[] {1}), done)));
    }

    @Test
    void aBranchTiedToItsSessionStaysThereWhenItCouldNotBeFinished() throws Exception {
        open(true);
        BranchId branch = work();
        PrepareResult unused = once(done -> database.prepare(tx, branch, done));
        failsAt = "commit";
        PhaseTwoCompletion failed = once(done -> database.commitPrepared(tx, branch, null, true, done));
        assertEquals(PhaseTwoCompletion.Kind.NOT_YET, failed.kind());
        failsAt = "";
        PhaseTwoCompletion end = once(done -> database.commitPrepared(tx, branch, null, false, done));
        assertEquals(PhaseTwoCompletion.Kind.DONE, end.kind());
        assertEquals(Set.of(1), sessions);
    }

    /** Pitfall 10, many times and without a server; with one it is {@link PoolCyclesTest}. */
    @Test
    void tenThousandBranchesThatEndInEveryWayLeakNothing() throws Exception {
        open(false, 20_000, 60_000);
        for (int i = 0; i < 10_000; i++) {
            calls.clear();
            // Ends that cost a session come now and then: the pool takes its time to open another one.
            endOneBranch(i % 100 == 0 ? i / 100 % 5 : 5 + i % 4);
            assertEquals(0, database.stats().branches().active(), "after branch " + i);
            assertEquals(0, database.stats().finishers().active(), "after branch " + i);
        }
        // What is evicted is closed by a thread of the pool.
        await().atMost(Duration.ofSeconds(60)).until(() -> sessions.size() <= 2);
    }

    private void endOneBranch(int way) throws Exception {
        workspace = new SimulatedWorkspace(Branches.nextBranch());
        BranchId branch = workspace.branch();
        throwsAt = way == 0 ? "execute" : "";
        if (way == 0) {
            assertThrows(StackOverflowError.class, this::work);
            var unused = rollback(branch);
            return;
        }
        work();
        switch (way) {
            case 1 ->
                assertEquals(OnePhaseFate.LOST, commitOnePhase(branch, "commit").fate());
            case 2 -> {
                failsAt = "rollback";
                assertFalse(rollback(branch));
            }
            case 3 -> {
                failsAt = "recover";
                ScanCompletion scan = once(database::listPrepared);
                assertNotNull(scan.failure());
                assertTrue(rollback(branch));
            }
            case 4 ->
                assertEquals(
                        PhaseTwoCompletion.Kind.NOT_YET,
                        commit(branch, "commit").kind());
            case 5 ->
                assertEquals(PhaseTwoCompletion.Kind.DONE, commit(branch, "").kind());
            case 6 ->
                assertEquals(OnePhaseFate.COMMITTED, commitOnePhase(branch, "").fate());
            case 7 ->
                assertEquals(
                        PrepareResult.Kind.REFUSED, prepare(branch, "prepare").kind());
            default -> assertTrue(rollback(branch));
        }
        failsAt = "";
    }

    private PhaseTwoCompletion commit(BranchId branch, String failing) throws Exception {
        assertEquals(PrepareResult.Kind.PREPARED, prepare(branch, "").kind());
        failsAt = failing;
        return once(done -> database.commitPrepared(tx, branch, null, true, done));
    }

    private boolean rollback(BranchId branch) throws Exception {
        return JdbcBranchDatabaseTest.<Boolean>once(done -> database.rollback(tx, branch, done));
    }

    private PrepareResult prepare(BranchId branch, String failing) throws Exception {
        failsAt = failing;
        return once(done -> database.prepare(tx, branch, done));
    }

    private OnePhaseCompletion commitOnePhase(BranchId branch, String failing) throws Exception {
        failsAt = failing;
        return once(done -> database.commitOnePhase(tx, branch, proof -> {}, done));
    }

    @Test
    void whatHasNoConnectionIsDoneAtOnceOnTheCallersThread() throws Exception {
        open(false);
        BranchId branch = Branches.nextBranch();
        Thread here = Thread.currentThread();
        database.prepare(tx, branch, result -> assertEquals(here, Thread.currentThread()));
        assertEquals(PrepareResult.Kind.READ_ONLY, prepare(branch, "").kind());
        assertTrue(rollback(branch));
    }
}
