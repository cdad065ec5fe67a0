package io.troth.bench.contender;

import java.io.IOException;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/** A contender that was opened. Thread-safe: up to {@link Environment#inFlight()} transactions run at once. */
public interface Running extends AutoCloseable {

    /**
     * Runs one transaction on the calling thread and returns when it is committed at every resource.
     *
     * @throws Exception when it did not commit; the harness counts it, and a run with more than a few is invalid
     */
    default void run(Work work) throws Exception {
        submit(work).toCompletableFuture().join();
    }

    /** Whether the harness is to call {@link #submit} instead of {@link #run}; the description says so, too. */
    default boolean isAsync() {
        return false;
    }

    /** As {@link #run}, without waiting. Called on one thread, and on those that complete earlier stages. */
    default CompletionStage<?> submit(Work work) {
        throw new UnsupportedOperationException("only blocking callers");
    }

    /** How often the contender has forced its own log since it was opened; counted, not computed. */
    long forcedWrites();

    /** The contender's processes outside of this JVM, by a short name, with their process ids. */
    default Map<String, Long> processes() {
        return Map.of();
    }

    /** Ends it and everything it has started; nothing of it may be prepared in a database afterwards. */
    @Override
    void close() throws IOException, SQLException;
}
