package io.troth.client;

import java.util.Iterator;
import java.util.stream.Stream;

/**
 * The rows of a query as they arrive; a few messages are read ahead, never all. Must be closed: until then, or until
 * the last row was taken, the transaction cannot commit. Closing early keeps the transaction: the gateway still tells
 * what was done. Iterable once, by one thread at a time, not on the library's own threads.
 *
 * <p>Taking a row throws what {@link TransactionSql#update} throws.
 */
public interface SqlRows extends Iterable<SqlRow>, AutoCloseable {

    @Override
    Iterator<SqlRow> iterator();

    /** The rows as a stream, instead of the iterator, which closes them when it is closed. */
    Stream<SqlRow> stream();

    /** Gives up what was not taken, and waits for the gateway's word on the transaction. Closing again does nothing. */
    @Override
    void close();
}
