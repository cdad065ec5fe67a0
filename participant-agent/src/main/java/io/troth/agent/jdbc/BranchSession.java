package io.troth.agent.jdbc;

import io.troth.agent.engine.BranchRefusedException;
import io.troth.agent.engine.BranchWorkspace;
import io.troth.agent.xa.BranchPrologue;
import io.troth.agent.xa.BranchStart;
import io.troth.agent.xa.BranchTransaction;
import io.troth.agent.xa.StatementVerdict;
import io.troth.agent.xa.TrothXid;
import io.troth.client.context.CallScope;
import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.participant.StatementEnd;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One unprepared branch and its database connection, shared by all handles of all call scopes that joined it.
 *
 * <p>The connection is taken, and the branch begun at the database, by the first call that needs it. From then on it is
 * the branch's own until {@link #take} hands it to whoever ends the branch: after that no call of the application reaches
 * it any more. Every call holds one fair lock, so that statements run one at a time, and is admitted by the engine first.
 *
 * <p>Lock order: this lock, then the engine's. The engine calls {@link #end} under its own lock; it takes only the small
 * monitor, under which nothing is called.
 */
final class BranchSession {

    /** How long closing a statement waits for another one; what stays open is closed with the connection. */
    private static final long RELEASE_MILLIS = 1_000;

    /** A call that needs the branch's connection. */
    @FunctionalInterface
    interface Work<T> {
        @Nullable
        T on(Connection connection) throws SQLException;
    }

    /** A statement with which the branch begins, in one message. */
    interface First<T> {

        /**
         * Makes the statement, with the prologue's text and parameters in front. Sends nothing.
         *
         * @return null when the driver does not take it so: the branch then begins by itself
         */
        @Nullable
        PreparedStatement make(Connection connection, BranchPrologue prologue);

        T execute(PreparedStatement statement, BranchPrologue prologue) throws SQLException;
    }

    /** A call that was admitted. */
    private interface Admitted<T> {
        @Nullable
        T run() throws SQLException;
    }

    /** What was the session's, and now belongs to whoever ends the branch. */
    record Taken(Connection connection, @Nullable BranchTransaction transaction, boolean mayHaveWritten) {}

    private final JdbcBranchDatabase database;
    private final BranchWorkspace workspace;
    private final BranchId branch;

    private final ReentrantLock lock = new ReentrantLock(true);
    private final Object monitor = new Object();

    // Under the monitor; ended and running are also read without it.
    private final Set<Long> scopes = new HashSet<>();
    private @Nullable Connection connection;
    private volatile boolean ended;
    private volatile @Nullable Statement running;

    // Written under the lock.
    private volatile @Nullable BranchTransaction transaction;

    // Under the lock.
    private final IdentityHashMap<Savepoint, Boolean> failedAtSavepoint = new IdentityHashMap<>();
    private int isolation = BranchStart.DEFAULT_ISOLATION;
    private boolean mayHaveWritten;
    private boolean hurried;
    private boolean failed;
    private boolean failedAtDriver;
    private boolean undone;

    BranchSession(JdbcBranchDatabase database, BranchWorkspace workspace, BranchId branch) {
        this.database = database;
        this.workspace = workspace;
        this.branch = branch;
    }

    BranchId branch() {
        return branch;
    }

    BranchWorkspace workspace() {
        return workspace;
    }

    /** Returns true when it is the scope's first handle. */
    boolean joined(long scopeId) {
        synchronized (monitor) {
            return scopes.add(scopeId);
        }
    }

    /** A scope has closed. Returns false when nothing can come any more and nothing was ever begun. */
    boolean left(long scopeId) {
        synchronized (monitor) {
            scopes.remove(scopeId);
            if (scopes.isEmpty() && connection == null) {
                ended = true;
            }
            return !ended;
        }
    }

    /**
     * The engine ends the branch: no call begins any more. Never blocks.
     *
     * @return false when there is no connection, so that nothing is left to do
     */
    boolean end() {
        synchronized (monitor) {
            ended = true;
            return connection != null;
        }
    }

    /** What runs at the moment, for {@code cancel()}; null when nothing does that can be cancelled. */
    @Nullable
    Statement running() {
        return running;
    }

    /**
     * Takes the connection away from the application, once the running call has returned. Only after {@link #end}.
     *
     * @return null when the call did not return in time
     */
    @Nullable
    Taken take(long waitMillis) throws InterruptedException {
        if (!lock.tryLock(waitMillis, TimeUnit.MILLISECONDS)) {
            return null;
        }
        try {
            return new Taken(takeConnection(), transaction, mayHaveWritten);
        } finally {
            lock.unlock();
        }
    }

    /** Takes the connection away under the running call, which then fails. Only after {@link #end}. */
    Connection takeConnection() {
        synchronized (monitor) {
            Connection taken = connection;
            if (taken == null) {
                throw new IllegalStateException("branch " + branch + " has no connection");
            }
            connection = null;
            return taken;
        }
    }

