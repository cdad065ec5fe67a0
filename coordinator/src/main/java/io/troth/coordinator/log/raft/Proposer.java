package io.troth.coordinator.log.raft;

import io.troth.coordinator.log.DiskWatch;
import io.troth.coordinator.log.LogEnvironment;
import io.troth.coordinator.log.ReplicatedEntry;
import io.troth.core.coordinator.LogRecord;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Makes entries of what a leader appends, and sends them, a few at a time. One thread of its own; ends at {@link #stop},
 * or at the first entry whose end is unknown.
 *
 * <p>Records that are ready together share an entry, as those of a single node share a batch; a lazy one waits for a
 * forced one, or for the idle time.
 */
final class Proposer {

    /** One entry has about so many bytes at most. */
    static final int ENTRY_BYTES_MAX = 1 << 20;

    /** Either a record or a purge. */
    private record Item(@Nullable LogRecord record, LogRecord.@Nullable Horizon purge, boolean forced) {}

    /** An entry on its way. */
    private record Outgoing(ReplicatedEntry entry, long sentNanos) {}

    private final RaftSettings settings;
    private final LogEnvironment environment;
    private final long term;
    private final EntrySender sender;
    private final DiskWatch watch;
    private final Consumer<Throwable> unknown;
    private final Thread thread;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    // Guarded by lock.
    private final Deque<Item> waiting = new ArrayDeque<>();
    private int urgent;
    private long firstWaitsSinceNanos;
    private long lastSentNanos;
    private int inFlight;
    private boolean stopping;
    private boolean ended;

    /** {@code unknown} hears, on any thread and perhaps more than once, that an entry's end is not known. */
    Proposer(
            RaftSettings settings,
            LogEnvironment environment,
            long term,
            EntrySender sender,
            DiskWatch watch,
            Consumer<Throwable> unknown) {
        this.settings = settings;
        this.environment = environment;
        this.term = term;
        this.sender = sender;
        this.watch = watch;
        this.unknown = unknown;
        lastSentNanos = environment.nanoTime().getAsLong();
        thread = environment.threads().newThread(this::run);
    }

    void start() {
        thread.start();
    }

    /** Any thread. */
    void append(LogRecord record, boolean forced) {
        add(new Item(record, null, forced));
    }

    /** Any thread. */
    void purge(LogRecord.Horizon horizon) {
        add(new Item(null, horizon, true));
    }

    private void add(Item item) {
        lock.lock();
        try {
            if (stopping || ended) {
                return;
            }
            if (waiting.isEmpty()) {
                firstWaitsSinceNanos = environment.nanoTime().getAsLong();
            }
            waiting.add(item);
            urgent += item.forced() ? 1 : 0;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Nothing is sent any more. Any thread, does not wait. */
    void end() {
        lock.lock();
        try {
            ended = true;
            waiting.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        watch.end();
    }

    /** Sends what waits, and waits until all of it is applied, or this has ended; at most this long. Any other thread. */
    void stop(long limitNanos) {
        long left = limitNanos;
        lock.lock();
        try {
            stopping = true;
            changed.signalAll();
            while (!ended && left > 0 && !(waiting.isEmpty() && inFlight == 0)) {
                left = changed.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
        end();
    }

    private void run() {
        try {
            for (Outgoing outgoing = next(); outgoing != null; outgoing = next()) {
                send(outgoing);
            }
        } catch (Throwable e) {
            fail(e);
        }
    }

    /** Waits until there is something to send and room for it; null at the end. */
    private @Nullable Outgoing next() throws InterruptedException {
        lock.lock();
        try {
            while (!ended) {
                long nanos = inFlight < settings.entriesInFlightMax() ? nanosToNext() : Long.MAX_VALUE;
                if (nanos <= 0) {
                    return take();
                }
                // A forced record in the meantime signals.
                long unused = changed.awaitNanos(nanos);
            }
            return null;
        } finally {
            lock.unlock();
        }
    }

    private long nanosToNext() {
        if (urgent > 0 || waiting.size() >= settings.log().recordsPerBatchMax() || (stopping && !waiting.isEmpty())) {
            return 0;
        }
        long now = environment.nanoTime().getAsLong();
        long keepAlive = TimeUnit.MILLISECONDS.toNanos(settings.keepAliveMillis()) - (now - lastSentNanos);
        if (waiting.isEmpty()) {
            return keepAlive;
        }
        return TimeUnit.MILLISECONDS.toNanos(settings.log().lazyIdleMillis()) - (now - firstWaitsSinceNanos);
    }

    /** What waits, as far as one entry goes; a purge is an entry of its own. */
    private Outgoing take() {
        List<LogRecord> records = new ArrayList<>();
        LogRecord.Horizon purge = null;
        long bytes = 0;
        while (!waiting.isEmpty()
                && purge == null
                && records.size() < settings.log().recordsPerBatchMax()) {
            Item item = waiting.element();
            if (item.purge() != null && !records.isEmpty()) {
                break;
            }
            if (item.record() != null) {
                bytes += ReplicatedEntry.bytes(item.record());
                if (bytes > ENTRY_BYTES_MAX && !records.isEmpty()) {
                    break;
                }
                records.add(item.record());
            }
            purge = item.purge();
            urgent -= item.forced() ? 1 : 0;
            waiting.remove();
        }
        lastSentNanos = environment.nanoTime().getAsLong();
        if (inFlight++ == 0) {
            watch.writeBegins();
        }
        return new Outgoing(new ReplicatedEntry(term, records, purge), lastSentNanos);
    }

    private void send(Outgoing outgoing) {
        CompletableFuture<Void> unused = sender.send(outgoing.entry().encode())
                .thenRun(() -> landed(outgoing))
                .whenComplete((landed, cause) -> {
                    // Whatever was thrown: an entry that has landed unseen would be on its way for ever.
                    if (cause != null) {
                        fail(cause);
                    }
                });
    }

    private void landed(Outgoing outgoing) {
        int records = outgoing.entry().records().size();
        if (records > 0) {
            long nanos = environment.nanoTime().getAsLong() - outgoing.sentNanos();
            environment.observer().written(records, true, nanos);
        }
        lock.lock();
        try {
            inFlight--;
            watch.writeReturned();
            if (inFlight > 0) {
                watch.writeBegins();
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void fail(Throwable cause) {
        end();
        unknown.accept(cause);
    }
}
