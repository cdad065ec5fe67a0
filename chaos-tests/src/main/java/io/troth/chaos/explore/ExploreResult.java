package io.troth.chaos.explore;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the exploration of one scope has found.
 *
 * @param scope its name
 * @param states how many different worlds were reached
 * @param transitions how many steps led from one world to another
 * @param depth how many steps the furthest world is away from the first
 * @param complete true when every world of the scope was explored; false when a limit came first
 * @param completions how many different ends were played to check termination
 * @param violation the property that does not hold and how; null when all hold
 * @param path the shortest way to the violation, in words, one step a line; empty without one
 * @param pairs what was seen together
 * @param millis how long it took
 */
record ExploreResult(
        String scope,
        int states,
        long transitions,
        int depth,
        boolean complete,
        int completions,
        @Nullable String violation,
        List<String> path,
        Pairs pairs,
        long millis) {

    /** One line. */
    String line() {
        String end = violation == null ? "no violation" : "VIOLATION: " + violation;
        return String.format(
                "%-22s %,12d states %,14d transitions  depth %3d  %6.1f s  %s%s",
                scope, states, transitions, depth, millis / 1000.0, complete ? "" : "(not complete) ", end);
    }
}
