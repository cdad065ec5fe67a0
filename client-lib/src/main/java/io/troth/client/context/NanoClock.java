package io.troth.client.context;

/** Monotonic time, so that no wall clock decides anything. The one place of the library that reads a clock. */
@FunctionalInterface
public interface NanoClock {

    /** The clock of this process. */
    NanoClock SYSTEM = System::nanoTime;

    /** Nanoseconds since an arbitrary point; only differences mean something. Thread-safe. */
    long nanos();
}
