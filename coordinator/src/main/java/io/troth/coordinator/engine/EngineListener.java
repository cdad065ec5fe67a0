package io.troth.coordinator.engine;

import io.troth.core.ProtocolViolation;
import io.troth.core.coordinator.Notice;

/** Hears what happens, for metrics, log lines and alarms. Engine thread only; must be quick and not call back. */
public interface EngineListener {

    /** Something happened in the core. */
    void heard(Notice notice);

    /**
     * The log failed: the engine answers nothing any more, and the process must stop, so that the next start reads the
     * truth (protocol L4, L5). Told once.
     */
    void logFailed(Throwable cause);

    /** An invariant is broken: the engine has stopped for good, and the process must end with exit code 70. Told once. */
    void violated(ProtocolViolation violation);
}
