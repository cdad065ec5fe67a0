package io.troth.agent.engine;

import io.troth.client.context.CallScope;
import io.troth.client.context.InPlaceBranch;
import io.troth.core.BranchId;
import io.troth.core.Reason;
import io.troth.core.participant.AgentEvent;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** A branch as its transaction's client in this process sees it. Thread-safe; commit or prepare is asked for once. */
final class InPlace implements InPlaceBranch, Executor {

    private final InPlaceCommits commits;
    private final CallScope scope;
    private final BranchId branch;
    private final CompletableFuture<Ballot> ballot = new CompletableFuture<>();
    private final CompletableFuture<End> end = new CompletableFuture<>();

    /** Written and read by the asking thread alone. */
    private boolean here;

    private @Nullable Runnable work;

    InPlace(InPlaceCommits commits, CallScope scope, BranchId branch) {
        this.commits = commits;
        this.scope = scope;
        this.branch = branch;
    }

    @Override
    public BranchId branch() {
        return branch;
    }

    @Override
    public void announce() {
        commits.handle(new AgentEvent.Announced(branch, scope.remainingMillis()));
    }

    @Override
    public CompletionStage<End> commit(boolean onCaller) {
        ask(new AgentEvent.CommitInPlace(scope.tx(), branch), onCaller, end);
        return end;
    }

    @Override
    public CompletionStage<Ballot> prepare(boolean onCaller) {
        ask(new AgentEvent.PrepareInPlace(scope.tx(), branch), onCaller, ballot);
        return ballot;
    }

    private void ask(AgentEvent event, boolean onCaller, CompletableFuture<?> answer) {
        here = onCaller;
        // Nobody may interrupt a commit on its way; a virtual thread's connection would be closed.
        boolean interrupted = onCaller && Thread.interrupted();
        try {
            commits.ask(this, event);
            Runnable mine = work;
            if (mine != null) {
                work = null;
                mine.run();
                // Another thread that was in the engine may be just about to tell it.
                var unused = answer.join();
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public CompletionStage<End> commitPrepared() {
        commits.ask(this, new AgentEvent.CommitPreparedInPlace(scope.tx(), branch));
        return end;
    }

    @Override
    public void rollBack(Reason reason) {
        commits.handle(new AgentEvent.RollbackInPlace(scope.tx(), reason));
    }

    /** Whose thread works at the database; null for one of the database's own. */
    @Nullable
    Executor caller() {
        return here ? this : null;
    }

    /** Called under the engine's lock by the asking thread, which works when it is out of the lock. */
    @Override
    public void execute(Runnable task) {
        work = task;
    }

    /** Without the engine's lock: what depends on it is the client's, and the application's. */
    void voted(Ballot how) {
        ballot.complete(how);
    }

    /** As {@link #voted}. */
    void ended(End how) {
        end.complete(how);
    }
}
