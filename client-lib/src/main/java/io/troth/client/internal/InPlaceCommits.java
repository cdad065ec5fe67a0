package io.troth.client.internal;

import io.troth.client.context.InPlaceBranch;
import io.troth.core.BranchId;
import io.troth.core.BranchWork;
import io.troth.core.ErrorCode;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * The end of transactions of which nobody outside this process has heard, and which have one branch, at an agent in it: they
 * end there as a local transaction does, and no message leaves. What the agent cannot tell afterwards is asked for like
 * any other outcome. Guarded by the engine's lock.
 */
final class InPlaceCommits {

    private final Consumer<Consumer<Effects>> locked;
    private final BiConsumer<Request, CompletableFuture<Answer>> ask;
    private final Map<OpenTransaction, CompletableFuture<Answer>> pending = new HashMap<>();

    /**
     * Nothing is committed yet.
     *
     * @param locked runs an action of the engine under its lock
     * @param ask asks for the outcome of a commit until somebody tells, or the time is over
     */
    InPlaceCommits(Consumer<Consumer<Effects>> locked, BiConsumer<Request, CompletableFuture<Answer>> ask) {
        this.locked = locked;
        this.ask = ask;
    }

    /**
     * Commits a transaction whose scope is closed, and which may commit.
     *
     * @param here whether to work on the calling thread
     * @return false when it is for the coordinator to do
     */
    boolean commit(OpenTransaction transaction, boolean here, CompletableFuture<Answer> future, Effects effects) {
        InPlaceBranch branch = transaction.scope().takeInPlace();
        if (branch == null) {
            return false;
        }
        transaction.setState(OpenTransaction.State.ENDING);
        pending.put(transaction, future);
        effects.then(() -> {
            var unused = branch.commit(here)
                    .thenAccept(end -> locked.accept(later -> ended(transaction, end, future, later)));
        });
        return true;
    }

    private void ended(
            OpenTransaction transaction, InPlaceBranch.End end, CompletableFuture<Answer> future, Effects effects) {
        pending.remove(transaction);
        switch (end.outcome()) {
            case COMMITTED, READ_ONLY -> {
                transaction.setState(OpenTransaction.State.ENDED);
                transaction.session().end(transaction);
                effects.complete(future, Answer.of(transaction.id(), end.outcome(), null));
            }
            case ROLLED_BACK -> {
                Reason reason = end.reason() == null ? Reason.of(ErrorCode.COMMIT_REFUSED) : end.reason();
                transaction.endBecause(reason);
                transaction.session().end(transaction);
                BranchId only = branches(transaction).get(0).branch();
                effects.complete(future, new Answer(transaction.id(), Outcome.ROLLED_BACK, false, only, reason, null));
            }
            case UNKNOWN, FORGOTTEN, PENDING, NOT_LEADER -> {
                CommitContent content = new CommitContent(branches(transaction), true);
                ask.accept(Request.lostCommit(transaction, content), future);
            }
        }
    }

    private static List<BranchWork> branches(OpenTransaction transaction) {
        return transaction.scope().list().branches();
    }

    /**
     * Rolls back what nobody else has heard of.
     *
     * @return false when that is for the coordinator to do
     */
    boolean rollBack(OpenTransaction transaction, Reason reason, Effects effects) {
        InPlaceBranch branch = transaction.scope().takeInPlace();
        if (branch == null) {
            // What starts under it all the same is announced, and then refused: nobody else would end it.
            transaction.scope().share();
            return false;
        }
        effects.then(() -> branch.rollBack(reason));
        return true;
    }

    /** Commits that run. */
    List<CompletableFuture<Answer>> pending() {
        return List.copyOf(pending.values());
    }
}
