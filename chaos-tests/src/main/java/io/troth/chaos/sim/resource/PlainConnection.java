package io.troth.chaos.sim.resource;

import io.troth.agent.engine.ResourceIdentity;
import io.troth.chaos.sim.database.AgentDatabase;
import io.troth.chaos.sim.database.SqlOperation;
import io.troth.chaos.sim.database.StatementResult;
import io.troth.chaos.sim.resource.BranchWatcher.State;
import io.troth.chaos.sim.resource.PlainDatabase.Work;
import io.troth.chaos.sim.world.Fault;
import io.troth.chaos.sim.world.SimProcess;
import io.troth.chaos.sim.world.World;
import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.coordinator.Fate;
import io.troth.core.participant.OnePhaseCompletion;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PrepareResult;
import io.troth.core.participant.PreparedXid;
import io.troth.core.participant.ScanCompletion;
import io.troth.core.participant.StatementEnd;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A plain database as one agent process uses it. A request takes time to the server, and its answer takes time back. What
 * was sent happens there also when the process that sent it has died meanwhile.
 */
final class PlainConnection implements AgentDatabase {

    private static final long SLOW_NANOS = 3_000_000_000L;

    private final PlainDatabase server;
    private final World world;
    private final SimProcess agent;
    private final int life;
    /** Branches with a connection of their own. */
    private final Set<BranchId> connected = new TreeSet<>();

    private final List<Runnable> hearsLoss = new ArrayList<>();

    PlainConnection(PlainDatabase server, World world, SimProcess agent) {
        this.server = server;
        this.world = world;
        this.agent = agent;
        this.life = agent.life();
    }

    boolean isDead() {
        return !agent.isUp() || agent.life() != life;
    }

    /** Something at the server, after the way there. */
    private void there(String what, Runnable body) {
        long nanos = world.shortDelay() / 2 + (world.fault(Fault.DATABASE_SLOW) ? SLOW_NANOS : 0);
        world.after(nanos, () -> server.name() + ": " + what, body);
    }

    /** Something at the agent, after the way back; not when the agent has died. */
    private void back(Runnable body) {
        if (!isDead()) {
            world.after(world.shortDelay() / 2, agent, () -> "", body);
        }
    }

    private static Reason broken() {
        return Reason.of(ErrorCode.CONNECTION_LOST);
    }

    /** The server is gone, or the agent's process: branches end that are not prepared. */
    void lost() {
        connected.clear();
        hearsLoss.forEach(this::back);
    }

    @Override
    public void execute(
            GlobalTxId tx,
            BranchId branch,
            long remainingMillis,
            SqlOperation operation,
            Consumer<StatementResult> done) {
        connected.add(branch);
        there("executes " + operation.kind() + " in " + branch, () -> {
            if (isDead()) {
                server.rollBack(branch);
                return;
            }
            if (world.fault(Fault.CONNECTION_LOST_IN_STATEMENT)) {
                server.rollBack(branch);
                back(() -> done.accept(StatementResult.failed(StatementEnd.connectionLost(broken()), broken())));
            } else if (world.fault(Fault.STATEMENT_FAILS)) {
                Reason reason = Reason.of(ErrorCode.STATEMENT_FAILED);
                back(() -> done.accept(StatementResult.failed(StatementEnd.failed(reason), reason)));
            } else {
                List<Long> row = connected.contains(branch) ? server.execute(tx, branch, operation) : null;
                back(() -> done.accept(
                        row == null
                                ? StatementResult.failed(StatementEnd.connectionLost(broken()), broken())
                                : StatementResult.of(row)));
            }
        });
    }

    @Override
    public void prepare(GlobalTxId tx, BranchId branch, Consumer<PrepareResult> done) {
        if (!connected.contains(branch)) {
            boolean known = server.isKnown(branch);
            back(() -> done.accept(known ? PrepareResult.lost(broken()) : PrepareResult.readOnly()));
            return;
        }
        connected.remove(branch);
        there("prepares " + branch, () -> {
            Work work = server.active(branch);
            if (work == null) {
                boolean known = server.isKnown(branch);
                back(() -> done.accept(known ? PrepareResult.lost(broken()) : PrepareResult.readOnly()));
            } else if (world.fault(Fault.PREPARE_REFUSED)) {
                server.rollBack(branch);
                back(() -> done.accept(PrepareResult.refused(Reason.of(ErrorCode.PREPARE_REFUSED))));
            } else if (world.fault(Fault.PREPARE_AFTER_LOSS)) {
                // The server goes on for a while after the connection is gone.
                back(() -> done.accept(PrepareResult.lost(broken())));
                world.after(2 * world.shortDelay(), () -> server.name() + ": prepares unseen " + branch, () -> {
                    if (server.active(branch) != null) {
                        server.prepare(work);
                        world.saw("prepare completed after its connection died");
                    }
                    hearsLoss.forEach(this::back);
                });
            } else {
                PrepareResult result =
                        work.writes.isEmpty() ? PrepareResult.readOnly() : PrepareResult.prepared(server.proof(work));
                server.prepare(work);
                boolean replyLost = world.fault(Fault.PREPARE_REPLY_LOST);
                back(() -> done.accept(replyLost ? PrepareResult.lost(broken()) : result));
                if (replyLost) {
                    hearsLoss.forEach(this::back);
                }
            }
        });
    }

