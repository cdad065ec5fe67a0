package io.troth.chaos.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.chaos.sim.steps.StepTable;
import io.troth.chaos.sim.world.Fault;
import io.troth.chaos.sim.world.Plan;
import io.troth.chaos.sim.world.Sights;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Goal: the whole system keeps the properties of protocol 12 under every fault that the simulator knows, and the simulator
 * does what it says: the same seed gives the same run, and what can happen happens. Method: seeds; {@code ./troth simulate}
 * runs more of them.
 */
@Order(1)
class SimulationTest {

    private static final int SEEDS = 2_000;

    @Test
    @Timeout(value = 10, unit = TimeUnit.MINUTES)
    void keepsEveryPropertyAndSeesEverything() throws InterruptedException {
        Campaign.Summary summary = new Campaign(1, SEEDS, EnumSet.allOf(Fault.class)).run(2);

        assertNull(summary.failed(), () -> "./troth simulate --seed " + summary.failed() + ": " + summary.failure());
        assertEquals(List.of(), MustHappen.missing(summary.sights(), SEEDS));
        assertEquals(Map.of(), summary.surprises(), "the reasons of steps.txt hold, or else in these seeds");
        assertEquals(SEEDS, summary.seeds());
        System.out.println(summary.line());
    }

    @Test
    void missesEachPairThatNeverHappened() {
        Sights sights = new Sights();
        String pair = "leader: T is PREPARING at VOTE_NO";
        List<String> before = MustHappen.missing(sights, SEEDS);
        sights.saw(pair);
        List<String> after = MustHappen.missing(sights, SEEDS);

        assertTrue(before.contains(pair));
        assertEquals(before.size() - 1, after.size());
        assertTrue(MustHappen.missing(sights, 100_000).size() > after.size(), "rare ones take more seeds");
        sights.saw("leader: T is COMMITTED at ROLLBACK");
        assertEquals(List.of("leader: T is COMMITTED at ROLLBACK"), StepTable.impossible(sights));
    }

    /** Each a fault of which most tries hit nothing, and a moment between a force and what is sent after it. */
    @Test
    void missesWhatFaultsShouldHaveDone() {
        Sights tried = new Sights();
        for (Fault fault : Fault.values()) {
            tried.saw("fault " + fault);
        }

        List<String> missing = MustHappen.missing(tried, SEEDS);

        assertTrue(missing.contains("database: restored to before commit"));
        assertTrue(missing.contains("unflushed end of the log torn"));
        assertTrue(missing.contains("coordinator killed at AFTER_COMMIT_DURABLE"));
        assertTrue(missing.contains("agent killed at AFTER_PREPARE_BEFORE_VOTE"));
    }

    @Test
    void givesTheSameTraceForTheSameSeed() {
        for (long seed = 1; seed <= 20; seed++) {
            Plan plan = Plan.of(seed, EnumSet.allOf(Fault.class));
            List<String> first = Simulation.run(plan, new Sights(), true).trace();
            List<String> second = Simulation.run(plan, new Sights(), true).trace();
            assertTrue(first.size() > 10, "seed " + seed + " did something");
            assertEquals(first, second, "seed " + seed);
            assertNotEquals(
                    first,
                    Simulation.run(Plan.of(seed + 1, plan.kinds()), new Sights(), true)
                            .trace());
        }
    }

    @Test
    void runsTheSameWithAndWithoutATrace() {
        for (long seed = 50; seed < 70; seed++) {
            Plan plan = Plan.of(seed, EnumSet.allOf(Fault.class));
            Sights traced = new Sights();
            Sights silent = new Sights();
            Simulation.run(plan, traced, true);
            Simulation.run(plan, silent, false);
            assertEquals(traced.all(), silent.all(), "seed " + seed);
        }
    }

    @Test
    void huntsAcrossClassLoadersWithTypesOfTheJdkOnly() {
        assertNull(Simulation.hunt(1, 5, new String[0]));
        assertNull(Simulation.hunt(1, 5, new String[] {"AGENT_CRASH", "POWER_LOSS"}));
    }

    @Test
    void namesTheShortestCommandThatRepeatsARun() {
        Plan plan = Plan.of(7, EnumSet.allOf(Fault.class));

        assertEquals("./troth simulate --seed 7", SimulateMain.command(plan));
        assertEquals(
                "./troth simulate --seed 7 --only NONE --clients 9 --skip 2,5",
                SimulateMain.command(Plan.of(7, Set.of())
                        .sized(plan.agents(), 9, plan.transactions(), plan.millis())
                        .skipping(Set.of(5, 2))));
        assertEquals(
                "./troth simulate --seed 7 --without AGENT_CRASH,POWER_LOSS",
                SimulateMain.command(plan.without(Fault.POWER_LOSS).without(Fault.AGENT_CRASH)));
    }
}
