package io.troth.core.coordinator;

/**
 * A record as the log holds it (protocol 3, L2).
 *
 * @param epochNumber the epoch of the leader that appended it; a COMMIT whose entry epoch differs from T's epoch has
 *     no effect when applied and raises an alarm (the record fence)
 * @param record what it says
 */
public record LogEntry(long epochNumber, LogRecord record) {}
