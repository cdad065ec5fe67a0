package io.troth.agent.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The threads that end branches at the database: at most two for each pooled connection, one to end its branch and one to
 * cancel its statement, so that no branch waits for another one. Thread-safe.
 */
final class BranchWorkers implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(BranchWorkers.class);

    private static final long IDLE_SECONDS = 30;
    private static final long CLOSE_SECONDS = 5;

    private final ThreadPoolExecutor workers;
    private final ScheduledThreadPoolExecutor watchdog;
    private final long hangMillis;

    BranchWorkers(PoolSettings settings, ThreadFactory threads) {
        this.hangMillis = settings.hangMillis();
        this.workers = bounded(2 * settings.branches(), threads);
        this.watchdog = new ScheduledThreadPoolExecutor(1, threads);
        watchdog.setRemoveOnCancelPolicy(true);
    }

    /** Threads that end when they have nothing to do; what waits for them is bounded by the branches there are. */
    static ThreadPoolExecutor bounded(int threadsMax, ThreadFactory threads) {
        ThreadPoolExecutor executor = new ThreadPoolExecutor(
                threadsMax, threadsMax, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), threads);
        executor.allowCoreThreadTimeOut(true);
        return executor;
    }

    void execute(Runnable task) {
        workers.execute(task);
    }

    /**
     * Does work on a connection, on the calling thread, and hands the result over exactly once. When the driver throws, or
     * has not returned after the time for it, the connection is cut and the result is what {@code lost} makes of it. After
     * the close the work is not begun, with the same result: nobody would guard it.
     */
    <T> void run(Connection connection, Supplier<T> work, Function<String, T> lost, Consumer<T> done) {
        AtomicBoolean answered = new AtomicBoolean();
        Consumer<String> cut = why -> {
            if (answered.compareAndSet(false, true)) {
                abort(connection);
                done.accept(lost.apply(why));
            }
        };
        ScheduledFuture<?> guard;
        try {
            guard = watchdog.schedule(
                    () -> cut.accept("the driver did not return within " + hangMillis + " ms"),
                    hangMillis,
                    TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            cut.accept("the agent has stopped");
            return;
        }
        T result;
        try {
            result = work.get();
        } catch (RuntimeException e) {
            LOG.error("a driver threw", e);
            result = lost.apply("the driver threw " + e);
        }
        guard.cancel(false);
        if (answered.compareAndSet(false, true)) {
            done.accept(result);
        }
    }

    /** Asks the database to end a running statement, on another thread. */
    void cancel(Statement running) {
        workers.execute(() -> {
            try {
                running.cancel();
            } catch (SQLException | RuntimeException e) {
                LOG.debug("a running statement could not be cancelled; its connection will be cut", e);
            }
        });
    }

    /** Cuts a connection, also under a running call. */
    void abort(Connection connection) {
        try {
            connection.abort(Runnable::run);
        } catch (SQLException | RuntimeException e) {
            LOG.debug("a connection could not be cut; it is closed instead", e);
        }
    }

    @Override
    public void close() {
        close(workers);
        watchdog.shutdownNow();
    }

    static void close(ThreadPoolExecutor executor) {
        executor.shutdown();
        try {
            if (!executor.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
                executor.shutdownNow();
            }
        } catch (InterruptedException e) {
            executor.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }
}
