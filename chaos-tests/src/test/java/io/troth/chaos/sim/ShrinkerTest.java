package io.troth.chaos.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.troth.chaos.sim.world.Fault;
import io.troth.chaos.sim.world.Plan;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Goal: a failing plan gets as small as the failure allows, and no smaller. Method: failures whose cause is known. */
class ShrinkerTest {

    private static Plan large() {
        for (long seed = 1; ; seed++) {
            Plan plan = Plan.of(seed, EnumSet.allOf(Fault.class));
            if (plan.kinds().contains(Fault.POWER_LOSS) && plan.kinds().size() > 5 && plan.transactions() > 100) {
                return plan;
            }
        }
    }

    @Test
    void keepsTheOneKindOfFaultThatMatters() {
        Plan small =
                new Shrinker(large(), plan -> plan.kinds().contains(Fault.POWER_LOSS), plan -> 0, step -> {}).shrink();

        assertEquals(Set.of(Fault.POWER_LOSS), small.kinds());
        assertEquals(1, small.clients());
        assertEquals(1, small.agents());
    }

    @Test
    void leavesOutEveryFaultButTheTwoThatMatter() {
        List<String> steps = new ArrayList<>();
        Plan small = new Shrinker(
                        large(),
                        plan -> !plan.skipped().contains(17) && !plan.skipped().contains(40),
                        plan -> 64,
                        steps::add)
                .shrink();

        assertEquals(62, small.skipped().size());
        assertFalse(small.skipped().contains(17) || small.skipped().contains(40));
        assertFalse(steps.isEmpty());
    }

    @Test
    void takesFewerTransactionsAndLessTimeAsLongAsItFails() {
        Plan small = new Shrinker(
                        large(), plan -> plan.transactions() >= 7 && plan.millis() >= 500, plan -> 0, step -> {})
                .shrink();

        assertEquals(7, small.transactions(), 6);
        assertEquals(750, small.millis(), 250);
    }
}
