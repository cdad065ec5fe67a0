package io.troth.coordinator.server;

import io.troth.coordinator.engine.CoordinatorEngine;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.LockSupport;

/**
 * The engine thread: runs turns while there is something to do, and sleeps until something is handed over or a timer is
 * due. It ends when the engine has stopped: after {@link CoordinatorEngine#drain}, or because it had to. Thread-safe.
 */
public final class EngineThread {

    private final CoordinatorEngine engine;
    private final Thread thread;
    /** True while the thread sleeps, or is about to look once more before it does: whoever hands over must wake it. */
    private volatile boolean sleepy;

    /** Makes the thread; the engine has been started, and nobody else runs it. */
    public EngineThread(CoordinatorEngine engine, ThreadFactory threads) {
        this.engine = engine;
        thread = threads.newThread(this::run);
        engine.wakeWith(this::wake);
    }

    /** Begins to run turns. Once. */
    public void start() {
        thread.start();
    }

    /**
     * Waits for the thread to end.
     *
     * @return false when it has not ended in this time
     */
    public boolean join(long limitMillis) throws InterruptedException {
        thread.join(Math.max(1, limitMillis));
        return !thread.isAlive();
    }

    private void wake() {
        if (sleepy) {
            LockSupport.unpark(thread);
        }
    }

    private void run() {
        while (!engine.isStopped()) {
            if (engine.runOnce()) {
                continue;
            }
            // First sleepy, then the look: what is handed over in between is either seen here or wakes.
            sleepy = true;
            long nanos = engine.nanosToNextTurn();
            if (nanos == Long.MAX_VALUE) {
                LockSupport.park(this);
            } else if (nanos > 0) {
                LockSupport.parkNanos(this, nanos);
            }
            sleepy = false;
            // An interrupt means nothing here, and a thread that has one would never sleep again.
            Thread.interrupted();
        }
    }
}
