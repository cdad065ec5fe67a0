package io.troth.chaos.sim.database;

import io.troth.agent.engine.BranchDatabase;
import io.troth.agent.engine.ResourceIdentity;
import io.troth.agent.xa.BranchStart;
import io.troth.agent.xa.BranchTransaction;
import io.troth.agent.xa.PostgresDriver;
import io.troth.agent.xa.ResourceDriver;
import io.troth.agent.xa.ResourceUnsuitableException;
import io.troth.agent.xa.TrothXid;
import io.troth.agent.xa.XaDriver;
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
import io.troth.core.participant.StatementEnd;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * {@code JdbcBranchDatabase} on a virtual clock: the agent's real driver over a simulated server, with the same pool,
 * workers and rules, and no thread. What it answers is therefore what the driver makes of the server.
 *
 * <p>A request reaches the server some time after it was sent, also when its process has died meanwhile, by chance; the
 * answer comes some time later, on the process's own clock. Runs on the world's thread.
 */
public final class SimulatedBranchDatabase implements BranchDatabase {

    /** From the cancel of a running statement to the cut of its connection, as the agent's. */
    private static final long CANCEL_NANOS = TimeUnit.MILLISECONDS.toNanos(2_000);

    private static final long WAIT_MILLIS = 10_000;

    private final String resource;
    private final SimulatedServer server;
    private final Surroundings process;
    private final ResourceDriver driver;
    private final int size;
    private final Latency latency;
    private final SimulatedPool pool;
    private final SimulatedFinishers finishers;
    private final Map<BranchId, BranchWork> branches = new TreeMap<>();
    private @Nullable ResourceIdentity identity;
    private Runnable connectionLost = () -> {};
    private boolean dead;

    /**
     * Opens nothing yet.
     *
     * @param resource the resource's name in Troth
     * @param connections the size of the pool for branches
     * @param process where answers are delivered: it drops what comes to a dead process, and holds it for a paused one
     */
    public SimulatedBranchDatabase(String resource, SimulatedServer server, int connections, Surroundings process) {
        this.resource = resource;
        this.server = server;
        this.process = process;
        this.size = connections;
        this.driver = driverOf(server);
        this.latency = new Latency(server, process, () -> dead);
        this.pool = new SimulatedPool(driver.physicalConnections(), connections, process);
        this.finishers = new SimulatedFinishers(
                driver,
                new SimulatedPool(driver.physicalConnections(), Math.max(2, connections / 2), process),
                pool,
                latency);
    }

    private static ResourceDriver driverOf(SimulatedServer server) {
        return server.flavour == Flavour.POSTGRESQL
                ? new PostgresDriver(PostgresWire.source(server), PostgresDriver.ANSWER_MILLIS_DEFAULT)
                : new XaDriver(
                        XaWire.source(server), server.flavour.tiesPreparedToSession(), new VirtualClock(server.world));
    }

    /**
     * Checks the database and runs the agent's canary, as an agent does when it starts.
     *
     * @throws SQLException when the database cannot be reached now
     * @throws ResourceUnsuitableException when it must not take part
     */
    public void selfTest() throws SQLException, ResourceUnsuitableException {
        Connection connection = driver.physicalConnections().getConnection();
        try {
            identity = driver.inspect(connection, size);
        } finally {
            SimulatedPool.endOf(connection).close();
        }
        driver.canary();
    }

    /**
     * Runs one statement of a branch on the branch's own connection. The engine has admitted it, and no other statement of
     * the branch runs.
     *
     * @param remainingMillis what is left of the transaction's time
     * @param done called exactly once, later, unless the process dies
     */
    public void execute(
            GlobalTxId tx,
            BranchId branch,
            long remainingMillis,
            SqlOperation operation,
            Consumer<StatementResult> done) {
        TrothXid xid = finishers.xid(tx, branch);
        BranchWork work = branches.computeIfAbsent(xid.branch(), none -> new BranchWork());
        work.begins();
        Consumer<StatementResult> finished = result -> {
            work.ends();
            done.accept(result);
            if (result.end().kind() == StatementEnd.Kind.CONNECTION_LOST) {
                connectionLost.run();
            }
        };
        if (work.connection != null) {
            latency.request(() -> run(work, xid, remainingMillis, operation, finished));
            return;
        }
        latency.answer(() -> pool.take(
                Math.min(remainingMillis, WAIT_MILLIS),
                taken -> attached(work, taken, xid, remainingMillis, operation, finished),
                failure -> finished.accept(
                        StatementResult.failed(StatementEnd.completed(), SimulatedFinishers.unavailable(failure)))));
    }

