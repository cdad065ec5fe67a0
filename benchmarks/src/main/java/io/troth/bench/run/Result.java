package io.troth.bench.run;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What came out of a run.
 *
 * @param turns in order
 * @param wrong why the turns of a contender at a level do not count; see {@link #key}
 * @param absent contenders that could not be opened or warmed up, or broke later, and why: none of their turns counts
 * @param databaseForces forced writes of all servers per transaction, by {@link #key}; only where it was counted
 */
public record Result(
        Plan plan,
        List<Turn> turns,
        Map<String, String> wrong,
        Map<String, String> absent,
        Map<String, Double> databaseForces) {

    /** Who is absent when what is wrong cannot be told to be somebody's. */
    static final String EVERYBODY = "everybody";

    public Result {
        turns = List.copyOf(turns);
        wrong = new TreeMap<>(wrong);
        absent = new TreeMap<>(absent);
        databaseForces = new TreeMap<>(databaseForces);
    }

    /** What the maps are keyed by. */
    public static String key(String contender, int inFlight) {
        return contender + " at " + inFlight;
    }

    /** The turns of a contender at a level, in order. */
    public List<Turn> turns(String contender, int inFlight) {
        return turns.stream()
                .filter(turn -> turn.contender().equals(contender) && turn.inFlight() == inFlight)
                .toList();
    }

    /** Why the turns of a contender at a level do not count; empty when they do. */
    public String problem(String contender, int inFlight) {
        String why = wrong.get(key(contender, inFlight));
        return why == null ? absent.getOrDefault(contender, absent.getOrDefault(EVERYBODY, "")) : why;
    }

    public boolean isValid() {
        return wrong.isEmpty() && absent.isEmpty();
    }
}
