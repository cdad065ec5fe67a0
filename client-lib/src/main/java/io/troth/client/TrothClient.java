package io.troth.client;

import io.troth.client.context.CallScope;
import io.troth.client.context.Failures;
import io.troth.client.internal.Answer;
import io.troth.client.internal.ClientEngine;
import io.troth.client.internal.CommitContent;
import io.troth.client.internal.OpenTransaction;
import io.troth.client.internal.SqlGateways;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A process's connection to the coordinator: one stream, one thread, any number of transactions. Make one and share it.
 * It connects in the background and for ever; what it says about a transaction is certain or says that it is not.
 * Thread-safe.
 *
 * <pre>{@code
 * try (TrothClient client = TrothClient.connect("localhost:7700")) {
 *     client.inTransaction(tx -> { ... });
 * }
 * }</pre>
 */
public final class TrothClient implements AutoCloseable {

    private static final long CLOSE_WAIT_MILLIS = 5_000;
    private static final long RETRY_MILLIS_MIN = 20;
    private static final int RETRY_DOUBLINGS_MAX = 6;

    private final ClientEngine engine;
    private final SqlGateways gateways;

    TrothClient(ClientEngine engine, SqlGateways gateways) {
        this.engine = engine;
        this.gateways = gateways;
    }

    /**
     * A client with default settings, without TLS.
     *
     * @param endpoint {@code host:port} on this machine; for others see {@link #builder()}
     * @throws IllegalArgumentException when the endpoint is not well-formed or not a loopback address
     */
    public static TrothClient connect(String endpoint) {
        return builder().endpoint(endpoint).build();
    }

    /** A client with settings of its own: several coordinators, TLS, timeouts. */
    public static TrothClientBuilder builder() {
        return new TrothClientBuilder();
    }

    /**
     * Runs the work in a transaction and commits it; inside a transaction it joins that one, which then commits later.
     *
     * @throws X what the work threw: the transaction is rolled back, or, when joined, rollback-only
     * @throws RolledBackException when the commit ended in a rollback
     * @throws OutcomeUnknownException when nobody could tell how the commit ended
     * @throws TrothException as {@link #begin(TransactionOptions)}, when none can begin, or SCOPE_CLOSED when the one to join has
     *     ended: the work has not run then
     */
    public <X extends Exception> void inTransaction(TransactionWork<X> work) throws X {
        inTransaction(TransactionOptions.DEFAULTS, work);
    }

    /** As {@link #inTransaction(TransactionWork)}. When it joins, the options other than {@code separate} do nothing. */
    public <X extends Exception> void inTransaction(TransactionOptions options, TransactionWork<X> work) throws X {
        this.<Boolean, X>callInTransaction(options, tx -> {
            work.run(tx);
            return true;
        });
    }

    /** As {@link #inTransaction(TransactionWork)}, with a result. */
    public <T, X extends Exception> T callInTransaction(TransactionCall<T, X> call) throws X {
        return callInTransaction(TransactionOptions.DEFAULTS, call);
    }

    /** As {@link #inTransaction(TransactionOptions, TransactionWork)}, with a result. */
    public <T, X extends Exception> T callInTransaction(TransactionOptions options, TransactionCall<T, X> call)
            throws X {
        CallScope around = CallScope.current();
        if (around != null && !options.separate()) {
            return join(around, call);
        }
        int attempt = 0;
        while (true) {
            try {
                return runOnce(options, call);
            } catch (Retry retry) {
                if (attempt == options.retries() || !pause(attempt)) {
                    throw retry.<X>original();
                }
                attempt++;
            }
        }
    }

    /**
     * As {@link GlobalTransaction#current()}, with remote SQL by way of this client: for the inside of services. Empty
     * outside every transaction.
     */
    public Optional<Transaction> current() {
        CallScope scope = CallScope.current();
        return scope == null ? Optional.empty() : Optional.of(new ScopedTransaction(scope, gateways));
    }

    /** As {@link #begin(TransactionOptions)} with default options. */
    public GlobalTransaction begin() {
        return begin(TransactionOptions.DEFAULTS);
    }

