package io.troth.bench.troth;

import java.util.List;
import java.util.Map;

/** The coordinator of a contender: one process, or a cluster. */
interface Coordinators extends AutoCloseable {

    /** Where clients and agents find it, each {@code host:port}. */
    List<String> endpoints();

    /** How often the log was forced so far, by the product's own metric. */
    long forcedWrites();

    /** Its processes by what they are called in reports. */
    Map<String, Long> processes();

    @Override
    void close();
}
