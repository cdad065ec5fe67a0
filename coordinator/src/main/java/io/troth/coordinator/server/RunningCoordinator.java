package io.troth.coordinator.server;

import java.time.Duration;

/** A coordinator that was started: alone, or as a member of a cluster. Thread-safe. */
public interface RunningCoordinator extends AutoCloseable {

    /** One line for people and for programs that wait for it. */
    String startedLine();

    /** Waits until it has ended: by itself, which still wants a {@link #close}, or by {@link #stop}. */
    Ending awaitTermination();

    /**
     * Begins no new transaction, lets the running ones end, at most this long, and closes everything. What has not ended
     * then is finished or rolled back by the next leader.
     *
     * @return true when every transaction had ended
     */
    boolean stop(Duration drainLimit);

    /** Stops at once. Idempotent. */
    @Override
    void close();
}
