package io.troth.chaos.sim;

import io.troth.chaos.sim.world.Broken;
import io.troth.chaos.sim.world.Fault;
import io.troth.chaos.sim.world.Plan;
import io.troth.chaos.sim.world.Sights;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Runs seeds. The static methods use types of the JDK only, so that they can be called across class loaders. */
public final class Simulation {

    /**
     * What one run came to.
     *
     * @param failure the property that does not hold, null when all do
     * @param nanos how much time passed in the run
     * @param transactions how many were checked
     * @param checks how often they were checked
     * @param faults how many things went wrong
     * @param trace the schedule; empty when it was not asked for
     */
    record Result(@Nullable String failure, long nanos, int transactions, int checks, int faults, List<String> trace) {}

    /** How a failure begins that is none of a property: something in the simulator has thrown. */
    public static final String NO_PROPERTY = "no property is broken, but the simulator: ";

    private Simulation() {}

    /**
     * Runs seeds one after the other until one fails.
     *
     * @param features names of the kinds of faults that a seed may choose from; empty for all
     * @return null when none fails; else {@code seed N: property}
     */
    public static @Nullable String hunt(long firstSeed, int seeds, String[] features) {
        Set<Fault> allowed = allowed(features);
        Sights sights = new Sights();
        for (long seed = firstSeed; seed < firstSeed + seeds; seed++) {
            String failure = run(Plan.of(seed, allowed), sights, false).failure();
            if (failure != null) {
                return "seed " + seed + ": " + failure;
            }
        }
        return null;
    }

    static Set<Fault> allowed(String[] features) {
        Set<Fault> allowed = features.length == 0 ? EnumSet.allOf(Fault.class) : EnumSet.noneOf(Fault.class);
        for (String feature : features) {
            allowed.add(Fault.valueOf(feature));
        }
        return allowed;
    }

    /** One run. */
    static Result run(Plan plan, Sights sights, boolean traced) {
        List<String> trace = traced ? new ArrayList<>() : null;
        Run run = new Run(plan, sights, trace);
        String failure = null;
        try {
            run.run();
        } catch (RuntimeException broken) {
            failure = broken instanceof Broken ? String.valueOf(broken.getMessage()) : NO_PROPERTY + broken;
            if (trace != null) {
                for (StackTraceElement element : broken.getStackTrace()) {
                    trace.add("    at " + element);
                }
            }
        }
        return new Result(
                failure,
                run.world.nanos(),
                run.ledger.transactions(),
                run.ledger.checks(),
                run.world.faults(),
                trace == null ? List.of() : trace);
    }
}
