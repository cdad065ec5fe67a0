package io.troth.agent.engine;

import io.troth.core.participant.AgentTimerKey;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/** Timers that fire when the test says so. */
final class ManualTimers implements AgentTimers {

    private final Map<String, Runnable> tasks = new TreeMap<>();

    @Override
    public void start(AgentTimerKey key, long delayMillis, Runnable task) {
        tasks.put(key.toString(), task);
    }

    @Override
    public void cancel(AgentTimerKey key) {
        tasks.remove(key.toString());
    }

    void fire(AgentTimerKey key) {
        Objects.requireNonNull(tasks.remove(key.toString()), "not running").run();
    }

    @Override
    public void close() {
        tasks.clear();
    }
}
