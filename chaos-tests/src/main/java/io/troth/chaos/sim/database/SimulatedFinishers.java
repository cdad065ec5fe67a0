package io.troth.chaos.sim.database;

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
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** {@code Finishers} on a virtual clock: phase 2, lists and fates, on connections of their own. */
final class SimulatedFinishers {

    private static final long WAIT_MILLIS = 10_000;

    private final ResourceDriver driver;
    private final SimulatedPool pool;
    private final SimulatedPool branchPool;
    private final SimulatedBranchDatabase.Latency latency;

    /** Connections of prepared branches that their database ties to them. */
    private final Map<BranchId, Connection> kept = new TreeMap<>();

    private @Nullable ClusterId cluster;

    SimulatedFinishers(
            ResourceDriver driver,
            SimulatedPool pool,
            SimulatedPool branchPool,
            SimulatedBranchDatabase.Latency latency) {
        this.driver = driver;
        this.pool = pool;
        this.branchPool = branchPool;
        this.latency = latency;
    }

    void clusterKnown(ClusterId known) {
        cluster = known;
    }

    TrothXid xid(GlobalTxId tx, BranchId branch) {
        return new TrothXid(Objects.requireNonNull(cluster, "no cluster heard of yet"), tx, branch);
    }

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
        Connection own = kept.remove(branch);
        if (own != null) {
            finishOn(own, branch, true, work, done);
            return;
        }
        latency.answer(() -> pool.take(
                WAIT_MILLIS,
                taken -> finishOn(taken, branch, false, work, done),
                failure -> done.accept(PhaseTwoCompletion.notYet(unavailable(failure)))));
    }

    private void finishOn(
            Connection connection,
            BranchId branch,
            boolean wasKept,
            Function<Connection, PhaseTwoCompletion> work,
            Consumer<PhaseTwoCompletion> done) {
        latency.ask(() -> work.apply(connection), completion -> {
            finished(branch, connection, wasKept, completion);
            done.accept(completion);
        });
    }

    private void finished(BranchId branch, Connection connection, boolean wasKept, PhaseTwoCompletion completion) {
        boolean whole = completion.kind() != PhaseTwoCompletion.Kind.NOT_YET;
        if (!wasKept) {
            release(connection, whole);
        } else if (whole && driver.isClean(connection)) {
            branchPool.giveBack(connection);
        } else if (whole || SimulatedPool.endOf(connection).isClosed()) {
            branchPool.evict(connection);
        } else {
            kept.put(branch, connection);
        }
    }

    private void release(Connection connection, boolean whole) {
        if (whole && driver.isClean(connection)) {
            pool.giveBack(connection);
        } else {
            pool.evict(connection);
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
        ask(connection -> driver.fate(connection, proof), why -> Fate.IN_PROGRESS, done);
    }

    private interface Inquiry<T> {
        T of(Connection connection) throws SQLException;
    }

    private <T> void ask(Inquiry<T> inquiry, Function<Reason, T> failed, Consumer<T> done) {
        latency.answer(() -> pool.take(
                WAIT_MILLIS,
                taken -> {
                    boolean[] whole = {true};
                    latency.ask(
                            () -> {
                                try {
                                    return inquiry.of(taken);
                                } catch (SQLException e) {
                                    whole[0] = false;
                                    return failed.apply(unavailable(e));
                                }
                            },
                            result -> {
                                release(taken, whole[0]);
                                done.accept(result);
                            });
                },
                failure -> done.accept(failed.apply(unavailable(failure)))));
    }

    static Reason unavailable(SQLException failure) {
        return new Reason(
                ErrorCode.DATABASE_UNAVAILABLE, "SQLState " + failure.getSQLState() + ": " + failure.getMessage());
    }

    void cutAll() {
        kept.clear();
        pool.cutAll();
    }
}
