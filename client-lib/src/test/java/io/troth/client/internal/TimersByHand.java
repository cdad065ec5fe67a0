package io.troth.client.internal;

import java.util.ArrayDeque;
import java.util.Queue;

/** A loop on the test's own thread, whose timers go off when the test takes them. */
final class TimersByHand implements Loop {

    private final Queue<Runnable> timers = new ArrayDeque<>();

    /** Runs what was scheduled first. */
    void next() {
        timers.remove().run();
    }

    /** Runs what is scheduled by now. */
    void all() {
        for (int left = timers.size(); left > 0; left--) {
            next();
        }
    }

    @Override
    public void execute(Runnable task) {
        task.run();
    }

    @Override
    public void schedule(Runnable task, long delayMillis) {
        timers.add(task);
    }

    @Override
    public boolean isCurrentThread() {
        return false;
    }

    @Override
    public void close() {}
}
