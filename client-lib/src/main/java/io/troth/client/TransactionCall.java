package io.troth.client;

/**
 * Work under a transaction that has a result.
 *
 * @param <T> its result
 * @param <X> what it throws; the compiler finds {@code RuntimeException} where it throws nothing checked
 */
@FunctionalInterface
public interface TransactionCall<T, X extends Exception> {

    /** Runs with the transaction bound to the thread. An exception rolls it back. */
    T call(Transaction tx) throws X;
}
