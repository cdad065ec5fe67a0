package io.troth.agent.engine;

import io.troth.core.participant.AgentTimerKey;

/** Timers by key. Thread-safe; never runs a task on the calling thread. */
public interface AgentTimers extends AutoCloseable {

    /** Runs the task once after at least this time, instead of the one that was started for the key before. */
    void start(AgentTimerKey key, long delayMillis, Runnable task);

    /** Forgets the key's task; it may be running already. */
    void cancel(AgentTimerKey key);

    /** Runs nothing any more. */
    @Override
    void close();
}
