package io.troth.chaos.sim.resource;

import io.troth.chaos.sim.database.AgentDatabase;
import io.troth.chaos.sim.database.SqlOperation;
import io.troth.chaos.sim.resource.BranchWatcher.State;
import io.troth.chaos.sim.world.Fault;
import io.troth.chaos.sim.world.SimProcess;
import io.troth.chaos.sim.world.World;
import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.coordinator.Fate;
import io.troth.core.participant.PreparedXid;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The simplest database that keeps its promises: no locks (writes commute, and become visible at the commit), branches
 * that are prepared outlive everything, and, if it has them, proofs that are worth something within one life. What differs
 * between real databases is the business of others.
 */
public final class PlainDatabase implements DatabaseServer {

    /** One branch. */
    static final class Work {
        final GlobalTxId tx;
        final BranchId branch;
        final long proof;
        final List<SqlOperation> writes = new ArrayList<>();
        State state = State.ACTIVE;

        private Work(GlobalTxId tx, BranchId branch, long proof) {
            this.tx = tx;
            this.branch = branch;
            this.proof = proof;
        }
    }

    private final World world;
    private final String name;
    private final boolean hasProof;
    private final BranchWatcher watcher;
    private final Map<BranchId, Work> works = new LinkedHashMap<>();
    private final Map<Long, Work> byProof = new HashMap<>();
    private final Map<String, List<Long>> rows = new TreeMap<>();
    private final List<PlainConnection> open = new ArrayList<>();
    /** Counts crashes: after one a proof of an unprepared branch may be another transaction's. */
    private int life;

    private long proofs;

    public PlainDatabase(World world, String name, boolean hasProof, BranchWatcher watcher) {
        this.world = world;
        this.name = name;
        this.hasProof = hasProof;
        this.watcher = watcher;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public AgentDatabase open(SimProcess agent) {
        open.removeIf(PlainConnection::isDead);
        PlainConnection connection = new PlainConnection(this, world, agent);
        open.add(connection);
        return connection;
    }

    @Override
    public void crash() {
        life++;
        for (Work work : works.values()) {
            end(work, State.ACTIVE, State.ROLLED_BACK);
        }
        open.forEach(PlainConnection::lost);
    }

    /** It is too plain for that. */
    @Override
    public void strike(Fault kind, SplittableRandom random) {}

    @Override
    public Runnable backup() {
        return () -> {};
    }

    @Override
    public void becomeQuiet() {}

    @Override
    public boolean excusesHeuristic(BranchId branch) {
        return false;
    }

    @Override
    public Map<String, List<Long>> rows() {
        Map<String, List<Long>> copy = new LinkedHashMap<>();
        rows.forEach((key, row) -> copy.put(key, List.copyOf(row)));
        return copy;
    }

    /** A statement; null when the branch's transaction is over. */
    @Nullable
    List<Long> execute(GlobalTxId tx, BranchId branch, SqlOperation operation) {
        Work work = works.get(branch);
        if (work == null) {
            work = new Work(tx, branch, ((long) life << 32) | ++proofs);
            works.put(branch, work);
            byProof.put(work.proof, work);
            watcher.moved(name, tx, branch, State.ACTIVE);
        }
        if (work.state != State.ACTIVE) {
            return null;
        }
        watcher.executed(tx, branch, operation.call(), operation.scope());
        if (operation.writes()) {
            work.writes.add(operation);
        }
        Map<String, List<Long>> seen = new TreeMap<>();
        seen.put(operation.key(), rows.getOrDefault(operation.key(), List.of()));
        for (SqlOperation write : work.writes) {
            if (write.key().equals(operation.key())) {
                apply(write, seen);
            }
        }
        return seen.get(operation.key());
    }

    private static void apply(SqlOperation write, Map<String, List<Long>> to) {
        List<Long> row = to.getOrDefault(write.key(), List.of());
        List<Long> changed = new ArrayList<>(row);
        if (write.kind() == SqlOperation.Kind.APPEND) {
            changed.add(write.argument());
        } else if (row.isEmpty()) {
            changed.add(write.argument());
        } else {
            changed.set(0, row.get(0) + write.argument());
        }
        to.put(write.key(), changed);
    }

    /** The branch, if its transaction is open. */
    @Nullable
    Work active(BranchId branch) {
        Work work = works.get(branch);
        return work != null && work.state == State.ACTIVE ? work : null;
    }

    boolean isKnown(BranchId branch) {
        return works.containsKey(branch);
    }

    void prepare(Work work) {
        end(work, State.ACTIVE, work.writes.isEmpty() ? State.READ_ONLY : State.PREPARED);
    }

    void commitOnePhase(Work work) {
        boolean wrote = !work.writes.isEmpty();
        end(work, State.ACTIVE, wrote ? State.COMMITTED : State.READ_ONLY);
    }

    void rollBack(BranchId branch) {
        Work work = works.get(branch);
        if (work != null) {
            end(work, State.ACTIVE, State.ROLLED_BACK);
        }
    }

    /** Finishes a prepared branch; false when there is none. */
    boolean finish(BranchId branch, State state) {
        Work work = works.get(branch);
        return work != null && end(work, State.PREPARED, state);
    }

    private boolean end(Work work, State from, State to) {
        if (work.state != from) {
            return false;
        }
        work.state = to;
        if (to == State.COMMITTED) {
            work.writes.forEach(write -> apply(write, rows));
        }
        watcher.moved(name, work.tx, work.branch, to);
        return true;
    }

    List<PreparedXid> prepared() {
        List<PreparedXid> all = new ArrayList<>();
        for (Work work : works.values()) {
            if (work.state == State.PREPARED) {
                all.add(new PreparedXid(work.tx, work.branch));
            }
        }
        return all;
    }

    @Nullable
    Proof proof(Work work) {
        return hasProof
                ? Proof.of(ByteBuffer.allocate(Long.BYTES).putLong(work.proof).array())
                : null;
    }

    /** What can be said of a proof (protocol 8.2). */
    Fate fate(Proof proof) {
        long number = ByteBuffer.wrap(proof.toByteArray()).getLong();
        Work work = byProof.get(number);
        if (work == null) {
            return Fate.UNKNOWN;
        }
        return switch (work.state) {
            case ACTIVE -> Fate.IN_PROGRESS;
            case COMMITTED -> number >>> 32 == life ? Fate.COMMITTED : Fate.UNKNOWN;
            case ROLLED_BACK -> Fate.ROLLED_BACK;
            case PREPARED, READ_ONLY -> Fate.UNKNOWN;
        };
    }

    /** What became of a prepared branch, by its proof; null when the database cannot tell. */
    @Nullable
    State stateOf(BranchId branch) {
        Work work = hasProof ? works.get(branch) : null;
        return work == null ? null : work.state;
    }
}