    /**
     * Begins a transaction and binds it to the calling thread until it is committed, rolled back or closed there. Sends
     * nothing and waits for nothing when a client session is open.
     *
     * @throws TrothException ALREADY_IN_TRANSACTION inside a transaction, unless the options say separate; otherwise why
     *     none can begin now: NO_COORDINATOR after {@link TrothClientBuilder#connectTimeout}, when interrupted while waiting, and
     *     when the client is closed; OVERLOADED, or what else the coordinator names
     */
    public GlobalTransaction begin(TransactionOptions options) {
        checkOutside(options);
        return beginNow(options);
    }

    private GlobalTransaction beginNow(TransactionOptions options) {
        CompletableFuture<OpenTransaction> future = beginning(options, Function.identity());
        try {
            return new GlobalTransaction(engine, gateways, await(future), options).bound();
        } catch (RuntimeException e) {
            if (!future.completeExceptionally(e) && !future.isCompletedExceptionally()) {
                rollBackUnheard(future.join());
            }
            throw e;
        }
    }

    /** Who does not wait to the end completes the future: a transaction that begins all the same would be nobody's. */
    private <T> CompletableFuture<T> beginning(TransactionOptions options, Function<OpenTransaction, T> result) {
        CompletableFuture<T> future = new CompletableFuture<>();
        var unused = engine.begin(timeoutMillis(options)).whenComplete((open, failure) -> {
            if (failure != null) {
                future.completeExceptionally(failure);
            } else if (!future.complete(result.apply(open))) {
                rollBackUnheard(open);
            }
        });
        return future;
    }

    private void rollBackUnheard(OpenTransaction open) {
        var unused = engine.rollback(open, Reason.of(ErrorCode.ROLLED_BACK_BY_CLIENT));
    }

    /**
     * Begins a transaction that is bound to no thread: use {@link Transaction#bind()} or {@link Transaction#wrap}. One that
     * begins after the stage was cancelled, or completed in another way, is rolled back.
     */
    public CompletionStage<GlobalTransaction> beginAsync(TransactionOptions options) {
        try {
            checkOutside(options);
        } catch (TrothException e) {
            return CompletableFuture.failedFuture(e);
        }
        return beginning(options, open -> new GlobalTransaction(engine, gateways, open, options));
    }

    /**
     * Asks what became of a transaction of any client. Never ROLLED_BACK because nothing is found: without the token a
     * missing record proves nothing, and the answer is UNKNOWN then; so it is for one that has ended in place, without the
     * coordinator. May also be PENDING or FORGOTTEN.
     *
     * @throws TrothException OVERLOADED when 10,000 such questions of this client wait, NO_COORDINATOR when it is closed
     */
    public Outcome outcome(GlobalTxId tx) {
        return await(outcomeAsync(tx).toCompletableFuture());
    }

    /**
     * Asks what became of a transaction, waiting a while as long as it is PENDING. COMMITTED and ROLLED_BACK are certain.
     * UNKNOWN when no coordinator tells in time: ask again. It stays UNKNOWN after a commit in one phase whose database
     * connection or agent was lost, and after a loss of the coordinator's log. PENDING for one that is still open in this
     * client, or after that while in another, FORGOTTEN after the outcome retention.
     *
     * @throws TrothException as {@link #outcome(GlobalTxId)}
     */
    public Outcome outcome(OutcomeToken token) {
        return await(outcomeAsync(token).toCompletableFuture());
    }

    /** As {@link #outcome(GlobalTxId)}, without waiting. */
    public CompletionStage<Outcome> outcomeAsync(GlobalTxId tx) {
        return engine.outcome(tx, null).thenApply(Answer::outcome);
    }

    /** As {@link #outcome(OutcomeToken)}, without waiting. */
    public CompletionStage<Outcome> outcomeAsync(OutcomeToken token) {
        // A list without branches is no commit's: it is that of a token taken too early.
        CommitContent content =
                token.branches().isEmpty() ? null : new CommitContent(token.branches(), token.onePhaseAllowed());
        return engine.outcome(token.tx(), content).thenApply(Answer::outcome);
    }

