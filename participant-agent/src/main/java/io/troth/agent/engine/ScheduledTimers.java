package io.troth.agent.engine;

import io.troth.core.participant.AgentTimerKey;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** Timers on one daemon thread and the monotonic clock. Its tasks must be short. */
public final class ScheduledTimers implements AgentTimers {

    private final ScheduledThreadPoolExecutor executor;
    private final ConcurrentHashMap<AgentTimerKey, ScheduledFuture<?>> running = new ConcurrentHashMap<>();

    public ScheduledTimers() {
        executor = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "troth-agent-timers");
            thread.setDaemon(true);
            return thread;
        });
        executor.setRemoveOnCancelPolicy(true);
    }

    @Override
    public void start(AgentTimerKey key, long delayMillis, Runnable task) {
        running.compute(key, (same, previous) -> {
            if (previous != null) {
                previous.cancel(false);
            }
            try {
                return executor.schedule(() -> fire(key, task), delayMillis, TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException e) {
                return null; // Closed.
            }
        });
    }

    private void fire(AgentTimerKey key, Runnable task) {
        // A task that was replaced meanwhile is harmless to run; the one that replaced it stays.
        running.computeIfPresent(
                key, (same, future) -> future.isDone() || future.getDelay(TimeUnit.MILLISECONDS) <= 0 ? null : future);
        task.run();
    }

    @Override
    public void cancel(AgentTimerKey key) {
        ScheduledFuture<?> future = running.remove(key);
        if (future != null) {
            future.cancel(false);
        }
    }

    @Override
    public void close() {
        executor.shutdownNow();
    }
}
