package io.troth.agent.jdbc;

import io.troth.agent.engine.BranchDatabase;
import io.troth.agent.engine.BranchWorkspace;
import io.troth.agent.engine.ResourceIdentity;
import io.troth.agent.xa.BranchTransaction;
import io.troth.agent.xa.ResourceDriver;
import io.troth.agent.xa.ResourceUnsuitableException;
import io.troth.client.context.CallScope;
import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.coordinator.Fate;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.participant.OnePhaseCompletion;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PrepareResult;
import io.troth.core.participant.ScanCompletion;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadFactory;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One resource's database behind the engine's port: a driver, a pool for branches and local work, and a small pool of its
 * own for recovery, so that open branches never keep prepared ones from their end. Thread-safe.
 *
 * <p>Whoever ends a branch takes its connection from the application first and works without any lock. A connection goes
 * back to the pool only when the driver calls it clean; after a cancel, a cut or a lost answer it is closed instead.
 */
public final class JdbcBranchDatabase implements BranchDatabase {

    /** From the cancel of a running statement to the cut of its connection: locks are free by deadline + 2 s. */
    static final long CANCEL_MILLIS = 2_000;

    private static final Logger LOG = LoggerFactory.getLogger(JdbcBranchDatabase.class);

    private final String resource;
    private final ResourceDriver driver;
    private final PoolSettings settings;
    private final ConnectionPool branchPool;
    private final BranchWorkers branchWorkers;
    private final Finishers finishers;
    private final Map<BranchId, BranchSession> sessions = new ConcurrentHashMap<>();
    private volatile @Nullable ResourceIdentity identity;
    private volatile Runnable connectionLost = () -> {};

    /**
     * Opens nothing yet: see {@link #selfTest}.
     *
     * @param resource the resource's name in Troth, for messages and thread names
     * @param threads makes the threads of the pools and workers; they should be daemons
     */
    public JdbcBranchDatabase(String resource, ResourceDriver driver, PoolSettings settings, ThreadFactory threads) {
        this.resource = resource;
        this.driver = driver;
        this.settings = settings;
        this.branchPool = new HikariConnectionPool(
                resource, driver.physicalConnections(), settings.branches(), settings.idleMin(), threads);
        this.branchWorkers = new BranchWorkers(settings, threads);
        this.finishers = new Finishers(resource, driver, settings, branchPool, branchWorkers, threads);
    }

    /**
     * Checks the database and its settings, and runs the canary (protocol 10.3). Blocks; call it before the engine starts.
     *
     * @throws SQLException when the database cannot be reached
     * @throws ResourceUnsuitableException when it must not take part as it is; the message says what to change
     */
    public void selfTest() throws SQLException, ResourceUnsuitableException {
        Finishers.Taken taken = finishers.take();
        boolean whole = false;
        try {
            identity = driver.inspect(taken.connection(), settings.branches());
            whole = true;
        } finally {
            finishers.release(taken, whole);
        }
        driver.canary();
    }

    @Override
    public void prepare(GlobalTxId tx, BranchId branch, Consumer<PrepareResult> done) {
        prepareInPlace(branchWorkers::execute, tx, branch, done);
    }

    @Override
    public void prepareInPlace(Executor caller, GlobalTxId tx, BranchId branch, Consumer<PrepareResult> done) {
        BranchSession session = sessions.remove(branch);
        if (session == null || !session.end()) {
            done.accept(PrepareResult.readOnly());
            return;
        }
        caller.execute(() -> {
            BranchSession.Taken taken = takeIdle(session);
            BranchTransaction transaction = taken == null ? null : taken.transaction();
            if (taken == null || transaction == null) {
                cut(session, taken, () -> done.accept(PrepareResult.refused(neverBegun(tx, branch))));
                return;
            }
            Connection connection = taken.connection();
            branchWorkers.run(
                    connection,
                    () -> transaction.prepare(taken.mayHaveWritten()),
                    why -> PrepareResult.lost(noAnswer("prepare", tx, branch, why)),
                    result -> prepared(branch, connection, result),
                    result -> {
                        done.accept(result);
                        if (result.kind() == PrepareResult.Kind.LOST) {
                            connectionLost();
                        }
                    });
        });
    }

