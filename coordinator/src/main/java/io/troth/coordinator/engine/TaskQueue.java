package io.troth.coordinator.engine;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/** What other threads hand to the engine thread, in the order in which it came. Thread-safe, never blocks. */
final class TaskQueue {

    /** Something to do on the engine thread. */
    interface Task {
        /** Does it and says how many events that was worth. */
        int run();

        /** The engine has stopped before it came to it. */
        default void dropped() {}
    }

    private final Queue<Task> tasks = new ConcurrentLinkedQueue<>();
    private volatile boolean closed;
    private volatile Runnable waker = () -> {};

    void wakeWith(Runnable wakes) {
        waker = wakes;
    }

    /** Hands it over; nothing is to be done when it is dropped. */
    void offer(Task task) {
        tasks.add(task);
        if (closed) {
            dropAll();
        } else {
            waker.run();
        }
    }

    /** Hands it over; {@code dropped} runs instead of it, on any thread, when the engine has stopped. */
    void offer(Task task, Runnable dropped) {
        offer(new Task() {
            @Override
            public int run() {
                return task.run();
            }

            @Override
            public void dropped() {
                dropped.run();
            }
        });
    }

    /** Something changed that is not in the queue. */
    void wake() {
        waker.run();
    }

    /** The next one, null when there is none. Engine thread only. */
    @Nullable
    Task poll() {
        return tasks.poll();
    }

    boolean isEmpty() {
        return tasks.isEmpty();
    }

    /** Drops what is in it, and whatever comes from now on. */
    void close() {
        closed = true;
        dropAll();
    }

    private void dropAll() {
        for (Task task = tasks.poll(); task != null; task = tasks.poll()) {
            task.dropped();
        }
    }
}
