package io.troth.client;

import io.troth.core.GlobalTxId;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.Executor;

/**
 * A global transaction as the work under it sees it: no commit here, that is the owner's. Thread-safe.
 */
public interface Transaction {

    /** Its name everywhere: in logs, in the databases, on the operator's command line. */
    GlobalTxId id();

    /** What is left of its timeout; zero when it is over. */
    Duration remaining();

    /**
     * The transaction must not commit any more; everything else goes on. The first reason is kept.
     *
     * @throws io.troth.core.TrothException SCOPE_CLOSED when it is too late: the served call or the transaction has ended, and
     *     nothing was known against a commit
     */
    void setRollbackOnly(String why);

    /** Whether it is known here that it cannot commit any more: by {@link #setRollbackOnly}, or by something that failed. */
    boolean isRollbackOnly();

    /**
     * The task, running under the transaction on whatever thread. Commit waits for it once it has started. When it
     * outlives the call or transaction it fails with SCOPE_CLOSED.
     */
    Runnable wrap(Runnable task);

    /** As {@link #wrap(Runnable)}. */
    <T> Callable<T> wrap(Callable<T> task);

    /**
     * The executor, running its tasks under the transaction; commit waits for every task handed over. Give it to {@code
     * CompletableFuture.runAsync} and the like: a task that goes to another thread by itself is not part of the transaction.
     */
    Executor wrap(Executor executor);

    /**
     * SQL on a resource under this transaction, by way of the resource's agent.
     *
     * @throws IllegalStateException for a transaction of {@link GlobalTransaction#current()}, which knows no client: take
     *     that of {@link TrothClient#current()}
     */
    TransactionSql sql(String resource);

    /** Binds the transaction to the calling thread until the binding is closed there, innermost first. */
    Binding bind();

    /** A transaction bound to a thread. */
    @FunctionalInterface
    interface Binding extends AutoCloseable {

        /** Restores what was bound before. */
        @Override
        void close();
    }
}