    private void attached(
            BranchWork work,
            Connection taken,
            TrothXid xid,
            long remainingMillis,
            SqlOperation operation,
            Consumer<StatementResult> done) {
        if (work.ended) {
            pool.giveBack(taken);
            done.accept(StatementResult.failed(StatementEnd.completed(), lost(xid, "the branch has ended")));
            return;
        }
        work.connection = taken;
        latency.request(() -> {
            try {
                BranchStart start = new BranchStart(remainingMillis, BranchStart.DEFAULT_ISOLATION);
                work.transaction = driver.begin(taken, xid, start);
                named(taken, xid, remainingMillis);
            } catch (SQLException e) {
                Reason reason = lost(xid, "it could not begin, SQLState " + e.getSQLState());
                latency.answer(() -> done.accept(StatementResult.failed(StatementEnd.connectionLost(reason), reason)));
                return;
            }
            run(work, xid, remainingMillis, operation, done);
        });
    }

    /** For the checks: the server itself learns the name only at prepare, or not at all. */
    private void named(Connection connection, TrothXid xid, long remainingMillis) {
        ServerTransaction begun = SimulatedPool.endOf(connection).session.transaction;
        if (begun != null) {
            server.isBranch(begun, xid.tx(), xid.branch());
            begun.deadlineNanos = process.nowNanos() + TimeUnit.MILLISECONDS.toNanos(remainingMillis);
        }
    }

    private static Reason lost(TrothXid xid, String why) {
        return new Reason(ErrorCode.CONNECTION_LOST, "branch " + xid + ": " + why);
    }

    /** At the server. */
    private void run(
            BranchWork work,
            TrothXid xid,
            long remainingMillis,
            SqlOperation operation,
            Consumer<StatementResult> done) {
        Connection connection = work.connection;
        BranchTransaction transaction = work.transaction;
        if (connection == null || transaction == null) {
            latency.answer(() ->
                    done.accept(StatementResult.failed(StatementEnd.completed(), lost(xid, "the branch has ended"))));
            return;
        }
        work.mayHaveWritten |=
                operation.kind() != SqlOperation.Kind.READ && operation.kind() != SqlOperation.Kind.READ_LOCKED;
        ClientEnd end = SimulatedPool.endOf(connection);
        long lockWait =
                server.flavour == Flavour.POSTGRESQL ? Math.max(1, remainingMillis) : server.settings.lockWaitMillis();
        end.execute(
                operation,
                lockWait,
                row -> latency.answer(() -> done.accept(StatementResult.of(row))),
                failure -> latency.answer(() -> done.accept(failed(transaction, failure))));
    }

    private static StatementResult failed(BranchTransaction transaction, SQLException failure) {
        Reason reason = transaction.reasonOf(failure);
        return switch (transaction.afterFailure(failure)) {
            case UNHARMED -> StatementResult.failed(StatementEnd.completed(), reason);
            case FAILED, FAILED_AT_DRIVER -> StatementResult.failed(StatementEnd.failed(reason), reason);
            case CONNECTION_LOST -> {
                Reason lost = reason.code() == ErrorCode.STATEMENT_FAILED
                        ? new Reason(ErrorCode.CONNECTION_LOST, reason.detail())
                        : reason;
                yield StatementResult.failed(StatementEnd.connectionLost(lost), lost);
            }
        };
    }

    /** The branch's work, taken away from the application; null when nothing was ever begun at the database. */
    private @Nullable BranchWork end(BranchId branch) {
        BranchWork work = branches.remove(branch);
        if (work == null) {
            return null;
        }
        work.ended = true;
        return work.connection == null ? null : work;
    }

    @Override
    public void prepare(GlobalTxId tx, BranchId branch, Consumer<PrepareResult> done) {
        BranchWork work = end(branch);
        if (work == null) {
            done.accept(PrepareResult.readOnly());
            return;
        }
        Connection connection = Objects.requireNonNull(work.connection);
        BranchTransaction transaction = work.transaction;
        if (transaction == null) {
            cut(connection);
            latency.answer(() -> done.accept(PrepareResult.refused(neverBegun(tx, branch))));
            return;
        }
        work.whenIdle(() -> latency.ask(
                () -> transaction.prepare(work.mayHaveWritten), result -> prepared(branch, connection, result, done)));
    }

    private void prepared(BranchId branch, Connection connection, PrepareResult result, Consumer<PrepareResult> done) {
        boolean lost = result.kind() == PrepareResult.Kind.LOST;
        if (result.kind() == PrepareResult.Kind.PREPARED && driver.tiesPreparedToSession()) {
            finishers.keep(branch, connection);
        } else {
            release(connection, !lost);
        }
        done.accept(result);
        if (lost) {
            connectionLost.run();
        }
    }

