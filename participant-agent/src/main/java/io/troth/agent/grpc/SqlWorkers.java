package io.troth.agent.grpc;

import io.grpc.netty.shaded.io.netty.util.concurrent.DefaultThreadFactory;
import io.troth.agent.sql.SqlCall;
import io.troth.client.context.NanoClock;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The threads of the SQL gateway. Every admitted call has a thread for itself when it needs one: were calls queued, a
 * transaction that holds a lock could stand behind those that wait for it. So calls are bounded, and one too many is
 * refused at once. Thread-safe.
 */
final class SqlWorkers implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(SqlWorkers.class);
    private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final int CALLBACK_THREADS = 2;
    private static final long IDLE_SECONDS = 30;
    private static final long CANCEL_AGAIN_MILLIS = 200;

    private final int callsMax;
    private final Semaphore calls;
    private final AtomicLong quietUntilNanos = new AtomicLong(NanoClock.SYSTEM.nanos());
    private final ExecutorService statements;
    private final ExecutorService callbacks;
    private final ExecutorService cancels;
    private final ScheduledThreadPoolExecutor timer;

    SqlWorkers(int callsMax) {
        this(callsMax, new DefaultThreadFactory("troth-sql", true));
    }

    SqlWorkers(int callsMax, ThreadFactory statementThreads) {
        this.callsMax = callsMax;
        this.calls = new Semaphore(callsMax);
        this.statements = threads(statementThreads);
        this.cancels = threads(new DefaultThreadFactory("troth-sql-cancel", true));
        this.callbacks =
                Executors.newFixedThreadPool(CALLBACK_THREADS, new DefaultThreadFactory("troth-sql-calls", true));
        this.timer = new ScheduledThreadPoolExecutor(1, new DefaultThreadFactory("troth-sql-timer", true));
        this.timer.setRemoveOnCancelPolicy(true);
    }

    /** One that is idle is used again; as many as there are calls, and what is left of calls that were given up. */
    private static ExecutorService threads(ThreadFactory factory) {
        return new ThreadPoolExecutor(
                0, Integer.MAX_VALUE, IDLE_SECONDS, TimeUnit.SECONDS, new SynchronousQueue<>(), factory);
    }

    /** True when one more call may run; {@link #left()} must follow once. */
    boolean enter() {
        boolean entered = calls.tryAcquire();
        if (!entered) {
            sayFull();
        }
        return entered;
    }

    /** Whoever runs the agent has to know, too. One line a second. */
    private void sayFull() {
        long now = NanoClock.SYSTEM.nanos();
        long quietUntil = quietUntilNanos.get();
        if (now - quietUntil >= 0 && quietUntilNanos.compareAndSet(quietUntil, now + QUIET_NANOS)) {
            LOG.warn("calls are refused, OVERLOADED: as many as agent.sql.callsMax ({}) run", callsMax);
        }
    }

    /** An admitted call has ended. */
    void left() {
        calls.release();
    }

    /** For what blocks on a database. One task at a time for each admitted call. */
    Executor statements() {
        return statements;
    }

    /** For what gRPC calls; never blocks. */
    Executor callbacks() {
        return callbacks;
    }

    /**
     * Gives a call up. To cancel its statement needs a connection of its own: one that is not answered holds no other call
     * up.
     *
     * @param done runs then; its statement may still run, and is cancelled again
     */
    void giveUp(SqlCall call, Runnable done) {
        cancels.execute(() -> {
            boolean runsOn = call.cancel();
            done.run();
            if (runsOn) {
                var unused = after(CANCEL_AGAIN_MILLIS, () -> giveUp(call, () -> {}));
            }
        });
    }

    /** Runs what must not block, when this time is over. */
    Future<?> after(long millis, Runnable task) {
        return timer.schedule(task, millis, TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        callbacks.shutdownNow();
        timer.shutdownNow();
        cancels.shutdownNow();
        statements.shutdownNow();
    }
}