    private void prepared(BranchId branch, Connection connection, PrepareResult result) {
        if (result.kind() == PrepareResult.Kind.PREPARED && driver.tiesPreparedToSession()) {
            finishers.keep(branch, connection);
        } else {
            release(connection, result.kind() != PrepareResult.Kind.LOST);
        }
    }

    @Override
    public void commitOnePhase(
            GlobalTxId tx, BranchId branch, Consumer<Proof> proof, Consumer<OnePhaseCompletion> done) {
        commitInPlace(branchWorkers::execute, tx, branch, proof, done);
    }

    @Override
    public void commitInPlace(
            Executor caller, GlobalTxId tx, BranchId branch, Consumer<Proof> proof, Consumer<OnePhaseCompletion> done) {
        BranchSession session = sessions.remove(branch);
        if (session == null || !session.end()) {
            done.accept(OnePhaseCompletion.readOnly());
            return;
        }
        caller.execute(() -> {
            BranchSession.Taken taken = takeIdle(session);
            BranchTransaction transaction = taken == null ? null : taken.transaction();
            if (taken == null || transaction == null) {
                cut(session, taken, () -> done.accept(OnePhaseCompletion.rolledBack(neverBegun(tx, branch))));
                return;
            }
            branchWorkers.run(
                    taken.connection(),
                    () -> transaction.commitOnePhase(proof),
                    why -> OnePhaseCompletion.lost(noAnswer("commit", tx, branch, why)),
                    completion -> release(taken.connection(), completion.fate() != OnePhaseFate.LOST),
                    completion -> {
                        done.accept(completion);
                        if (completion.fate() == OnePhaseFate.LOST) {
                            connectionLost();
                        }
                    });
        });
    }

    private static Reason neverBegun(GlobalTxId tx, BranchId branch) {
        return new Reason(
                ErrorCode.CONNECTION_LOST,
                "transaction " + tx + " branch " + branch + " has no connection on which it could end");
    }

    private static Reason noAnswer(String what, GlobalTxId tx, BranchId branch, String why) {
        return new Reason(
                ErrorCode.CONNECTION_LOST,
                "transaction " + tx + " branch " + branch + ": no answer to its " + what + ", " + why);
    }

    /** No statement runs any more; somebody may just be refused, or close an old statement. */
    private BranchSession.@Nullable Taken takeIdle(BranchSession session) {
        return takeWithin(session, settings.hangMillis());
    }

    private static BranchSession.@Nullable Taken takeWithin(BranchSession session, long millis) {
        try {
            return session.take(millis);
        } catch (InterruptedException e) {
            // Closing: what is not taken is cut, which also rolls back.
            Thread.currentThread().interrupt();
            return null;
        }
    }

    private void cut(BranchSession session, BranchSession.@Nullable Taken taken, Runnable done) {
        try {
            Connection connection = taken == null ? session.takeConnection() : taken.connection();
            branchWorkers.abort(connection);
            branchPool.evict(connection);
        } finally {
            done.run();
        }
    }

    @Override
    public void rollback(GlobalTxId tx, BranchId branch, Consumer<Boolean> done) {
        BranchSession session = sessions.remove(branch);
        if (session == null || !session.end()) {
            done.accept(true);
            return;
        }
        branchWorkers.execute(() -> {
            Statement running = session.running();
            if (running != null) {
                branchWorkers.cancel(running);
            }
            BranchSession.Taken taken = takeWithin(session, CANCEL_MILLIS);
            BranchTransaction transaction = taken == null ? null : taken.transaction();
            if (taken == null || transaction == null) {
                if (taken == null) {
                    LOG.warn(
                            "transaction {} branch {} on {}: connection cut, its statement ran on",
                            tx,
                            branch,
                            resource);
                }
                cut(session, taken, () -> done.accept(false));
                return;
            }
            branchWorkers.run(
                    taken.connection(),
                    transaction::rollback,
                    why -> false,
                    // A cancel may arrive late, and must not hit whoever has the connection next.
                    rolledBack -> release(taken.connection(), rolledBack && running == null),
                    done);
        });
    }

