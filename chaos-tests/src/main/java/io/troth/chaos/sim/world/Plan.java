package io.troth.chaos.sim.world;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;

/**
 * What one run has: chosen by its seed, and made smaller when a failure is shrunk.
 *
 * @param seed decides everything else
 * @param faults the kinds of faults it has, with how many times rarer than usual each is
 * @param skipped numbers of faults that do not happen although their time has come
 * @param agents agent processes
 * @param clients client processes
 * @param transactions that are begun, at most
 * @param millis how long things may go wrong
 * @param delay how long messages take
 * @param clocksDiffer whether clocks run at different rates
 * @param mix what the clients do
 */
public record Plan(
        long seed,
        Map<Fault, Integer> faults,
        Set<Integer> skipped,
        int agents,
        int clients,
        int transactions,
        int millis,
        Delay delay,
        boolean clocksDiffer,
        Mix mix) {

    /** How long messages and statements take. */
    public enum Delay {
        /** Everything within a tenth of a millisecond: many things are ready together. */
        SHORT,
        /** Anything up to some milliseconds. */
        EVEN,
        /** Mostly short, sometimes hundreds of milliseconds: overtaking is the rule. */
        WILD
    }

    /** What the clients do. */
    public enum Mix {
        BANK,
        LISTS,
        ONE_PHASE,
        READ_ONLY,
        CHAIN,
        EVERYTHING
    }

    public Plan {
        faults = Map.copyOf(faults);
        skipped = Set.copyOf(skipped);
    }

    /** The choice of a seed, of the faults that are allowed. */
    public static Plan of(long seed, Set<Fault> allowed) {
        SplittableRandom random = new SplittableRandom(seed * 0x9e37_79b9_7f4a_7c15L + 1);
        Map<Fault, Integer> faults = new EnumMap<>(Fault.class);
        // Sometimes nearly everything, sometimes little, sometimes nothing.
        int odds = random.nextInt(5);
        for (Fault fault : Fault.values()) {
            boolean chosen = random.nextInt(4) < odds;
            int rarer = 1 << random.nextInt(4);
            if (chosen && allowed.contains(fault)) {
                faults.put(fault, rarer);
            }
        }
        return new Plan(
                seed,
                faults,
                Set.of(),
                1 + random.nextInt(4),
                1 + random.nextInt(3),
                20 + random.nextInt(180),
                1_000 + random.nextInt(20_000),
                Delay.values()[random.nextInt(Delay.values().length)],
                random.nextInt(3) == 0,
                Mix.values()[random.nextInt(Mix.values().length)]);
    }

    /** The same without one kind of fault. */
    public Plan without(Fault fault) {
        Map<Fault, Integer> fewer = new EnumMap<>(Fault.class);
        fewer.putAll(faults);
        fewer.remove(fault);
        return new Plan(seed, fewer, skipped, agents, clients, transactions, millis, delay, clocksDiffer, mix);
    }

    /** The same, but these faults do not happen. */
    public Plan skipping(Set<Integer> numbers) {
        return new Plan(
                seed, faults, new TreeSet<>(numbers), agents, clients, transactions, millis, delay, clocksDiffer, mix);
    }

    /** The same with other numbers. */
    public Plan sized(int agents, int clients, int transactions, int millis) {
        return new Plan(seed, faults, skipped, agents, clients, transactions, millis, delay, clocksDiffer, mix);
    }

    /** The kinds of faults, in order. */
    public Set<Fault> kinds() {
        return faults.isEmpty() ? EnumSet.noneOf(Fault.class) : EnumSet.copyOf(faults.keySet());
    }
}
