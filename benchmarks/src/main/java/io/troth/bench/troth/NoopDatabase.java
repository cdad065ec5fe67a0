package io.troth.bench.troth;

import io.troth.agent.engine.BranchDatabase;
import io.troth.agent.engine.ResourceIdentity;
import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.coordinator.Fate;
import io.troth.core.participant.OnePhaseCompletion;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PrepareResult;
import io.troth.core.participant.ScanCompletion;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A database that does everything at once and keeps nothing. What is left is the cost of coordination. */
public class NoopDatabase implements BranchDatabase {

    private final String name;

    /** {@code name} is what it is known by as a database. */
    public NoopDatabase(String name) {
        this.name = name;
    }

    @Override
    public void prepare(GlobalTxId tx, BranchId branch, Consumer<PrepareResult> done) {
        done.accept(PrepareResult.prepared(null));
    }

    @Override
    public void commitOnePhase(
            GlobalTxId tx, BranchId branch, Consumer<Proof> proof, Consumer<OnePhaseCompletion> done) {
        done.accept(OnePhaseCompletion.committed());
    }

    @Override
    public void rollback(GlobalTxId tx, BranchId branch, Consumer<Boolean> done) {
        done.accept(true);
    }

    @Override
    public void commitPrepared(
            GlobalTxId tx,
            BranchId branch,
            @Nullable Proof proof,
            boolean firstAttempt,
            Consumer<PhaseTwoCompletion> done) {
        done.accept(PhaseTwoCompletion.done());
    }

    @Override
    public void rollbackPrepared(
            GlobalTxId tx, BranchId branch, @Nullable Proof proof, Consumer<PhaseTwoCompletion> done) {
        done.accept(PhaseTwoCompletion.done());
    }

    @Override
    public void listPrepared(Consumer<ScanCompletion> done) {
        done.accept(ScanCompletion.listed(List.of(), 0));
    }

    @Override
    public void fate(Proof proof, Consumer<Fate> done) {
        done.accept(Fate.IN_PROGRESS);
    }

    @Override
    public ResourceIdentity identity() {
        return new ResourceIdentity("noop", name, "nobody");
    }

    @Override
    public void clusterKnown(ClusterId cluster) {
        // Nothing of it is written anywhere.
    }

    @Override
    public void onConnectionLost(Runnable listener) {
        // There is none to lose.
    }

    @Override
    public void close() {
        // There is nothing to free.
    }
}