    @Override
    public void commitPrepared(
            GlobalTxId tx,
            BranchId branch,
            @Nullable Proof proof,
            boolean firstAttempt,
            Consumer<PhaseTwoCompletion> done) {
        finishers.commitPrepared(tx, branch, proof, firstAttempt, done);
    }

    @Override
    public void rollbackPrepared(
            GlobalTxId tx, BranchId branch, @Nullable Proof proof, Consumer<PhaseTwoCompletion> done) {
        finishers.rollbackPrepared(tx, branch, proof, done);
    }

    @Override
    public void listPrepared(Consumer<ScanCompletion> done) {
        finishers.listPrepared(done);
    }

    @Override
    public void fate(Proof proof, Consumer<Fate> done) {
        finishers.fate(proof, done);
    }

    @Override
    public ResourceIdentity identity() {
        ResourceIdentity known = identity;
        if (known == null) {
            throw new IllegalStateException("resource " + resource + " has not passed its self-test");
        }
        return known;
    }

    @Override
    public void clusterKnown(ClusterId cluster) {
        finishers.clusterKnown(cluster);
    }

    @Override
    public void onConnectionLost(Runnable listener) {
        connectionLost = listener;
    }

    /** Pools and prepared branches at this moment. */
    public ResourceStats stats() {
        return finishers.stats(branchPool.stats());
    }

    /** The resource's name in Troth. */
    public String resource() {
        return resource;
    }

    /** Rolls back what is unprepared, leaves what is prepared, and closes every connection. */
    @Override
    public void close() {
        for (BranchSession session : new ArrayList<>(sessions.values())) {
            rollbackAtClose(session);
        }
        // The finishers' work is guarded by the workers' watchdog.
        finishers.close();
        branchWorkers.close();
        branchPool.close();
    }

    private void rollbackAtClose(BranchSession session) {
        if (sessions.remove(session.branch(), session) && session.end()) {
            branchWorkers.execute(() -> cut(session, takeWithin(session, CANCEL_MILLIS), () -> {}));
        }
    }

    // For the DataSource and the sessions.

    /** The branch's session, one for all handles of its transaction at this process. */
    BranchSession session(CallScope scope, BranchWorkspace workspace, BranchId branch) {
        long scopeId = scope.scopeId();
        boolean[] first = new boolean[1];
        BranchSession session = Objects.requireNonNull(sessions.compute(branch, (id, known) -> {
            BranchSession one = known != null ? known : new BranchSession(this, workspace, id);
            first[0] = one.joined(scopeId);
            return one;
        }));
        if (first[0]) {
            scope.onClose(() -> sessions.computeIfPresent(branch, (id, one) -> one.left(scopeId) ? one : null));
        }
        return session;
    }

    ResourceDriver driver() {
        return driver;
    }

    Connection takeForBranch(long remainingMillis) throws SQLException {
        return branchPool.take(Math.min(remainingMillis, settings.waitMillis()));
    }

    /** The level that a branch begins with where none was asked for. */
    int defaultIsolation(long remainingMillis) throws SQLException {
        Connection connection = takeForBranch(remainingMillis);
        boolean whole = false;
        try {
            int level = connection.getTransactionIsolation();
            whole = true;
            return level;
        } finally {
            release(connection, whole);
        }
    }

    Connection takeForLocalWork() throws SQLException {
        return branchPool.take(settings.waitMillis());
    }

    /** Cuts a branch's connection, which stays the branch's until it ends. */
    void abort(Connection connection) {
        branchWorkers.abort(connection);
    }

    void connectionLost() {
        connectionLost.run();
    }

    void release(Connection connection, boolean whole) {
        branchPool.release(connection, whole, driver::isClean);
    }
}
