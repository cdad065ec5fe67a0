package io.troth.coordinator.engine;

import io.troth.core.ProtocolViolation;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.Notice;
import java.util.List;

/** Several listeners as one. */
record EngineListeners(List<EngineListener> listeners) implements EngineListener {

    @Override
    public void stepping(Event event) {
        listeners.forEach(listener -> listener.stepping(event));
    }

    @Override
    public void heard(Notice notice) {
        listeners.forEach(listener -> listener.heard(notice));
    }

    @Override
    public void applied(LogEntry entry) {
        listeners.forEach(listener -> listener.applied(entry));
    }

    @Override
    public void drainOutlived(int transactions) {
        listeners.forEach(listener -> listener.drainOutlived(transactions));
    }

    @Override
    public void logFailed(Throwable cause) {
        listeners.forEach(listener -> listener.logFailed(cause));
    }

    @Override
    public void violated(ProtocolViolation violation) {
        listeners.forEach(listener -> listener.violated(violation));
    }

    @Override
    public void crashed(Throwable cause) {
        listeners.forEach(listener -> listener.crashed(cause));
    }
}