    /** Makes a call on the branch's connection, taking one and beginning the branch first where that is not done yet. */
    <T> @Nullable T run(CallScope scope, Use use, @Nullable Statement statement, Work<T> work) throws SQLException {
        return admitted(scope, use, () -> {
            Connection own = begun(scope);
            running(use, statement);
            return work.on(own);
        });
    }

    /**
     * Admits a call that needs no database yet, when the branch may begin with the statement that the call is for.
     *
     * @return false, with nothing admitted, when the branch has begun or can only begin by itself
     */
    boolean awaitsStatement(CallScope scope) throws SQLException {
        if (transaction != null || !database.driver().beginsWithStatement()) {
            return false;
        }
        return Boolean.TRUE.equals(admitted(scope, Use.OTHER, () -> {
            throwIfEnded();
            return transaction == null;
        }));
    }

    /**
     * Begins the branch with a statement. When that fails the branch has begun, and can only be rolled back.
     *
     * @return null when the statement has not run: the branch had begun already, or has begun by itself now
     */
    <T> @Nullable T runFirst(CallScope scope, Use use, First<T> first) throws SQLException {
        return admitted(scope, use, () -> {
            if (transaction != null) {
                return null;
            }
            Connection own = taken(scope);
            TrothXid xid = new TrothXid(scope.cluster(), scope.tx(), branch);
            BranchStart start = new BranchStart(scope.remainingMillis(), isolation);
            BranchPrologue prologue = database.driver().prologue(own, xid, start);
            PreparedStatement statement = prologue == null ? null : first.make(own, prologue);
            if (prologue == null || statement == null) {
                transaction = database.driver().begin(own, xid, start);
                return null;
            }
            transaction = prologue.transaction();
            running(use, statement);
            return first.execute(statement, prologue);
        });
    }

    private <T> @Nullable T admitted(CallScope scope, Use use, Admitted<T> call) throws SQLException {
        acquire(scope);
        boolean outer = hurried;
        // An interrupt is for those who wait; but a virtual thread's would close the connection's socket here.
        boolean interrupted = Thread.interrupted();
        hurried |= interrupted;
        boolean lost = false;
        try {
            admit(scope);
            StatementEnd end = StatementEnd.completed();
            try {
                @Nullable T result = call.run();
                end = succeeded();
                return result;
            } catch (SQLException e) {
                end = failed(use, e);
                throw e;
            } catch (RuntimeException e) {
                end = use.failureCounts()
                        ? broken(e)
                        : failed(use, new SQLException("the driver threw " + e, "HY000", e));
                throw e;
            } catch (Error e) {
                end = broken(e);
                throw e;
            } finally {
                running = null;
                workspace.statementEnds(branch, end);
                lost = end.kind() == StatementEnd.Kind.CONNECTION_LOST;
            }
        } catch (SQLException e) {
            throw explained(scope, e);
        } finally {
            hurried = outer;
            lock.unlock();
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
            if (lost && !lock.isHeldByCurrentThread()) {
                database.connectionLost();
            }
        }
    }

    /** From here on the call speaks to the database, and whoever ends the branch cancels the statement. */
    private void running(Use use, @Nullable Statement statement) throws SQLException {
        mayHaveWritten |= use.mayWrite();
        running = statement;
        throwIfEnded();
    }

    private void throwIfEnded() throws SQLException {
        if (ended) {
            throw hasEnded();
        }
    }

    private static SQLException hasEnded() {
        return new SQLException("the branch has ended", "25000");
    }

