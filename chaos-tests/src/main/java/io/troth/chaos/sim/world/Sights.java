package io.troth.chaos.sim.world;

import java.util.Map;
import java.util.TreeMap;

/** How often each noteworthy thing has happened. A test of faults that never happen is worth nothing. One thread. */
public final class Sights {

    private final TreeMap<String, Long> counts = new TreeMap<>();

    /** It happened. */
    public void saw(String sight) {
        counts.merge(sight, 1L, Long::sum);
    }

    /** It happened so many times. */
    public void saw(String sight, long times) {
        counts.merge(sight, times, Long::sum);
    }

    /** Adds what another has seen. */
    public void add(Sights other) {
        other.counts.forEach(this::saw);
    }

    /** How often; 0 for never. */
    public long count(String sight) {
        return counts.getOrDefault(sight, 0L);
    }

    /** Everything seen, in the order of names. */
    public Map<String, Long> all() {
        return Map.copyOf(counts);
    }
}
