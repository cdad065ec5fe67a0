package io.troth.agent.jdbc;

import io.troth.agent.xa.ResourceDriver;
import io.troth.agent.xa.TrothXid;
import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.coordinator.Fate;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PreparedXid;
import io.troth.core.participant.ScanCompletion;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What recovery does at the database, on connections and threads of its own: phase 2, lists of prepared branches, fates.
 * Thread-safe.
 */
final class Finishers implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Finishers.class);

    private final ResourceDriver driver;
    private final PoolSettings settings;
    private final ConnectionPool branchPool;
    private final BranchWorkers workers;
    private final ConnectionPool pool;
    private final ThreadPoolExecutor threads;

    /** Connections of prepared branches that their database ties to them. */
    private final Map<BranchId, Connection> kept = new ConcurrentHashMap<>();

    private volatile @Nullable ClusterId cluster;

    Finishers(
            String resource,
            ResourceDriver driver,
            PoolSettings settings,
            ConnectionPool branchPool,
            BranchWorkers workers,
            ThreadFactory factory) {
        this.driver = driver;
        this.settings = settings;
        this.branchPool = branchPool;
        this.workers = workers;
        this.pool = new HikariConnectionPool(
                resource + "-finishers",
                driver.physicalConnections(),
                settings.finishers(),
                settings.idleMin(),
                factory);
        this.threads = BranchWorkers.bounded(settings.finishers(), factory);
    }

    void clusterKnown(ClusterId known) {
        cluster = known;
    }

    private TrothXid xid(GlobalTxId tx, BranchId branch) {
        return new TrothXid(Objects.requireNonNull(cluster, "no cluster heard of yet"), tx, branch);
    }

    /**
     * A connection.
     *
     * @param owner the pool that it goes back to
     * @param usualMillis its limit for an answer before recovery sets its own; {@link #ANY_LIMIT} when nobody asks
     */
    record Taken(Connection connection, ConnectionPool owner, int usualMillis) {}

    private static final int ANY_LIMIT = -1;

    /**
     * Takes one that waits for branches where the own pool gets none: a database has no room for another one, perhaps,
     * because of all who wait for the locks of what is prepared.
     */
    Taken take() throws SQLException {
        try {
            return new Taken(pool.take(settings.waitMillis()), pool, ANY_LIMIT);
        } catch (SQLException e) {
            if (branchPool.stats().idle() == 0) {
                throw e;
            }
            try {
                return lent(branchPool.take(PoolSettings.WAIT_MILLIS_MIN));
            } catch (SQLException alsoNone) {
                e.addSuppressed(alsoNone);
                throw e;
            }
        }
    }

    private Taken lent(Connection connection) throws SQLException {
        try {
            return new Taken(connection, branchPool, connection.getNetworkTimeout());
        } catch (SQLException e) {
            branchPool.evict(connection);
            throw e;
        }
    }

    void release(Taken taken, boolean whole) {
        taken.owner().release(taken.connection(), whole, clean -> driver.isClean(clean) && restoreLimit(taken));
    }

    /** Statements of a branch may take longer than what recovery does. False when the limit cannot be set again. */
    private static boolean restoreLimit(Taken taken) {
        if (taken.usualMillis() == ANY_LIMIT) {
            return true;
        }
        try {
            taken.connection().setNetworkTimeout(Runnable::run, taken.usualMillis());
            return true;
        } catch (SQLException e) {
            return false;
        }
    }

    /** The branch is prepared, and only this connection can finish it as long as it lives. */
    void keep(BranchId branch, Connection connection) {
        kept.put(branch, connection);
    }

    void commitPrepared(
            GlobalTxId tx,
            BranchId branch,
            @Nullable Proof proof,
            boolean firstAttempt,
            Consumer<PhaseTwoCompletion> done) {
        finish(branch, connection -> driver.commitPrepared(connection, xid(tx, branch), proof, firstAttempt), done);
    }

    void rollbackPrepared(GlobalTxId tx, BranchId branch, @Nullable Proof proof, Consumer<PhaseTwoCompletion> done) {
        finish(branch, connection -> driver.rollbackPrepared(connection, xid(tx, branch), proof), done);
    }

    private void finish(
            BranchId branch, Function<Connection, PhaseTwoCompletion> work, Consumer<PhaseTwoCompletion> done) {
        threads.execute(() -> {
            Connection own = kept.remove(branch);
            Taken taken;
            try {
                taken = own != null ? new Taken(own, branchPool, ANY_LIMIT) : take();
            } catch (SQLException | RuntimeException | Error e) {
                done.accept(PhaseTwoCompletion.notYet(unavailable(e)));
                return;
            }
            workers.run(
                    taken.connection(),
                    () -> work.apply(taken.connection()),
                    why -> PhaseTwoCompletion.notYet(new Reason(ErrorCode.DATABASE_UNAVAILABLE, why)),
                    completion -> finished(branch, taken, own != null, completion),
                    done);
        });
    }

    private void finished(BranchId branch, Taken taken, boolean wasKept, PhaseTwoCompletion completion) {
        boolean whole = completion.kind() != PhaseTwoCompletion.Kind.NOT_YET;
        if (whole || !wasKept || isClosed(taken.connection())) {
            release(taken, whole);
        } else {
            kept.put(branch, taken.connection());
        }
    }

    /** Asks the driver's own connection: the pool's wrapper knows only of its own close. */
    private static boolean isClosed(Connection connection) {
        try {
            return connection.unwrap(Connection.class).isClosed();
        } catch (SQLException | RuntimeException | Error e) {
            return true;
        }
    }

    void listPrepared(Consumer<ScanCompletion> done) {
        ask(this::list, ScanCompletion::failed, done);
    }

    private ScanCompletion list(Connection connection) throws SQLException {
        List<PreparedXid> ours = new ArrayList<>();
        int others = 0;
        for (TrothXid xid : driver.listPrepared(connection)) {
            if (xid.cluster().equals(cluster)) {
                ours.add(new PreparedXid(xid.tx(), xid.branch()));
            } else {
                others++;
            }
        }
        return ScanCompletion.listed(ours, others);
    }

    void fate(Proof proof, Consumer<Fate> done) {
        // What cannot be asked now is asked again.
        ask(connection -> driver.fate(connection, proof), why -> Fate.IN_PROGRESS, done);
    }

    private interface Inquiry<T> {
        T of(Connection connection) throws SQLException;
    }

    private <T> void ask(Inquiry<T> inquiry, Function<Reason, T> failed, Consumer<T> done) {
        threads.execute(() -> {
            Taken taken;
            try {
                taken = take();
            } catch (SQLException | RuntimeException | Error e) {
                done.accept(failed.apply(unavailable(e)));
                return;
            }
            boolean[] whole = {false};
            workers.run(
                    taken.connection(),
                    () -> {
                        try {
                            T answer = inquiry.of(taken.connection());
                            whole[0] = true;
                            return answer;
                        } catch (SQLException e) {
                            return failed.apply(unavailable(e));
                        }
                    },
                    why -> failed.apply(new Reason(ErrorCode.DATABASE_UNAVAILABLE, why)),
                    result -> release(taken, whole[0]),
                    done);
        });
    }

    /** Whatever has kept a connection from being taken or asked: an answer that never came would be waited for. */
    private static Reason unavailable(Throwable failure) {
        if (failure instanceof SQLException sql) {
            Reason known = SqlErrors.reasonOf(sql);
            return known != null
                    ? known
                    : new Reason(
                            ErrorCode.DATABASE_UNAVAILABLE, "SQLState " + sql.getSQLState() + ": " + sql.getMessage());
        }
        LOG.error("no connection could be taken", failure);
        return new Reason(ErrorCode.DATABASE_UNAVAILABLE, "the driver threw " + failure);
    }

    ResourceStats stats(PoolStats branches) {
        return new ResourceStats(branches, pool.stats());
    }

    @Override
    public void close() {
        BranchWorkers.close(threads);
        pool.close();
    }
}
