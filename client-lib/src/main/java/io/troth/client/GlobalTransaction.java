package io.troth.client;

import io.troth.client.context.CallScope;
import io.troth.client.internal.Answer;
import io.troth.client.internal.ClientEngine;
import io.troth.client.internal.CommitContent;
import io.troth.client.internal.OpenTransaction;
import io.troth.client.internal.SqlGateways;
import io.troth.core.BranchId;
import io.troth.core.BranchWork;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * A global transaction in the hands of the one who began it. Closing it without a commit rolls it back. One that was
 * begun with {@link TrothClient#begin} is bound to the calling thread until it ends there. Thread-safe, but a binding
 * ends only on its own thread.
 */
public final class GlobalTransaction implements Transaction, AutoCloseable {

    private final ClientEngine engine;
    private final SqlGateways gateways;
    private final OpenTransaction open;
    private final TransactionOptions options;
    private final ScopedTransaction view;
    private final Thread boundThread;
    private @Nullable Binding binding;

    GlobalTransaction(ClientEngine engine, SqlGateways gateways, OpenTransaction open, TransactionOptions options) {
        this.engine = engine;
        this.gateways = gateways;
        this.open = open;
        this.options = options;
        this.view = new ScopedTransaction(open.scope(), gateways);
        this.boundThread = Thread.currentThread();
    }

    /**
     * The transaction that the calling thread or call runs under, in whichever process it was begun; empty outside. For
     * remote SQL under it see {@link TrothClient#current()}.
     */
    public static Optional<Transaction> current() {
        CallScope scope = CallScope.current();
        return scope == null ? Optional.empty() : Optional.of(new ScopedTransaction(scope, null));
    }

    /** Binds it to the thread that made it. */
    GlobalTransaction bound() {
        binding = bind();
        return this;
    }

    /**
     * Commits: returns when the transaction is committed, as {@link WaitFor} says. Waits first for calls and wrapped
     * tasks that still run under it.
     *
     * @throws RolledBackException when it is rolled back, certainly and everywhere; also when the thread was interrupted
     *     before, or while calls or tasks were waited for
     * @throws OutcomeUnknownException when nobody could tell in time, or the thread was interrupted after the commit had left
     * @throws TrothException TRANSACTION_ENDED when commit was asked for before, and did not end in a rollback
     */
    public CommitResult commit() {
        checkMayWait();
        unbind();
        Reason interrupted = new Reason(ErrorCode.ROLLED_BACK_BY_CLIENT, "interrupted before its commit had left");
        if (Thread.currentThread().isInterrupted() && open.scope().isUsed() && !isRollbackOnly()) {
            // A commit whose answer cannot be waited for is better not sent.
            var unused = engine.rollback(open, interrupted);
        }
        CompletableFuture<Answer> future = requestCommit(true);
        try {
            return result(future.get());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            Reason ended = engine.withdraw(open, interrupted);
            if (ended != null) {
                throw new RolledBackException(id(), options.name(), ended, null, null);
            }
            throw unknown(new Reason(ErrorCode.OUTCOME_UNKNOWN, "interrupted while waiting for the commit"), null);
        } catch (ExecutionException e) {
            throw asTroth(e.getCause());
        }
    }

    /**
     * Commits without waiting. The stage fails with what {@link #commit()} throws. Its dependents run on the library's
     * only thread unless they are given an executor: they must not block.
     */
    public CompletionStage<CommitResult> commitAsync() {
        unbind();
        return requestCommit(false).thenApply(this::result);
    }

    /**
     * Rolls back. Does nothing when it is rolled back already.
     *
     * @throws TrothException TRANSACTION_ENDED when commit was asked for before, and did not end in a rollback
     */
    public void rollback() {
        unbind();
        CompletableFuture<Answer> future = requestRollback();
        if (engine.isLoopThread()) {
            // Rolled back in any case; only the coordinator's word for it cannot be waited for here.
            return;
        }
        try {
            future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            throw asTroth(e.getCause());
        }
    }

    /** Rolls back without waiting; the stage completes when the coordinator knows, or cannot be reached. */
    public CompletionStage<Void> rollbackAsync() {
        unbind();
        return requestRollback().thenAccept(answer -> {});
    }

    /** Rolls back what was neither committed nor rolled back. Never throws for one that has ended. */
    @Override
    public void close() {
        if (engine.isActive(open)) {
            rollback();
        } else {
            unbind();
            var unused = engine.closeEnded(open);
        }
    }

    /**
     * What a certain question about this transaction needs. Whole when commit has returned or failed; a token of before lacks
     * the branches of calls that have not returned, and a question with it may be answered UNKNOWN. Once it was taken, the
     * coordinator commits the transaction, also one that could end in place.
     */
    public OutcomeToken token() {
        // Whoever has it may ask the coordinator, which then has to know.
        open.scope().share();
        return token(null);
    }

    @Override
    public GlobalTxId id() {
        return view.id();
    }

    @Override
    public Duration remaining() {
        return view.remaining();
    }

    @Override
    public void setRollbackOnly(String why) {
        view.setRollbackOnly(why);
    }

    @Override
    public boolean isRollbackOnly() {
        return view.isRollbackOnly();
    }

    @Override
    public Runnable wrap(Runnable task) {
        return view.wrap(task);
    }

    @Override
    public <T> Callable<T> wrap(Callable<T> task) {
        return view.wrap(task);
    }

    @Override
    public Executor wrap(Executor executor) {
        return view.wrap(executor);
    }

    @Override
    public TransactionSql sql(String resource) {
        return view.sql(resource);
    }

    @Override
    public Binding bind() {
        return view.bind();
    }

    /** Why it must not commit; null when nothing is known. */
    @Nullable
    Reason rollbackReason() {
        return open.scope().rollbackReason();
    }

    private CompletableFuture<Answer> requestCommit(boolean mayWait) {
        boolean onePhaseAllowed = options.onePhase() == OnePhase.ALLOWED;
        return engine.commit(open, onePhaseAllowed, options.waitFor() == WaitFor.DECIDED, mayWait);
    }

    private CompletableFuture<Answer> requestRollback() {
        return engine.rollback(open, Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT));
    }

    private void unbind() {
        Binding mine = binding;
        if (mine != null && Thread.currentThread() == boundThread) {
            binding = null;
            mine.close();
        }
    }

    private CommitResult result(Answer answer) {
        Reason reason = answer.reason();
        return switch (answer.outcome()) {
            case COMMITTED, READ_ONLY ->
                new CommitResult(answer.tx(), answer.outcome(), answer.completing(), heuristic(reason));
            case ROLLED_BACK ->
                throw new RolledBackException(
                        answer.tx(),
                        options.name(),
                        reason == null ? Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT) : reason,
                        answer.branch(),
                        resourceOf(answer.branch()));
            case FORGOTTEN -> throw unknown(Reason.of(ErrorCode.OUTCOME_FORGOTTEN), answer.content());
            case UNKNOWN, PENDING, NOT_LEADER -> throw unknown(unknownBecause(reason), answer.content());
        };
    }

    private static Reason unknownBecause(@Nullable Reason reason) {
        if (reason == null) {
            return Reason.of(ErrorCode.OUTCOME_UNKNOWN);
        }
        return reason.code() == ErrorCode.OUTCOME_UNKNOWN
                ? reason
                : new Reason(ErrorCode.OUTCOME_UNKNOWN, reason.toString());
    }

    private static @Nullable Reason heuristic(@Nullable Reason reason) {
        return reason != null && reason.code() == ErrorCode.HEURISTIC_MIXED ? reason : null;
    }

    private @Nullable String resourceOf(@Nullable BranchId branch) {
        return open.scope().list().branches().stream()
                .filter(work -> work.branch().equals(branch))
                .map(BranchWork::resource)
                .findFirst()
                .orElse(null);
    }

    private OutcomeUnknownException unknown(Reason reason, @Nullable CommitContent content) {
        return new OutcomeUnknownException(token(content), options.name(), reason);
    }

    private OutcomeToken token(@Nullable CommitContent content) {
        List<BranchWork> branches = content == null ? open.scope().list().branches() : content.branches();
        return new OutcomeToken(id(), branches, options.onePhase() == OnePhase.ALLOWED);
    }

    /** Before anything is asked for: what the caller hears of must not happen all the same. */
    private void checkMayWait() {
        CallScope scope = open.scope();
        boolean answerComesHere = engine.isLoopThread() && scope.isUsed();
        boolean statementsMayEndHere = scope.running() > 0 && gateways.isLoopThread();
        if (answerComesHere || statementsMayEndHere) {
            throw new IllegalStateException(
                    "this is the client's own thread, which brings the answer: use commitAsync here, or an executor");
        }
    }

    private static RuntimeException asTroth(@Nullable Throwable cause) {
        if (cause instanceof RuntimeException known) {
            return known;
        }
        return new IllegalStateException(Objects.requireNonNullElse(cause, new IllegalStateException("no cause")));
    }

    @Override
    public String toString() {
        return "GlobalTransaction[" + id() + ", " + outcomeWord() + "]";
    }

    private String outcomeWord() {
        return engine.isActive(open) ? "active" : Outcome.PENDING + " or ended";
    }
}