    private void acquire(CallScope scope) throws SQLException {
        try {
            if (!lock.tryLock(scope.remainingMillis(), TimeUnit.MILLISECONDS)) {
                throw SqlErrors.of(new Reason(
                        ErrorCode.DEADLINE_EXCEEDED,
                        "transaction " + scope.tx() + " branch " + branch
                                + ": the time was over before its turn came"));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            if (lock.tryLock()) {
                // It need not wait.
                return;
            }
            throw SqlErrors.of(
                    new Reason(
                            ErrorCode.STATEMENT_RUNNING,
                            "transaction " + scope.tx() + " branch " + branch + ": interrupted while another statement"
                                    + " of the branch ran"),
                    e);
        }
    }

    private void admit(CallScope scope) throws SQLException {
        try {
            workspace.statementBegins(scope, branch);
        } catch (BranchRefusedException e) {
            throw SqlErrors.of(e.reason());
        }
    }

    private Connection begun(CallScope scope) throws SQLException {
        synchronized (monitor) {
            if (transaction != null && connection != null) {
                return connection;
            }
        }
        Connection taken = taken(scope);
        TrothXid xid = new TrothXid(scope.cluster(), scope.tx(), branch);
        transaction = database.driver().begin(taken, xid, new BranchStart(scope.remainingMillis(), isolation));
        return taken;
    }

    private Connection taken(CallScope scope) throws SQLException {
        // It may have ended since the call was admitted: who waits for a connection then may wait long, for nothing.
        throwIfEnded();
        Connection taken = database.takeForBranch(hurried ? 0 : scope.remainingMillis());
        if (!attach(taken)) {
            database.release(taken, true);
            throw hasEnded();
        }
        return taken;
    }

    private boolean attach(Connection taken) {
        synchronized (monitor) {
            if (ended || connection != null) {
                return false;
            }
            connection = taken;
            return true;
        }
    }

    /** Under the lock. A database that tells its state may say that SQL text has undone the failure. */
    private StatementEnd succeeded() {
        if (undone || (failed && !failedAtDriver && transaction != null && transaction.hasRecovered())) {
            undone = false;
            failed = false;
            failedAtDriver = false;
            return StatementEnd.undone();
        }
        return StatementEnd.completed();
    }

    private StatementEnd failed(Use use, SQLException failure) {
        BranchTransaction begun = transaction;
        if (begun == null) {
            return beginFailed(failure);
        }
        StatementVerdict verdict = begun.afterFailure(failure);
        return switch (verdict) {
            case UNHARMED -> StatementEnd.completed();
            case FAILED, FAILED_AT_DRIVER -> {
                if (!use.failureCounts()) {
                    yield StatementEnd.completed();
                }
                failed = true;
                failedAtDriver |= verdict == StatementVerdict.FAILED_AT_DRIVER;
                yield StatementEnd.failed(begun.reasonOf(failure));
            }
            case CONNECTION_LOST -> {
                Reason reason = begun.reasonOf(failure);
                yield StatementEnd.connectionLost(
                        reason.code() == ErrorCode.STATEMENT_FAILED
                                ? new Reason(ErrorCode.CONNECTION_LOST, reason.detail())
                                : reason);
            }
        };
    }

    /** Nobody knows where the driver stands in its talk with the database, which half a message may have reached. */
    private StatementEnd broken(Throwable thrown) {
        Connection own;
        synchronized (monitor) {
            own = connection;
        }
        if (own != null) {
            database.abort(own);
        }
        return StatementEnd.connectionLost(
                new Reason(ErrorCode.CONNECTION_LOST, "branch " + branch + ": the driver threw " + thrown));
    }

    /** Without a connection nothing has happened; a connection on which begin failed cannot carry the branch. */
    private StatementEnd beginFailed(SQLException failure) {
        synchronized (monitor) {
            return connection == null
                    ? StatementEnd.completed()
                    : StatementEnd.connectionLost(new Reason(
                            ErrorCode.CONNECTION_LOST,
                            "branch " + branch + " could not begin, SQLState " + failure.getSQLState()));
        }
    }

    /** Where the branch was ended under the call, its reason says more than what the driver made of it. */
    SQLException explained(CallScope scope, SQLException failure) {
        if (!ended || SqlErrors.reasonOf(failure) != null) {
            return failure;
        }
        try {
            workspace.statementBegins(scope, branch);
            workspace.statementEnds(branch, StatementEnd.completed());
            return failure;
        } catch (BranchRefusedException e) {
            return SqlErrors.of(e.reason(), failure);
        }
    }

    /** Sets the isolation level that the branch will begin with. */
    void isolate(CallScope scope, int level) throws SQLException {
        acquire(scope);
        try {
            if (transaction != null && level != isolation) {
                throw new SQLException(
                        "the branch runs already; set the isolation level before the first statement", "25001");
            }
            isolation = level;
        } finally {
            lock.unlock();
        }
    }

    /** The level of the branch, or what it would begin with: asking does not begin it, since who asks may set it next. */
    int isolation(CallScope scope) throws SQLException {
        Integer level = admitted(scope, Use.OTHER, () -> {
            throwIfEnded();
            if (isolation != BranchStart.DEFAULT_ISOLATION) {
                return isolation;
            }
            return transaction == null
                    ? database.defaultIsolation(scope.remainingMillis())
                    : begun(scope).getTransactionIsolation();
        });
        return Objects.requireNonNull(level);
    }

    Savepoint setSavepoint(CallScope scope, Work<Savepoint> work) throws SQLException {
        Savepoint set = run(scope, Use.EXECUTE, null, own -> {
            Savepoint savepoint = Objects.requireNonNull(work.on(own), "the driver gave no savepoint");
            failedAtSavepoint.put(savepoint, failed);
            return savepoint;
        });
        return Objects.requireNonNull(set);
    }

    /** Undoes a failure that came after the savepoint was set; an older one stands. */
    void rollbackTo(CallScope scope, Savepoint savepoint) throws SQLException {
        run(scope, Use.EXECUTE, null, own -> {
            own.rollback(savepoint);
            undone = failed && Boolean.FALSE.equals(failedAtSavepoint.get(savepoint));
            return null;
        });
    }

    /** Lets go of a driver's object under the lock, if the connection is still the branch's. */
    void release(Guard.Call<Void> call) throws SQLException {
        try {
            if (ended || !lock.tryLock(RELEASE_MILLIS, TimeUnit.MILLISECONDS)) {
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        }
        try {
            if (!ended) {
                call.run();
            }
        } finally {
            lock.unlock();
        }
    }
}
