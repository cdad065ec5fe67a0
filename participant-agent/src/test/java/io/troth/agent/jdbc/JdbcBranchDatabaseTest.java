package io.troth.agent.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.database.Branches;
import io.troth.agent.engine.BranchRefusedException;
import io.troth.agent.engine.BranchWorkspace;
import io.troth.agent.xa.XaDriver;
import io.troth.client.context.CallScope;
import io.troth.client.context.NanoClock;
import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.participant.OnePhaseCompletion;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PrepareResult;
import io.troth.core.participant.StatementEnd;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.sql.XAConnection;
import javax.sql.XADataSource;
import javax.transaction.xa.XAResource;
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
    private String throwsAt = "";
    private String hangsAt = "";
    private JdbcBranchDatabase database;

    private static Object fake(Class<?> type, InvocationHandler handler) {
        return Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler);
    }

    private Object answer(String session, String call) throws Exception {
        calls.add(session + " " + call);
        if (call.equals(throwsAt)) {
            throw new IllegalStateException("a bug in a driver");
        }
        if (call.equals(hangsAt)) {
            hung.await();
        }
        return call.equals("prepare")
                ? XAResource.XA_OK
                : call.equals("recover") ? new javax.transaction.xa.Xid[0] : null;
    }

    private static Object plain(Class<?> type) {
        return type == boolean.class ? (Object) false : type == int.class ? (Object) 0 : null;
    }

    private XAConnection session(int number) {
        boolean[] closed = new boolean[1];
        Object resource =
                fake(XAResource.class, (self, method, arguments) -> answer("session" + number, method.getName()));
        Object statement = fake(Statement.class, (self, method, arguments) -> {
            if (method.getName().equals("execute") && throwsAt.equals("execute")) {
                throw new StackOverflowError("in a driver");
            }
            return plain(method.getReturnType());
        });
        Object handle = fake(Connection.class, (self, method, arguments) -> switch (method.getName()) {
            case "isClosed" -> closed[0];
            case "getAutoCommit", "isValid" -> true;
            case "createStatement" -> statement;
            case "abort" -> {
                closed[0] = true;
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
                yield null;
            }
            default -> null;
        });
    }

    /** With a driver that will hang, and is not waited for long. */
    private void openToHang(boolean tied) {
        open(tied, 500);
    }

    private void open(boolean tied) {
        open(tied, 20_000);
    }

    private void open(boolean tied, long answerMillis) {
        int[] sessions = new int[1];
        XADataSource source = (XADataSource) fake(XADataSource.class, (self, method, arguments) -> {
            synchronized (sessions) {
                sessions[0]++;
                return session(sessions[0]);
            }
        });
        database = new JdbcBranchDatabase(
                "fake",
                new XaDriver(source, tied, Clock.systemUTC()),
                new PoolSettings(1, 1, 0, 20_000, answerMillis),
                TestAgent.DAEMONS,
                NanoClock.SYSTEM);
        database.clusterKnown(Branches.CLUSTER);
    }

    @AfterEach
    void close() {
        hung.countDown();
        database.close();
    }

    /** Admits everything. */
    private static final class OpenWorkspace implements BranchWorkspace {

        private final BranchId branch = Branches.nextBranch();
        private final List<StatementEnd.Kind> ends = new CopyOnWriteArrayList<>();

        @Override
        public BranchId join(CallScope scope, String resource) {
            return branch;
        }

        @Override
        public void statementBegins(CallScope scope, BranchId which) throws BranchRefusedException {}

        @Override
        public void statementEnds(BranchId which, StatementEnd end) {
            ends.add(end.kind());
        }

        @Override
        public boolean isActive(BranchId which) {
            return true;
        }
    }

    private final OpenWorkspace workspace = new OpenWorkspace();
    private final GlobalTxId tx = Branches.nextTx();

    private BranchId work() throws Exception {
        CallScope scope = TestAgent.call(tx);
        try (CallScope.Binding bound = scope.attach();
                Connection connection = new ResourceDataSource(database, workspace).getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("UPDATE");
        }
        return workspace.branch;
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

    @Test
    void aDriverThatHangsAtPrepareLeavesTheBranchInDoubtAndItsConnectionIsCut() throws Exception {
        openToHang(false);
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
        openToHang(false);
        BranchId branch = work();
        hangsAt = "commit";
        OnePhaseCompletion completion = once(done -> database.commitOnePhase(tx, branch, proof -> {}, done));
        assertEquals(OnePhaseFate.LOST, completion.fate());
        assertEquals(0, database.stats().branches().active());
    }

    @Test
    void aDriverThatHangsAtRollbackIsCut() throws Exception {
        openToHang(false);
        BranchId branch = work();
        hangsAt = "rollback";
        assertFalse(JdbcBranchDatabaseTest.<Boolean>once(done -> database.rollback(tx, branch, done)));
        assertEquals(0, database.stats().branches().active());
    }

    @Test
    void aDriverThatHangsOrThrowsInPhaseTwoIsAskedAgain() throws Exception {
        openToHang(false);
        BranchId branch = work();
        PrepareResult unused = once(done -> database.prepare(tx, branch, done));
        throwsAt = "commit";
        PhaseTwoCompletion thrown = once(done -> database.commitPrepared(tx, branch, null, true, done));
        assertEquals(PhaseTwoCompletion.Kind.NOT_YET, thrown.kind());
        throwsAt = "";
        hangsAt = "rollback";
        PhaseTwoCompletion hanging = once(done -> database.rollbackPrepared(tx, branch, done));
        assertEquals(PhaseTwoCompletion.Kind.NOT_YET, hanging.kind());
        hangsAt = "";
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
        openToHang(true);
        BranchId branch = work();
        PrepareResult unused = once(done -> database.prepare(tx, branch, done));
        hangsAt = "commit";
        PhaseTwoCompletion cut = once(answer -> database.commitPrepared(tx, branch, null, true, answer));
        assertEquals(PhaseTwoCompletion.Kind.NOT_YET, cut.kind());
        assertEquals(0, database.stats().branches().active(), "a connection that was cut is of no use");
        hangsAt = "";
        calls.clear();
        PhaseTwoCompletion done = once(answer -> database.commitPrepared(tx, branch, null, false, answer));
        assertEquals(PhaseTwoCompletion.Kind.DONE, done.kind());
        assertEquals(List.of("session2 commit"), calls);
    }

    @Test
    void anErrorOutOfTheDriverIsNoCompletedStatement() throws Exception {
        open(false);
        throwsAt = "execute";
        assertThrows(StackOverflowError.class, this::work);
        throwsAt = "";
        assertEquals(StatementEnd.Kind.CONNECTION_LOST, workspace.ends.get(workspace.ends.size() - 1));
    }

    @Test
    void whatHasNoConnectionIsDoneAtOnceOnTheCallersThread() throws Exception {
        open(false);
        BranchId branch = Branches.nextBranch();
        Thread here = Thread.currentThread();
        database.prepare(tx, branch, result -> assertEquals(here, Thread.currentThread()));
        assertEquals(
                PrepareResult.Kind.READ_ONLY,
                JdbcBranchDatabaseTest.<PrepareResult>once(done -> database.prepare(tx, branch, done))
                        .kind());
        assertTrue(JdbcBranchDatabaseTest.<Boolean>once(done -> database.rollback(tx, branch, done)));
    }
}
