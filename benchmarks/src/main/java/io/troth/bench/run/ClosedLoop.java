package io.troth.bench.run;

import io.troth.bench.contender.Running;
import io.troth.bench.contender.Work;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Keeps so many transactions in flight: whoever ends starts the next, until the time or the number is over. Blocking
 * callers have a thread each; asynchronous ones go on where their answer comes.
 */
final class ClosedLoop {

    private static final long LATENCY_NANOS_MIN = 1_000;
    private static final long LATENCY_NANOS_MAX = 600_000_000_000L;
    private static final int LATENCY_DIGITS = 3;
    private static final int TIMELINE_SLOTS = 20_000;
    private static final long FAILURE_PAUSE_MILLIS = 20;
    private static final Duration PROGRESS = Duration.ofSeconds(10);

    /** For what goes on after a failure. */
    private static final Executor LATER =
            CompletableFuture.delayedExecutor(FAILURE_PAUSE_MILLIS, TimeUnit.MILLISECONDS);

    private final Running contender;
    private final Mix mix;
    private final AtomicLong numbers;
    private final int inFlight;

    /** How many may still start. */
    private final AtomicLong budget;

    private final AtomicBoolean stopped = new AtomicBoolean();
    private final CountDownLatch ended;
    private final Histogram latency = new ConcurrentHistogram(LATENCY_NANOS_MIN, LATENCY_NANOS_MAX, LATENCY_DIGITS);
    private final AtomicLongArray timeline = new AtomicLongArray(TIMELINE_SLOTS);
    private final AtomicLong committed = new AtomicLong();
    private final AtomicLong failed = new AtomicLong();
    private final Ledger ledger;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private volatile long startNanos;

    /**
     * A loop that has not begun.
     *
     * @param numbers counts the transactions of the whole run
     * @param transactions after how many it ends; {@link Long#MAX_VALUE} for never
     */
    ClosedLoop(Running contender, Mix mix, AtomicLong numbers, int inFlight, long transactions) {
        this.contender = contender;
        this.mix = mix;
        this.numbers = numbers;
        this.inFlight = inFlight;
        this.ledger = new Ledger(mix.databases());
        this.budget = new AtomicLong(transactions);
        this.ended = new CountDownLatch(inFlight);
    }

