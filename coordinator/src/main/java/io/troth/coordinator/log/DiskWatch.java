package io.troth.coordinator.log;

import io.troth.coordinator.engine.LogListener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Looks at the disk from outside the log thread, which hangs when the disk does: is a write taking too long, is there
 * enough space. Has a thread for each of the two questions: a disk that hangs may not answer the second one either.
 */
public final class DiskWatch implements AutoCloseable {

    private static final long SPACE_CHECK_MILLIS = 1_000;

    private final LogListener listener;
    private final LongSupplier nanoTime;
    private final LongSupplier freeBytes;
    private final long stallLimitNanos;
    private final long freeFloorBytes;
    private final ScheduledExecutorService executor;
    private final Object lock = new Object();

    // Guarded by lock.
    private boolean writing;
    private long writeStartNanos;
    private boolean stalled;
    private boolean ended;

    // Only by the check of the space.
    private boolean aboveFloor = true;

    /** Starts watching at once. */
    public DiskWatch(
            LogListener listener,
            LongSupplier nanoTime,
            LongSupplier freeBytes,
            ThreadFactory threads,
            long stallLimitMillis,
            long freeFloorBytes) {
        this.listener = listener;
        this.nanoTime = nanoTime;
        this.freeBytes = freeBytes;
        this.stallLimitNanos = TimeUnit.MILLISECONDS.toNanos(stallLimitMillis);
        this.freeFloorBytes = freeFloorBytes;
        this.executor = Executors.newScheduledThreadPool(2, threads);
        long stallCheckMillis = Math.max(1, Math.min(SPACE_CHECK_MILLIS, stallLimitMillis / 4));
        repeat(this::checkSpace, SPACE_CHECK_MILLIS);
        repeat(this::checkStall, stallCheckMillis);
    }

    /** The free space of the disk of a data directory, which exists. */
    public static LongSupplier freeBytes(LogSettings settings) {
        try {
            FileStore store = Files.getFileStore(settings.directory());
            return () -> {
                try {
                    return store.getUsableSpace();
                } catch (NoSuchFileException e) {
                    // Not for want of space: the log fails, and says so.
                    return Long.MAX_VALUE;
                } catch (IOException e) {
                    // A disk that cannot be asked is not one to begin transactions on.
                    return 0;
                }
            };
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Checks do not throw: an executor would silently stop repeating them. */
    @SuppressWarnings("FutureReturnValueIgnored")
    private void repeat(Runnable check, long millis) {
        executor.scheduleWithFixedDelay(check, 0, millis, TimeUnit.MILLISECONDS);
    }

    /** A write begins. One thread at a time. */
    public void writeBegins() {
        synchronized (lock) {
            writing = true;
            writeStartNanos = nanoTime.getAsLong();
        }
    }

    /** The write has returned; says how many nanoseconds it took. One thread at a time. */
    public long writeReturned() {
        synchronized (lock) {
            writing = false;
            if (stalled) {
                stalled = false;
                if (!ended) {
                    listener.stalled(false);
                }
            }
            return nanoTime.getAsLong() - writeStartNanos;
        }
    }

    /** Nothing more is reported: the log has failed or is closed. */
    public void end() {
        synchronized (lock) {
            ended = true;
        }
        executor.shutdownNow();
    }

    private void checkStall() {
        synchronized (lock) {
            boolean late = writing && nanoTime.getAsLong() - writeStartNanos > stallLimitNanos;
            if (late && !stalled && !ended) {
                stalled = true;
                listener.stalled(true);
            }
        }
    }

    private void checkSpace() {
        long free = freeBytes.getAsLong();
        boolean above = free >= freeFloorBytes;
        synchronized (lock) {
            if (above != aboveFloor && !ended) {
                aboveFloor = above;
                listener.free(above, free);
            }
        }
    }

    @Override
    public void close() {
        end();
    }
}
