package io.troth.bench.run;

import java.util.Map;

/**
 * CPU time, user and system, in ns.
 *
 * @param own of this JVM: the callers, and whatever the contender has in it
 * @param databases of the servers with all their processes
 * @param others of every other process that this JVM has started
 * @param named of those that the contender names, as a part of the others
 */
public record CpuUse(long own, long databases, long others, Map<String, Long> named) {

    public CpuUse {
        named = Map.copyOf(named);
    }

    public long total() {
        return own + databases + others;
    }

    /** For people: µs per transaction, by where they went. */
    String text(long transactions) {
        double micros = 1e3 * transactions;
        return String.format(
                "(%.0f callers, %.0f databases, %.0f others)", own / micros, databases / micros, others / micros);
    }
}