    /** Waits a moment for commits that run; then everything open is rolled back, and the rest becomes UNKNOWN. */
    @Override
    public void close() {
        if (!engine.isLoopThread()) {
            try {
                engine.pendingCommits().get(CLOSE_WAIT_MILLIS, TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (ExecutionException | TimeoutException e) {
                // Then they become UNKNOWN.
            }
        }
        engine.close();
        gateways.close();
    }

    private <T, X extends Exception> T join(CallScope around, TransactionCall<T, X> call) throws X {
        if (around.isClosed()) {
            throw new TrothException(
                    new Reason(ErrorCode.SCOPE_CLOSED, "the call or transaction " + around.tx() + " has ended"));
        }
        try {
            return call.call(new ScopedTransaction(around, gateways));
        } catch (Throwable e) {
            around.setRollbackOnly(new Reason(ErrorCode.ROLLBACK_ONLY, "work that had joined it threw " + e));
            throw e;
        }
    }

    private <T, X extends Exception> T runOnce(TransactionOptions options, TransactionCall<T, X> call) throws X, Retry {
        try (GlobalTransaction tx = beginNow(options)) {
            T result;
            try {
                result = call.call(tx);
            } catch (Throwable e) {
                tx.rollback();
                if (e instanceof Exception exception && mayRepeat(exception, tx)) {
                    throw new Retry(exception);
                }
                throw e;
            }
            commitOrRetry(tx);
            return result;
        }
    }

    private static void commitOrRetry(GlobalTransaction tx) throws Retry {
        try {
            tx.commit();
        } catch (RolledBackException e) {
            if (e.isRetryable()) {
                throw new Retry(e);
            }
            throw e;
        }
    }

    /** Never after an outcome that is unknown, such as that of a separate transaction inside the work. */
    private static boolean mayRepeat(Exception failure, GlobalTransaction tx) {
        return !Failures.leaveAnOutcomeUnknown(failure)
                && (isRetryable(tx.rollbackReason()) || Failures.retryable(failure) != null);
    }

    private static boolean isRetryable(@Nullable Reason reason) {
        return reason != null && reason.code().retryable();
    }

    /** A certain rollback after which the work may be run again. Never leaves this class. */
    private static final class Retry extends Exception {

        private final Exception original;

        Retry(Exception original) {
            super(original);
            this.original = original;
        }

        /** What the work or the commit threw, which is an X or unchecked. */
        @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
        <X extends Exception> X original() {
            return (X) original;
        }
    }

    /** Returns false when the thread is interrupted: then its caller hears what the last attempt ended with. */
    private static boolean pause(int attempt) {
        long most = RETRY_MILLIS_MIN << Math.min(attempt, RETRY_DOUBLINGS_MAX);
        long millis = most / 2 + ThreadLocalRandom.current().nextLong(most / 2 + 1);
        try {
            // Not by the loop's timer: a loop that is closed meanwhile would never wake this thread. Nor by the common
            // pool, whose threads may all be busy with work of the application.
            return new CompletableFuture<Boolean>()
                    .completeOnTimeout(true, millis, TimeUnit.MILLISECONDS)
                    .get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    private long timeoutMillis(TransactionOptions options) {
        return options.timeout()
                .map(TimeUnit.MILLISECONDS::convert)
                .orElse(engine.settings().transactionTimeoutMillis());
    }

    private static void checkOutside(TransactionOptions options) {
        CallScope around = CallScope.current();
        if (around != null && !options.separate()) {
            throw new TrothException(
                    new Reason(ErrorCode.ALREADY_IN_TRANSACTION, "this thread or call runs under " + around.tx()));
        }
    }

    private <T> T await(CompletableFuture<T> future) {
        if (!future.isDone() && engine.isLoopThread()) {
            throw new IllegalStateException(
                    "this is the client's own thread, which brings the answer: do not wait here");
        }
        try {
            return future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TrothException(new Reason(ErrorCode.NO_COORDINATOR, "interrupted while waiting"), e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof TrothException known) {
                throw known;
            }
            throw new IllegalStateException(e.getCause());
        }
    }
}
