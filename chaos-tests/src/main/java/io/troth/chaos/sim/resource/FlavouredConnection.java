package io.troth.chaos.sim.resource;

import io.troth.agent.engine.ResourceIdentity;
import io.troth.chaos.sim.database.SimulatedBranchDatabase;
import io.troth.chaos.sim.database.SqlOperation;
import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.coordinator.Fate;
import io.troth.core.participant.OnePhaseCompletion;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PrepareResult;
import io.troth.core.participant.ScanCompletion;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A flavoured database as one life of an agent process uses it. */
record FlavouredConnection(SimulatedBranchDatabase port) implements AgentDatabase {

    @Override
    public void execute(
            GlobalTxId tx, BranchId branch, long remainingMillis, Operation operation, Consumer<OperationResult> done) {
        port.execute(
                tx,
                branch,
                remainingMillis,
                translated(operation),
                result -> done.accept(new OperationResult(result.end(), result.failure() == null, result.row())));
    }

    private static SqlOperation translated(Operation operation) {
        SqlOperation.Kind kind = switch (operation.kind()) {
            case READ -> SqlOperation.Kind.READ;
            case READ_LOCKED -> SqlOperation.Kind.READ_LOCKED;
            case ADD -> SqlOperation.Kind.ADD;
            case APPEND -> SqlOperation.Kind.APPEND;
        };
        return new SqlOperation(operation.call(), operation.scope(), kind, operation.key(), operation.argument());
    }

    @Override
    public void prepare(GlobalTxId tx, BranchId branch, Consumer<PrepareResult> done) {
        port.prepare(tx, branch, done);
    }

    @Override
    public void commitOnePhase(
            GlobalTxId tx, BranchId branch, Consumer<Proof> proof, Consumer<OnePhaseCompletion> done) {
        port.commitOnePhase(tx, branch, proof, done);
    }

    @Override
    public void rollback(GlobalTxId tx, BranchId branch, Consumer<Boolean> done) {
        port.rollback(tx, branch, done);
    }

    @Override
    public void commitPrepared(
            GlobalTxId tx,
            BranchId branch,
            @Nullable Proof proof,
            boolean firstAttempt,
            Consumer<PhaseTwoCompletion> done) {
        port.commitPrepared(tx, branch, proof, firstAttempt, done);
    }

    @Override
    public void rollbackPrepared(GlobalTxId tx, BranchId branch, Consumer<PhaseTwoCompletion> done) {
        port.rollbackPrepared(tx, branch, done);
    }

    @Override
    public void listPrepared(Consumer<ScanCompletion> done) {
        port.listPrepared(done);
    }

    @Override
    public void fate(Proof proof, Consumer<Fate> done) {
        port.fate(proof, done);
    }

    @Override
    public ResourceIdentity identity() {
        return port.identity();
    }

    @Override
    public void clusterKnown(ClusterId cluster) {
        port.clusterKnown(cluster);
    }

    @Override
    public void onConnectionLost(Runnable listener) {
        port.onConnectionLost(listener);
    }

    /** The process has died. */
    @Override
    public void close() {
        port.kill();
    }
}
