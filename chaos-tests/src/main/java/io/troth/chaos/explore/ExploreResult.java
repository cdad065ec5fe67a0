package io.troth.chaos.explore;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What the exploration of one scope has found.
 *
 * @param scope its name
 * @param states how many different worlds were reached
 * @param transitions how many steps led from one world to another
 * @param depth how many steps the furthest world is away from the first
 * @param stopped why not every world of the scope was explored; null when every one was, or a violation ended it
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
        @Nullable String stopped,
        int completions,
        @Nullable String violation,
        List<String> path,
        Pairs pairs,
        long millis) {

    /** One line. */
    String line() {
        String end = violation == null ? "no violation" : "VIOLATION: " + violation;
        String all = stopped == null ? "" : " (stopped by " + stopped + ")";
        return String.format(
                Locale.ROOT,
                "%-20s %,11d states %,12d transitions, depth %2d, %6.1f s, %s%s",
                scope,
                states,
                transitions,
                depth,
                millis / 1000.0,
                end,
                violation == null ? all : "");
    }
}
