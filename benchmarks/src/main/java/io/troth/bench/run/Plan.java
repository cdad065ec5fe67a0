package io.troth.bench.run;

import io.troth.bench.contender.Contender;
import java.time.Duration;
import java.util.List;

/**
 * One run: the same work for all its contenders.
 *
 * @param contenders of one suite, in the order of their turns
 * @param levels how many transactions are in flight, one level after the other
 * @param rounds how many turns each contender has at each level
 * @param turn how long a turn takes; longer when nothing has ended until then
 * @param warmUp how many transactions each contender runs before anything is measured
 */
public record Plan(Mix mix, List<Contender> contenders, List<Integer> levels, int rounds, Duration turn, int warmUp) {

    /**
     * For each contender to each database. More help nobody on a few cores, and fewer, when few transactions are in flight,
     * would hold up whoever keeps some of them for recovery; see docs/PERFORMANCE.md.
     */
    static final int CONNECTIONS = 32;

    private static final int WARM_UP_IN_FLIGHT_MAX = 32;

    public Plan {
        contenders = List.copyOf(contenders);
        levels = List.copyOf(levels);
        if (contenders.isEmpty() || levels.isEmpty() || rounds < 1 || warmUp < 1) {
            throw new IllegalArgumentException("a run needs contenders, levels, rounds and a warm-up");
        }
    }

    /** The most transactions in flight. */
    int inFlightMax() {
        return levels.stream().mapToInt(Integer::intValue).max().orElseThrow();
    }

    /** How many are in flight while a contender warms up: enough for it to be over soon. */
    int warmUpInFlight() {
        return Math.min(WARM_UP_IN_FLIGHT_MAX, inFlightMax());
    }
}
