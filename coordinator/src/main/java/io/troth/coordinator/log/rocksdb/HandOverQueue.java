package io.troth.coordinator.log.rocksdb;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What other threads hand over to one thread, in order. The thread sleeps while there is nothing, but not at once where
 * little comes quickly: then it looks again and again for a moment, and lets others run in between.
 *
 * <p>Waking a thread costs both sides, most where the processor has gone to sleep with it, as in a virtual machine, and a
 * transaction that runs alone waits for each wake. Looking costs no more than that as long as waits are short. One that was
 * not ends it, so that a log with little to do lets the processor sleep; and where much comes at once few wakes serve it
 * all. (Linux's {@code haltpoll} and KVM wait like this for a processor.)
 */
final class HandOverQueue<T> {

    /** A wait up to here is short. */
    static final long SHORT_NANOS = TimeUnit.MICROSECONDS.toNanos(200);

    /** More between two waits is much. */
    static final int FEW = 4;

    private final BlockingQueue<T> queue = new LinkedBlockingQueue<>();
    private final LongSupplier nanoTime;
    private final Runnable pause;
    private final boolean mayLook;

    // The taking thread only.
    private boolean lastWaitWasShort = true;
    private int takenSince;

    /**
     * @param nanoTime a monotonic clock
     * @param pause lets other threads run for a moment
     * @param processors how many there are: on one alone nobody can hand over while this thread looks
     */
    HandOverQueue(LongSupplier nanoTime, Runnable pause, int processors) {
        this.nanoTime = nanoTime;
        this.pause = pause;
        this.mayLook = processors > 1;
    }

    /** Any thread. */
    void add(T item) {
        queue.add(item);
    }

    /** What is there, or null. The taking thread. */
    @Nullable
    T poll() {
        T item = queue.poll();
        if (item != null) {
            takenSince++;
        }
        return item;
    }

    /** Waits at most this long; null when nothing has come. The taking thread. */
    @Nullable
    T poll(long limitNanos) throws InterruptedException {
        T item = poll();
        if (item != null) {
            return item;
        }
        boolean looks = mayLook && lastWaitWasShort && takenSince <= FEW;
        long begin = nanoTime.getAsLong();
        long waited = 0;
        while (looks && item == null && waited < Math.min(SHORT_NANOS, limitNanos)) {
            pause.run();
            item = queue.poll();
            waited = nanoTime.getAsLong() - begin;
        }
        if (item == null) {
            item = queue.poll(limitNanos - waited, TimeUnit.NANOSECONDS);
            waited = nanoTime.getAsLong() - begin;
        }
        lastWaitWasShort = item != null && waited <= SHORT_NANOS;
        takenSince = item == null ? 0 : 1;
        return item;
    }

    /** Any thread. */
    void clear() {
        queue.clear();
    }
}
