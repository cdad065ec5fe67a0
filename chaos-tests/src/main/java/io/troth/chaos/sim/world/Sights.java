package io.troth.chaos.sim.world;

import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** How often each noteworthy thing has happened. A test of faults that never happen is worth nothing. One thread. */
public final class Sights {

    private static final class Count {
        private long times;
    }

    private final Map<String, Count> counts = new HashMap<>();

    /** It happened. */
    public void saw(String sight) {
        saw(sight, 1);
    }

    /** It happened so many times. */
    public void saw(String sight, long times) {
        counts.computeIfAbsent(sight, key -> new Count()).times += times;
    }

    /** Adds what another has seen. */
    public void add(Sights other) {
        other.counts.forEach((sight, count) -> saw(sight, count.times));
    }

    /** How often; 0 for never. */
    public long count(String sight) {
        Count count = counts.get(sight);
        return count == null ? 0 : count.times;
    }

    /** Everything seen, in the order of names. */
    public SortedMap<String, Long> all() {
        TreeMap<String, Long> all = new TreeMap<>();
        counts.forEach((sight, count) -> all.put(sight, count.times));
        return all;
    }
}
