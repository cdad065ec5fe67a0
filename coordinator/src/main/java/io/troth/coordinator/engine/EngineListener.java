package io.troth.coordinator.engine;

import io.troth.core.ProtocolViolation;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.Notice;
import java.util.List;

/** Hears what happens, for metrics, log lines and alarms. Engine thread only; must be quick and not call back. */
public interface EngineListener {

    /** The core is about to take this event, for whoever compares what happened with what can. */
    default void stepping(Event event) {}

    /** Something happened in the core. */
    void heard(Notice notice);

    /** An entry of the log was applied: in recovery, before {@code CoordinatorEngine.start} returns, and later live. */
    void applied(LogEntry entry);

    /** The time of a drain is over for so many transactions that are not decided: they end as LEADER_CHANGED. */
    default void drainOutlived(int transactions) {}

    /**
     * The log failed: the engine answers nothing any more, and the process must stop, so that the next start reads the
     * truth (protocol L4, L5). Told once.
     */
    void logFailed(Throwable cause);

    /** An invariant is broken: the engine has stopped for good, and the process must end with exit code 70. Told once. */
    void violated(ProtocolViolation violation);

    /**
     * Something was thrown that nobody foresaw (a bug, no memory): the engine has stopped for good, since its state may
     * be half changed, and the process must end. Told once.
     */
    void crashed(Throwable cause);

    /** Tells each of them, in this order. */
    static EngineListener all(List<EngineListener> listeners) {
        return new EngineListeners(List.copyOf(listeners));
    }
}
