package io.troth.agent.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
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
    private static final long CUT_MILLIS = 500;

    /** How often the watchdog looks within the time that a call may take. */
    private static final int LOOKS = 8;

    private final ThreadPoolExecutor workers;
    private final ScheduledExecutorService watchdog;
    private final ThreadFactory threads;
    private final long hangMillis;

    /** What runs on connections. One look at all of them costs less than a timer for each, which wakes a thread. */
    private final Set<Work<?>> running = ConcurrentHashMap.newKeySet();

    /** How often the watchdog has looked. */
    private final AtomicLong looks = new AtomicLong();

    private volatile boolean closed;

    BranchWorkers(PoolSettings settings, ThreadFactory threads) {
        this.threads = threads;
        this.hangMillis = settings.hangMillis();
        this.workers = bounded(2 * settings.branches(), threads);
        this.watchdog = Executors.newSingleThreadScheduledExecutor(threads);
        long micros = TimeUnit.MILLISECONDS.toMicros(hangMillis) / LOOKS;
        var unused = watchdog.scheduleWithFixedDelay(this::look, micros, micros, TimeUnit.MICROSECONDS);
    }

    /** What has run for {@value #LOOKS} whole intervals has had its time. Does not throw: it would be the last look. */
    private void look() {
        long now = looks.incrementAndGet();
        running.stream().filter(work -> now - work.began > LOOKS).forEach(this::giveUp);
    }

    private void giveUp(Work<?> work) {
        running.remove(work);
        try {
            work.cut("the driver did not return within " + hangMillis + " ms");
        } catch (RuntimeException | Error e) {
            LOG.error("the result of a call that was cut could not be handed over", e);
        }
    }

    /** A piece of work on a connection, whose result is handed over exactly once. */
    private final class Work<T> {

        private final Connection connection;
        private final Function<String, T> lost;
        private final Consumer<T> handOver;
        private final Consumer<T> done;
        private final AtomicBoolean answered = new AtomicBoolean();
        private final long began = looks.get();

        Work(Connection connection, Function<String, T> lost, Consumer<T> handOver, Consumer<T> done) {
            this.connection = connection;
            this.lost = lost;
            this.handOver = handOver;
            this.done = done;
        }

        void cut(String why) {
            if (answered.compareAndSet(false, true)) {
                abort(connection);
                tell(lost.apply(why));
            }
        }

        void returned(T result) {
            if (answered.compareAndSet(false, true)) {
                tell(result);
            }
        }

        /** Whoever waits for the end of the work hears of it, whatever becomes of the connection. */
        private void tell(T result) {
            try {
                handOver.accept(result);
            } finally {
                done.accept(result);
            }
        }
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
     * Makes a call on a connection, on the calling thread, and hands the result over exactly once. When the driver throws,
     * or has not returned after the time for it and at most an eighth more, the connection is cut and the result is what
     * {@code lost} makes of it. After the close the call is not made, with the same result: nobody would guard it.
     *
     * @param handOver lets go of the connection, according to the result
     * @param done hears of the result then, also when that has thrown
     */
    <T> void run(
            Connection connection, Supplier<T> call, Function<String, T> lost, Consumer<T> handOver, Consumer<T> done) {
        Work<T> work = new Work<>(connection, lost, handOver, done);
        running.add(work);
        if (closed) {
            running.remove(work);
            work.cut("the agent has stopped");
            return;
        }
        T result;
        try {
            result = call.get();
        } catch (RuntimeException | Error e) {
            // An Error too: nobody else would tell whoever waits, before the watchdog does.
            LOG.error("a driver threw", e);
            running.remove(work);
            work.cut("the driver threw " + e);
            return;
        }
        running.remove(work);
        work.returned(result);
    }

    /** Asks the database to end a running statement, on another thread, if there is one. */
    void cancel(Statement running) {
        try {
            workers.execute(() -> {
                try {
                    running.cancel();
                } catch (SQLException | RuntimeException e) {
                    LOG.debug("a running statement could not be cancelled; its connection will be cut", e);
                }
            });
        } catch (RejectedExecutionException | Error e) {
            // After the close, or where the system has no thread left: the rollback goes on, and cuts the connection.
        }
    }

    /**
     * Cuts a connection, also under a running call. Over TLS the socket cannot be closed while a statement is sent, to a
     * server that does not read perhaps: that is waited for a moment, and goes on by itself.
     */
    void abort(Connection connection) {
        try {
            Thread cutter = threads.newThread(() -> abortNow(connection));
            cutter.start();
            cutter.join(CUT_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Error e) {
            // There is no thread for it.
            abortNow(connection);
        }
    }

    private static void abortNow(Connection connection) {
        try {
            connection.abort(Runnable::run);
        } catch (SQLException | RuntimeException | Error e) {
            LOG.debug("a connection could not be cut; it is closed instead", e);
        }
    }

    @Override
    public void close() {
        close(workers);
        closed = true;
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
