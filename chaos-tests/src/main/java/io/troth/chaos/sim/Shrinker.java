package io.troth.chaos.sim;

import io.troth.chaos.sim.world.Fault;
import io.troth.chaos.sim.world.Plan;
import io.troth.chaos.sim.world.Sights;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.ToIntFunction;

/**
 * Makes a failing run smaller: fewer kinds of faults, fewer transactions, processes and milliseconds, and then fewer of
 * the faults that are left (delta debugging: Zeller and Hildebrandt). A smaller run that fails in any way is taken.
 */
final class Shrinker {

    private static final int RUNS_MAX = 2_000;

    private final Predicate<Plan> fails;
    private final ToIntFunction<Plan> faults;
    private final Consumer<String> tells;
    private Plan best;
    private int runs;

    /**
     * A search that has not begun.
     *
     * @param fails whether a plan fails, in any way
     * @param faults how many faults happen in it
     * @param tells hears of each step forward
     */
    Shrinker(Plan failing, Predicate<Plan> fails, ToIntFunction<Plan> faults, Consumer<String> tells) {
        this.best = failing;
        this.fails = fails;
        this.faults = faults;
        this.tells = tells;
    }

    /** One that runs the simulation. */
    static Shrinker simulating(Plan failing, Consumer<String> tells) {
        return new Shrinker(
                failing,
                plan -> Simulation.run(plan, new Sights(), false).failure() != null,
                plan -> Simulation.run(plan, new Sights(), false).faults(),
                tells);
    }

    /** The smallest plan found that still fails. */
    Plan shrink() {
        boolean better = true;
        while (better && runs < RUNS_MAX) {
            better = fewerKinds();
            better |= smaller();
        }
        skipFaults();
        return best;
    }

    private boolean takes(Plan smaller, String what) {
        if (runs++ >= RUNS_MAX || !fails.test(smaller)) {
            return false;
        }
        best = smaller;
        tells.accept(what);
        return true;
    }

    private boolean fewerKinds() {
        boolean better = false;
        for (Fault fault : best.kinds()) {
            better |= takes(best.without(fault), "without " + fault);
        }
        return better;
    }

    private boolean smaller() {
        boolean better = false;
        for (int clients = 1; clients < best.clients(); clients++) {
            if (takes(best.sized(best.agents(), clients, best.transactions(), best.millis()), "clients " + clients)) {
                better = true;
            }
        }
        for (int agents = 1; agents < best.agents(); agents++) {
            if (takes(best.sized(agents, best.clients(), best.transactions(), best.millis()), "agents " + agents)) {
                better = true;
            }
        }
        for (int divisor = 8; divisor > 1; divisor /= 2) {
            int fewer = best.transactions() / divisor;
            int shorter = best.millis() / divisor;
            if (fewer > 0) {
                better |=
                        takes(best.sized(best.agents(), best.clients(), fewer, best.millis()), fewer + " transactions");
            }
            if (shorter > 100) {
                better |=
                        takes(best.sized(best.agents(), best.clients(), best.transactions(), shorter), shorter + " ms");
            }
        }
        return better;
    }

    /** Leaves out halves, quarters... of the faults that happened, as long as it still fails. */
    private void skipFaults() {
        int happened = faults.applyAsInt(best);
        List<Integer> left = new ArrayList<>();
        for (int number = 1; number <= happened; number++) {
            if (!best.skipped().contains(number)) {
                left.add(number);
            }
        }
        for (int size = Math.max(1, left.size() / 2); size >= 1 && runs < RUNS_MAX; size /= 2) {
            for (int from = 0; from < left.size(); ) {
                List<Integer> chunk = left.subList(from, Math.min(left.size(), from + size));
                TreeSet<Integer> skipped = new TreeSet<>(best.skipped());
                skipped.addAll(chunk);
                if (takes(best.skipping(skipped), "faults " + chunk + " left out")) {
                    chunk.clear();
                } else {
                    from += size;
                }
            }
        }
    }
}