    @Override
    public void commitOnePhase(
            GlobalTxId tx, BranchId branch, Consumer<Proof> proof, Consumer<OnePhaseCompletion> done) {
        BranchWork work = end(branch);
        if (work == null) {
            done.accept(OnePhaseCompletion.readOnly());
            return;
        }
        Connection connection = Objects.requireNonNull(work.connection);
        BranchTransaction transaction = work.transaction;
        if (transaction == null) {
            cut(connection);
            latency.answer(() -> done.accept(OnePhaseCompletion.rolledBack(neverBegun(tx, branch))));
            return;
        }
        Consumer<Proof> told = known -> {
            if (!dead) {
                proof.accept(known);
            }
        };
        work.whenIdle(() -> latency.ask(() -> transaction.commitOnePhase(told), completion -> {
            boolean lost = completion.fate() == OnePhaseFate.LOST;
            release(connection, !lost);
            done.accept(completion);
            if (lost) {
                connectionLost.run();
            }
        }));
    }

    private static Reason neverBegun(GlobalTxId tx, BranchId branch) {
        return new Reason(
                ErrorCode.CONNECTION_LOST,
                "transaction " + tx + " branch " + branch + " has no connection on which it could end");
    }

    private void cut(Connection connection) {
        SimulatedPool.endOf(connection).cut();
        pool.evict(connection);
    }

    @Override
    public void rollback(GlobalTxId tx, BranchId branch, Consumer<Boolean> done) {
        BranchWork work = end(branch);
        if (work == null) {
            done.accept(true);
            return;
        }
        Connection connection = Objects.requireNonNull(work.connection);
        boolean wasRunning = work.isRunning();
        boolean[] begun = {false};
        if (wasRunning) {
            latency.request(() -> cancel(connection));
            process.schedule(CANCEL_NANOS, () -> {
                if (!begun[0]) {
                    begun[0] = true;
                    cut(connection);
                    done.accept(false);
                }
            });
        }
        work.whenIdle(() -> {
            if (!begun[0]) {
                begun[0] = true;
                rollBackIdle(work, connection, wasRunning, done);
            }
        });
    }

    private void cancel(Connection connection) {
        if (!server.strikes(DatabaseFault.CANCEL_WITHOUT_EFFECT)) {
            server.cancel(SimulatedPool.endOf(connection).session);
        }
    }

    private void rollBackIdle(BranchWork work, Connection connection, boolean cancelled, Consumer<Boolean> done) {
        BranchTransaction transaction = work.transaction;
        if (transaction == null) {
            cut(connection);
            latency.answer(() -> done.accept(false));
            return;
        }
        latency.ask(transaction::rollback, rolledBack -> {
            release(connection, rolledBack && !cancelled);
            done.accept(rolledBack);
        });
    }

    private void release(Connection connection, boolean whole) {
        if (whole && driver.isClean(connection)) {
            pool.giveBack(connection);
        } else {
            pool.evict(connection);
        }
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

    /** Takes the place of a self-test: another process has passed it. */
    public void assume(ResourceIdentity known) {
        identity = known;
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

    /** The process is killed: its connections end, and what it had asked for may still happen. */
    @Override
    public void close() {
        dead = true;
        pool.cutAll();
        finishers.cutAll();
    }

    /** How many connections are out of the pool for branches, those of prepared branches included. */
    public int connectionsInUse() {
        return pool.inUse();
    }

    /** How long the way to the server and back takes. */
    static final class Latency {

        private static final long LONG_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(2_000);

        private final SimulatedServer server;
        private final Surroundings process;
        private final Supplier<Boolean> dead;

        Latency(SimulatedServer server, Surroundings process, Supplier<Boolean> dead) {
            this.server = server;
            this.process = process;
            this.dead = dead;
        }

        /** Something arrives at the server; of a dead process, only by chance. */
        void request(Runnable atServer) {
            server.world.schedule(next(), () -> {
                if (!dead.get() || server.world.random().nextBoolean()) {
                    atServer.run();
                }
            });
        }

        /** Something comes back. */
        void answer(Runnable atProcess) {
            process.schedule(next(), atProcess);
        }

        <T> void ask(Supplier<T> atServer, Consumer<T> done) {
            request(() -> {
                T result = atServer.get();
                answer(() -> done.accept(result));
            });
        }

        private long next() {
            if (server.strikes(DatabaseFault.SLOW_ANSWER)) {
                return server.world.random().nextLong(LONG_NANOS_MAX);
            }
            return server.world.delayNanos();
        }
    }
}
