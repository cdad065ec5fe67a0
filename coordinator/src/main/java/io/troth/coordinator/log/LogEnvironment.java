package io.troth.coordinator.log;

import java.time.Clock;
import java.util.concurrent.ThreadFactory;
import java.util.function.LongSupplier;

/**
 * What the log takes from the process around it. All thread-safe.
 *
 * @param nanoTime a monotonic clock in nanoseconds: measures writes and waits, and is in no record
 * @param clock wall-clock time, written into a new INCARNATION file for people to read
 * @param random secure random bits for a new cluster id and incarnation
 * @param threads makes the log's threads
 * @param observer hears of every write
 */
public record LogEnvironment(
        LongSupplier nanoTime, Clock clock, LongSupplier random, ThreadFactory threads, LogObserver observer) {}
