package io.troth.agent.engine;

import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.coordinator.Fate;
import io.troth.core.participant.OnePhaseCompletion;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PrepareResult;
import io.troth.core.participant.PreparedXid;
import io.troth.core.participant.ScanCompletion;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A database in memory that answers at once, or when the test says so. */
final class SimulatedBranchDatabase implements BranchDatabase {

    final List<String> asked = new ArrayList<>();
    final Map<BranchId, GlobalTxId> prepared = new TreeMap<>();
    final ArrayDeque<Runnable> held = new ArrayDeque<>();
    boolean holds;
    /** A bug in the port: it throws instead of answering. */
    boolean throwing;

    PrepareResult nextPrepare = PrepareResult.prepared(Proof.of(new byte[] {9}));

    @Nullable
    ClusterId cluster;

    @Nullable
    Runnable connectionLost;

    private void answer(Runnable answer) {
        if (throwing) {
            throw new IllegalStateException("a bug in the port");
        }
        if (holds) {
            held.add(answer);
        } else {
            answer.run();
        }
    }

    void release() {
        while (!held.isEmpty()) {
            held.remove().run();
        }
    }

    @Override
    public void prepare(GlobalTxId tx, BranchId branch, Consumer<PrepareResult> done) {
        asked.add("prepare");
        PrepareResult result = nextPrepare;
        answer(() -> {
            if (result.kind() == PrepareResult.Kind.PREPARED) {
                prepared.put(branch, tx);
            }
            done.accept(result);
        });
    }

    @Override
    public void commitOnePhase(
            GlobalTxId tx, BranchId branch, Consumer<Proof> proof, Consumer<OnePhaseCompletion> done) {
        asked.add("commitOnePhase");
        answer(() -> {
            proof.accept(Proof.of(new byte[] {9}));
            done.accept(OnePhaseCompletion.committed());
        });
    }

    @Override
    public void rollback(GlobalTxId tx, BranchId branch, Consumer<Boolean> done) {
        asked.add("rollback");
        answer(() -> done.accept(true));
    }

    @Override
    public void commitPrepared(
            GlobalTxId tx,
            BranchId branch,
            @Nullable Proof proof,
            boolean firstAttempt,
            Consumer<PhaseTwoCompletion> done) {
        asked.add("commitPrepared");
        answer(() -> done.accept(
                prepared.remove(branch) == null
                        ? PhaseTwoCompletion.resolvedElsewhere("")
                        : PhaseTwoCompletion.done()));
    }

    @Override
    public void rollbackPrepared(
            GlobalTxId tx, BranchId branch, @Nullable Proof proof, Consumer<PhaseTwoCompletion> done) {
        asked.add("rollbackPrepared");
        answer(() -> {
            prepared.remove(branch);
            done.accept(PhaseTwoCompletion.done());
        });
    }

    @Override
    public void listPrepared(Consumer<ScanCompletion> done) {
        asked.add("listPrepared");
        answer(() -> {
            List<PreparedXid> xids = new ArrayList<>();
            prepared.forEach((branch, tx) -> xids.add(new PreparedXid(tx, branch)));
            done.accept(ScanCompletion.listed(xids, 0));
        });
    }

    @Override
    public void fate(Proof proof, Consumer<Fate> done) {
        answer(() -> done.accept(Fate.UNKNOWN));
    }

    @Override
    public ResourceIdentity identity() {
        return new ResourceIdentity("simulated", "here", "tester");
    }

    @Override
    public void clusterKnown(ClusterId known) {
        cluster = known;
    }

    @Override
    public void onConnectionLost(Runnable listener) {
        connectionLost = listener;
    }

    @Override
    public void close() {}
}
