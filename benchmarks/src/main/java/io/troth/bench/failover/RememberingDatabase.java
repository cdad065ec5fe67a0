package io.troth.bench.failover;

import io.troth.bench.troth.NoopDatabase;
import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.participant.OnePhaseCompletion;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PrepareResult;
import io.troth.core.participant.PreparedXid;
import io.troth.core.participant.ScanCompletion;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A database in memory that does everything at once and remembers how each transaction ended, so that nothing but the
 * coordinators decides how long anything takes, and every answer can be compared with it. Thread-safe.
 */
final class RememberingDatabase extends NoopDatabase {

    private final String name;
    private final Map<BranchId, GlobalTxId> prepared = new ConcurrentHashMap<>();
    private final Set<GlobalTxId> committed = ConcurrentHashMap.newKeySet();
    private final List<String> wrong = new ArrayList<>();

    RememberingDatabase(String name) {
        super(name);
        this.name = name;
    }

    /** The branches that are in doubt now. */
    Set<BranchId> prepared() {
        return Set.copyOf(prepared.keySet());
    }

    boolean isPrepared(BranchId branch) {
        return prepared.containsKey(branch);
    }

    boolean hasCommitted(GlobalTxId tx) {
        return committed.contains(tx);
    }

    /** What it was told to do and must never be told. */
    synchronized List<String> wrong() {
        return List.copyOf(wrong);
    }

    private synchronized void complain(String what) {
        wrong.add(name + ": " + what);
    }

    @Override
    public void prepare(GlobalTxId tx, BranchId branch, Consumer<PrepareResult> done) {
        prepared.put(branch, tx);
        done.accept(PrepareResult.prepared(null));
    }

    @Override
    public void commitOnePhase(
            GlobalTxId tx, BranchId branch, Consumer<Proof> proof, Consumer<OnePhaseCompletion> done) {
        committed.add(tx);
        done.accept(OnePhaseCompletion.committed());
    }

    @Override
    public void rollback(GlobalTxId tx, BranchId branch, Consumer<Boolean> done) {
        if (committed.contains(tx)) {
            complain("rollback of " + tx + ", which it has committed");
        }
        done.accept(true);
    }

    @Override
    public void commitPrepared(
            GlobalTxId tx,
            BranchId branch,
            @Nullable Proof proof,
            boolean firstAttempt,
            Consumer<PhaseTwoCompletion> done) {
        // Committed first: whoever sees that it is not prepared any more sees how it ended.
        boolean known = prepared.containsKey(branch);
        if (known) {
            committed.add(tx);
            prepared.remove(branch);
        } else if (!committed.contains(tx)) {
            complain("commit of " + tx + ", which is not prepared");
        }
        done.accept(PhaseTwoCompletion.done());
    }

    @Override
    public void rollbackPrepared(
            GlobalTxId tx, BranchId branch, @Nullable Proof proof, Consumer<PhaseTwoCompletion> done) {
        prepared.remove(branch);
        if (committed.contains(tx)) {
            complain("rollback of prepared " + tx + ", which it has committed");
        }
        done.accept(PhaseTwoCompletion.done());
    }

    @Override
    public void listPrepared(Consumer<ScanCompletion> done) {
        List<PreparedXid> list = new ArrayList<>();
        prepared.forEach((branch, tx) -> list.add(new PreparedXid(tx, branch)));
        done.accept(ScanCompletion.listed(list, 0));
    }
}
