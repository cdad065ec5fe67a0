package io.troth.coordinator.server;

/**
 * How a coordinator came to its end.
 *
 * @param cause why
 * @param message for the operator: what happened and what to do; empty when it was stopped
 */
public record Ending(Cause cause, String message) {

    /** Why it ended. */
    public enum Cause {
        /** Somebody asked for it. */
        STOPPED,
        /** The log could not be written: what is on disk is unknown until it is read again (protocol L4, L5). */
        LOG_FAILED,
        /** Another member leads; the log is good, and the process goes on. */
        LEADERSHIP_LOST,
        /** An invariant was broken, or something was thrown that nobody foresaw. */
        VIOLATED
    }
}