    /** Begins. */
    void start() {
        startNanos = System.nanoTime();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < inFlight; i++) {
            if (contender.isAsync()) {
                new Slot().next();
            } else {
                threads.add(new Thread(this::blocking, "bench-caller-" + i));
            }
        }
        threads.forEach(thread -> {
            thread.setDaemon(true);
            thread.start();
        });
    }

    /** Nothing is started any more. */
    void stop() {
        stopped.set(true);
    }

    /**
     * Waits until nothing is in flight.
     *
     * @param limit how long it goes on when nothing ends
     * @param progress runs now and then
     * @throws IllegalStateException when nothing has ended for so long
     */
    void awaitEnd(Duration limit, Runnable progress) throws InterruptedException {
        long since = System.nanoTime();
        long before = -1;
        while (!awaitEnd(limit.compareTo(PROGRESS) < 0 ? limit : PROGRESS)) {
            progress.run();
            long now = committed() + failed();
            if (now == before && System.nanoTime() - since >= limit.toNanos()) {
                stop();
                throw stuck(limit);
            }
            since = now == before ? since : System.nanoTime();
            before = now;
        }
    }

    private IllegalStateException stuck(Duration limit) {
        return new IllegalStateException(ended.getCount() + " are in flight, and none has ended for "
                + limit.toSeconds() + " s; the first failure: " + failure());
    }

    /** Waits until nothing is in flight, but not longer than this; returns whether nothing is. */
    boolean awaitEnd(Duration atMost) throws InterruptedException {
        return ended.await(atMost.toNanos(), TimeUnit.NANOSECONDS);
    }

    /**
     * Waits until at least one has ended, so that a turn on a machine that is far too busy says something at all.
     *
     * @throws IllegalStateException when none has after so long
     */
    void awaitFirst(Duration limit) throws InterruptedException {
        long start = System.nanoTime();
        while (committed.get() + failed.get() == 0 && ended.getCount() > 0) {
            if (System.nanoTime() - start > limit.toNanos()) {
                throw stuck(limit);
            }
            Thread.sleep(1);
        }
    }

    /** How many have ended well so far. */
    long committed() {
        return committed.get();
    }

    long failed() {
        return failed.get();
    }

    /** What its transactions must have changed so far. */
    Ledger ledger() {
        return ledger;
    }

    /** The first failure; null when there was none. */
    @Nullable
    Throwable failure() {
        return failure.get();
    }

    /**
     * What was counted up to one moment, apart from what ended while it was looked at.
     *
     * @param nanos since the start
     */
    record Counted(long nanos, long committed, long failed, Histogram latency, List<Long> timeline) {}

    /** Copies what was counted so far. */
    Counted counted() {
        long nanos = System.nanoTime() - startNanos;
        return new Counted(nanos, committed.get(), failed.get(), latency.copy(), timeline(nanos));
    }

    private List<Long> timeline(long nanos) {
        int slots = (int) Math.min(TIMELINE_SLOTS, nanos / 1_000_000 / Turn.TIMELINE_MILLIS);
        List<Long> copy = new ArrayList<>(slots);
        for (int i = 0; i < slots; i++) {
            copy.add(timeline.get(i));
        }
        return copy;
    }

    private boolean mayStart() {
        return !stopped.get() && budget.getAndDecrement() > 0;
    }

    private void blocking() {
        SplittableRandom random = new SplittableRandom(System.nanoTime());
        while (mayStart()) {
            Work work = mix.next(numbers.incrementAndGet(), random);
            long begin = System.nanoTime();
            try {
                contender.run(work);
                succeeded(work, begin);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                failed(work, e);
                break;
            } catch (Exception e) {
                failed(work, e);
            }
        }
        ended.countDown();
    }

    private void succeeded(Work work, long begin) {
        long now = System.nanoTime();
        latency.recordValue(Math.min(LATENCY_NANOS_MAX, Math.max(LATENCY_NANOS_MIN, now - begin)));
        timeline.incrementAndGet(
                (int) Math.min(TIMELINE_SLOTS - 1, (now - startNanos) / 1_000_000 / Turn.TIMELINE_MILLIS));
        committed.incrementAndGet();
        ledger.succeeded(work);
    }

    private void failed(Work work, Throwable cause) {
        failed.incrementAndGet();
        ledger.failed(work);
        failure.compareAndSet(null, cause);
    }

    /** One of the transactions in flight, and the next one after it. */
    private final class Slot {

        private final SplittableRandom random = new SplittableRandom(System.nanoTime() + numbers.get());

        /** Loops instead of calling itself as long as answers are there at once. */
        void next() {
            boolean again = true;
            while (again) {
                if (!mayStart()) {
                    ended.countDown();
                    return;
                }
                again = startOne();
            }
        }

        /** Whether it has ended already. */
        private boolean startOne() {
            Work work = mix.next(numbers.incrementAndGet(), random);
            long begin = System.nanoTime();
            CompletionStage<?> stage;
            try {
                stage = contender.submit(work);
            } catch (RuntimeException e) {
                failed(work, e);
                LATER.execute(this::next);
                return false;
            }
            // Whoever comes second goes on: the answer, or this method.
            AtomicBoolean first = new AtomicBoolean(true);
            stage.whenComplete((result, cause) -> {
                if (cause == null) {
                    succeeded(work, begin);
                } else {
                    failed(work, cause);
                    // This may be the only thread that brings answers, and what failed may fail again at once.
                    LATER.execute(this::next);
                    return;
                }
                if (!first.compareAndSet(true, false)) {
                    next();
                }
            });
            return !first.compareAndSet(true, false);
        }
    }
}