    @Override
    public void commitOnePhase(
            GlobalTxId tx, BranchId branch, Consumer<Proof> proof, Consumer<OnePhaseCompletion> done) {
        Work work = server.active(branch);
        if (!connected.contains(branch) || work == null) {
            boolean known = server.isKnown(branch);
            back(() -> done.accept(
                    known
                            ? OnePhaseCompletion.rolledBack(Reason.of(ErrorCode.COMMIT_REFUSED))
                            : OnePhaseCompletion.readOnly()));
            return;
        }
        there(
                "is asked for the proof of " + branch,
                () -> back(() -> {
                    Proof known = server.proof(work);
                    if (known != null) {
                        proof.accept(known);
                    }
                    there("commits " + branch + " in one phase", () -> onePhase(work, done));
                }));
    }

    private void onePhase(Work work, Consumer<OnePhaseCompletion> done) {
        connected.remove(work.branch);
        if (world.fault(Fault.ONE_PHASE_LOST)) {
            server.rollBack(work.branch);
            back(() -> done.accept(OnePhaseCompletion.lost(broken())));
            return;
        }
        boolean alive = work.state == State.ACTIVE;
        if (alive) {
            server.commitOnePhase(work);
        }
        OnePhaseCompletion completion = !alive
                ? OnePhaseCompletion.lost(broken())
                : work.state == State.COMMITTED ? OnePhaseCompletion.committed() : OnePhaseCompletion.readOnly();
        boolean replyLost = world.fault(Fault.ONE_PHASE_REPLY_LOST);
        back(() -> done.accept(replyLost ? OnePhaseCompletion.lost(broken()) : completion));
    }

    @Override
    public void rollback(GlobalTxId tx, BranchId branch, Consumer<Boolean> done) {
        connected.remove(branch);
        there("rolls back " + branch, () -> {
            server.rollBack(branch);
            back(() -> done.accept(true));
        });
    }

    @Override
    public void commitPrepared(
            GlobalTxId tx,
            BranchId branch,
            @Nullable Proof proof,
            boolean firstAttempt,
            Consumer<PhaseTwoCompletion> done) {
        phaseTwo("commits the prepared " + branch, done, () -> {
            State before = server.stateOf(branch);
            if (server.finish(branch, State.COMMITTED)) {
                return PhaseTwoCompletion.done();
            }
            if (proof != null && before != null) {
                return before == State.COMMITTED
                        ? PhaseTwoCompletion.done()
                        : PhaseTwoCompletion.heuristic("it is " + before);
            }
            return firstAttempt ? PhaseTwoCompletion.resolvedElsewhere("not known") : PhaseTwoCompletion.done();
        });
    }

    @Override
    public void rollbackPrepared(GlobalTxId tx, BranchId branch, Consumer<PhaseTwoCompletion> done) {
        phaseTwo("rolls back the prepared " + branch, done, () -> {
            server.finish(branch, State.ROLLED_BACK);
            return PhaseTwoCompletion.done();
        });
    }

    private void phaseTwo(
            String what, Consumer<PhaseTwoCompletion> done, java.util.function.Supplier<PhaseTwoCompletion> attempt) {
        there(what, () -> {
            boolean fails = world.fault(Fault.PHASE_TWO_FAILS);
            PhaseTwoCompletion completion = fails ? PhaseTwoCompletion.notYet(broken()) : attempt.get();
            boolean replyLost = world.fault(Fault.PHASE_TWO_REPLY_LOST);
            back(() -> done.accept(replyLost ? PhaseTwoCompletion.notYet(broken()) : completion));
        });
    }

    @Override
    public void listPrepared(Consumer<ScanCompletion> done) {
        there("lists what is prepared", () -> {
            boolean fails = world.fault(Fault.SCAN_FAILS);
            List<PreparedXid> listed = server.prepared();
            back(() -> done.accept(fails ? ScanCompletion.failed(broken()) : ScanCompletion.listed(listed, 0)));
        });
    }

    @Override
    public void fate(Proof proof, Consumer<Fate> done) {
        there("is asked for the fate of a branch", () -> {
            world.saw("fate asked");
            Fate fate = server.fate(proof);
            back(() -> done.accept(fate));
        });
    }

    @Override
    public ResourceIdentity identity() {
        return new ResourceIdentity("plain", "database " + server.name(), "troth");
    }

    @Override
    public void clusterKnown(ClusterId cluster) {}

    @Override
    public void onConnectionLost(Runnable listener) {
        hearsLoss.add(listener);
    }

    /** The process ends: the server rolls back what it holds unprepared, when it notices. */
    @Override
    public void close() {
        for (BranchId branch : connected) {
            world.after(world.shortDelay(), () -> server.name() + ": misses " + branch, () -> server.rollBack(branch));
        }
        connected.clear();
    }
}
