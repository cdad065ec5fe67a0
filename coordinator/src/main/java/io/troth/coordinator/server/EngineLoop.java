package io.troth.coordinator.server;

import io.troth.coordinator.engine.CoordinatorEngine;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Runs an engine's turns on a single thread that does other things, too: an event loop of gRPC. What came in on that loop
 * is stepped in the same round of it, and what the engine says leaves in the same round, without a thread that must be
 * woken in between; streams of other loops hand over as any thread does. It ends when the engine has stopped: after {@link
 * CoordinatorEngine#drain}, or because it had to. Thread-safe.
 */
public final class EngineLoop {

    private final CoordinatorEngine engine;
    private final ScheduledExecutorService loop;
    private final CountDownLatch ended = new CountDownLatch(1);
    /** A turn waits in the loop's queue. */
    private final AtomicBoolean asked = new AtomicBoolean();

    // On the loop only.
    private @Nullable ScheduledFuture<?> alarm;

    /**
     * Nothing runs yet.
     *
     * @param loop has one thread, which becomes the engine thread; it must not end before the engine
     */
    public EngineLoop(CoordinatorEngine engine, ScheduledExecutorService loop) {
        this.engine = engine;
        this.loop = loop;
    }

    /** Begins to run turns, which nobody else does. Once; the engine has been started. */
    public void start() {
        engine.wakeWith(this::ask);
        ask();
    }

    /**
     * Waits until the engine has stopped and its last turn is over. Not on the loop.
     *
     * @return false when that has not come in this time
     */
    public boolean join(long limitMillis) throws InterruptedException {
        return ended.await(limitMillis, TimeUnit.MILLISECONDS);
    }

    private void ask() {
        // The look first: most of what is handed over finds a turn that waits already.
        if (!asked.get() && asked.compareAndSet(false, true)) {
            try {
                loop.execute(this::turn);
            } catch (RejectedExecutionException e) {
                // The loop has ended, and with it every stream: the process is on its way out.
            }
        }
    }

    /** One turn; what else the loop has to do comes before the next one. */
    private void turn() {
        // First the mark, then the look: what is handed over from here on is either seen by this turn or asks for
        // another.
        asked.set(false);
        engine.runOnce();
        if (engine.isStopped()) {
            if (alarm != null) {
                alarm.cancel(false);
            }
            ended.countDown();
            return;
        }
        long nanos = engine.nanosToNextTurn();
        if (nanos <= 0) {
            ask();
        } else if (nanos < Long.MAX_VALUE) {
            wakeWithin(nanos);
        }
    }

    /** An alarm that comes too early is a turn with nothing to do, which sets the next one. */
    private void wakeWithin(long nanos) {
        ScheduledFuture<?> set = alarm;
        if (set != null) {
            if (set.getDelay(TimeUnit.NANOSECONDS) <= nanos) {
                return;
            }
            set.cancel(false);
        }
        alarm = loop.schedule(this::alarmed, nanos, TimeUnit.NANOSECONDS);
    }

    /** The alarm is over before its turn, which sets the next one: while it runs it does not count as done. */
    private void alarmed() {
        alarm = null;
        turn();
    }
}
