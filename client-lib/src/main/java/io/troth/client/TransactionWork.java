package io.troth.client;

/**
 * Work under a transaction.
 *
 * @param <X> what it throws; the compiler finds {@code RuntimeException} where it throws nothing checked
 */
@FunctionalInterface
public interface TransactionWork<X extends Exception> {

    /** Runs with the transaction bound to the thread. An exception rolls it back. */
    void run(Transaction tx) throws X;
}
