package io.troth.bench.soak;

import io.troth.bench.run.ProcessLook;

/** What is looked at, and how much of it may come and go without growing. */
enum Measure {
    /** In MB. Tables, buffers and caches of fixed size fill up for a while. */
    HEAP("live heap, MB", 0.10, 4),

    /** In MB. RocksDB fills buffers of 64 MB and empties them, and the JVM takes its heap as it needs it. */
    RESIDENT("resident memory, MB", 0.10, 64),

    HANDLES("file handles", 0, 8),

    THREADS("threads", 0, 4);

    final String title;

    /** By such a part may it be higher later, and by so much besides. */
    private final double part;

    private final double more;

    Measure(String title, double part, double more) {
        this.title = title;
        this.part = part;
        this.more = more;
    }

    double of(ProcessLook look) {
        return switch (this) {
            case HEAP -> look.heapBytes() / 1e6;
            case RESIDENT -> look.residentBytes() / 1e6;
            case HANDLES -> look.handles();
            case THREADS -> look.threads();
        };
    }

    /** Whether it has grown from the one figure to the other. */
    boolean hasGrown(double before, double after) {
        return after > before * (1 + part) + more;
    }
}
