package io.troth.coordinator.server;

import io.troth.coordinator.log.LogEnvironment;
import io.troth.coordinator.log.LogObserver;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/** The clocks, random bits and threads of a real process: the one place where they are made. Thread-safe. */
public final class ProcessEnvironment {

    private static final SecureRandom RANDOM = new SecureRandom();

    private ProcessEnvironment() {}

    /** What a log takes from the process. */
    public static LogEnvironment log(LogObserver observer) {
        return new LogEnvironment(
                System::nanoTime, Clock.systemUTC(), ProcessEnvironment::secureBits, threads("troth-log"), observer);
    }

    static long nanoTime() {
        return System.nanoTime();
    }

    static long secureBits() {
        return RANDOM.nextLong();
    }

    /** Daemon threads called NAME-1, NAME-2 and so on: none of them keeps a process alive. */
    static ThreadFactory threads(String name) {
        AtomicInteger count = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(task, name + "-" + count.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }

    /** A thread that keeps the process alive. */
    static ThreadFactory lastingThread(String name) {
        return task -> new Thread(task, name);
    }
}
