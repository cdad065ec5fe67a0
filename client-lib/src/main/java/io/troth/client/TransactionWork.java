package io.troth.client;

/** Work under a transaction. */
@FunctionalInterface
public interface TransactionWork<X extends Exception> {

    /** Runs with the transaction bound to the thread. An exception rolls it back. */
    void run(Transaction tx) throws X;
}
