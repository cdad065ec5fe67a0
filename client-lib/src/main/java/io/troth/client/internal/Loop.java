package io.troth.client.internal;

import java.util.concurrent.Executor;

/**
 * The one thread of a client: it reads and writes the stream and runs the timers. Tasks must not block. Thread-safe.
 */
interface Loop extends Executor {

    /** Runs the task on the loop's thread after the delay. Dropped when the loop is closed. */
    void schedule(Runnable task, long delayMillis);

    /** True on the loop's own thread, where nothing may wait for the loop. */
    boolean isCurrentThread();

    /** Stops the thread soon; what was handed over before still runs. */
    void close();
}
