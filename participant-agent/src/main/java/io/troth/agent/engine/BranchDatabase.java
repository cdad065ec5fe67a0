package io.troth.agent.engine;

import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.coordinator.Fate;
import io.troth.core.participant.OnePhaseCompletion;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PrepareResult;
import io.troth.core.participant.ScanCompletion;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One resource's database, asynchronous. Every method returns at once, also when no connection is free: it is called
 * under the engine's lock and must neither block nor take a branch's lock. Every completion is delivered exactly once,
 * on any thread, and never while a branch's lock is held by the delivering thread.
 */
public interface BranchDatabase extends AutoCloseable {

    /**
     * Probes, then prepares on the branch's own connection, and frees the connection (protocol 7.1, 10.1). No statement
     * of the branch runs any more. A branch for which no connection was ever opened is READ_ONLY.
     */
    void prepare(GlobalTxId tx, BranchId branch, Consumer<PrepareResult> done);

    /**
     * The same, with a thread of the caller's: what has to wait for the database is handed to it, and is run when the engine's
     * lock is free.
     */
    default void prepareInPlace(Executor caller, GlobalTxId tx, BranchId branch, Consumer<PrepareResult> done) {
        prepare(tx, branch, done);
    }

    /**
     * Probes, tells the proof (if the database has one) and then commits on the branch's own connection (protocol 8.1).
     *
     * @param proof called at most once, before the commit is sent
     */
    void commitOnePhase(GlobalTxId tx, BranchId branch, Consumer<Proof> proof, Consumer<OnePhaseCompletion> done);

    /** The same, with a thread of the caller's, as in {@link #prepareInPlace}. */
    default void commitInPlace(
            Executor caller, GlobalTxId tx, BranchId branch, Consumer<Proof> proof, Consumer<OnePhaseCompletion> done) {
        commitOnePhase(tx, branch, proof, done);
    }

    /**
     * Rolls back an unprepared branch: cancels a running statement, aborts its connection 2 s later, and frees the
     * connection. A branch that never opened a connection, or has none any more, is done at once.
     *
     * @param done true when the database confirmed it, false when the connection was cut (the database then rolls back
     *     by itself)
     */
    void rollback(GlobalTxId tx, BranchId branch, Consumer<Boolean> done);

    /**
     * Commits a prepared branch, from any connection (protocol 9.3).
     *
     * @param proof what came with the YES vote, null when there was none
     * @param firstAttempt true when it is the first attempt, in the epoch that wrote the COMMIT
     */
    void commitPrepared(
            GlobalTxId tx,
            BranchId branch,
            @Nullable Proof proof,
            boolean firstAttempt,
            Consumer<PhaseTwoCompletion> done);

    /**
     * Rolls back a prepared branch, from any connection. A branch that is not there is DONE, unless a proof says that it
     * has committed.
     */
    void rollbackPrepared(GlobalTxId tx, BranchId branch, @Nullable Proof proof, Consumer<PhaseTwoCompletion> done);

    /** Lists the prepared xids of this cluster in this database (protocol 9.5). */
    void listPrepared(Consumer<ScanCompletion> done);

    /** Asks the database about the proof of a lost one-phase branch (protocol 8.2). */
    void fate(Proof proof, Consumer<Fate> done);

    /** Which database this is; known after the self-test at start. */
    ResourceIdentity identity();

    /** The cluster whose xids are ours; called before the first branch and the first list, with one value for ever. */
    void clusterKnown(ClusterId cluster);

    /** Called when a database connection was lost, on any thread, so that the prepared xids are listed again. */
    void onConnectionLost(Runnable listener);

    /** Frees connections and threads; rolls back what is unprepared and leaves what is prepared. */
    @Override
    void close();
}
