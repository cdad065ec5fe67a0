package io.troth.chaos.sim.world;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * What one run has: chosen by its seed, and made smaller when a failure is shrunk.
 *
 * @param seed decides everything else
 * @param faults the kinds of faults it has, with how many times rarer than usual each is
 * @param suppressed those of them that do not happen although chance has chosen them: unlike a kind that was never there,
 *     this leaves the rest of the run as it was up to then
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
        Set<Fault> suppressed,
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

    /** One seed of so many has an operator. */
    private static final int OPERATOR_ONE_IN = 8;

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
        suppressed = Set.copyOf(suppressed);
        skipped = Set.copyOf(skipped);
    }

    /** The choice of a seed, of the faults that are allowed. */
    public static Plan of(long seed, Set<Fault> allowed) {
        SplittableRandom random = new SplittableRandom(seed * 0x9e37_79b9_7f4a_7c15L + 1);
        Map<Fault, Integer> faults = new EnumMap<>(Fault.class);
        // Sometimes nearly everything, sometimes little, sometimes nothing.
        int odds = random.nextInt(5);
        for (Fault fault : EnumSet.complementOf(EnumSet.copyOf(Fault.OPERATORS))) {
            boolean chosen = random.nextInt(4) < odds;
            int rarer = 1 << random.nextInt(4);
            if (chosen && allowed.contains(fault)) {
                faults.put(fault, rarer);
            }
        }
        if (Math.floorMod(seed, OPERATOR_ONE_IN) == OPERATOR_ONE_IN - 1) {
            // Chance of their own: runs without an operator are what they are.
            SplittableRandom operators = new SplittableRandom(~seed);
            for (Fault fault : Fault.OPERATORS) {
                if (operators.nextBoolean() && allowed.contains(fault)) {
                    faults.put(fault, 1);
                }
            }
        }
        return new Plan(
                seed,
                faults,
                Set.of(),
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
        Set<Fault> more = EnumSet.of(fault);
        more.addAll(suppressed);
        return new Plan(seed, faults, more, skipped, agents, clients, transactions, millis, delay, clocksDiffer, mix);
    }

    /** The same, but these faults do not happen. */
    public Plan skipping(Set<Integer> numbers) {
        return new Plan(
                seed, faults, suppressed, numbers, agents, clients, transactions, millis, delay, clocksDiffer, mix);
    }

    /** The same with other numbers. */
    public Plan sized(int agents, int clients, int transactions, int millis) {
        return new Plan(
                seed, faults, suppressed, skipped, agents, clients, transactions, millis, delay, clocksDiffer, mix);
    }

    /** The kinds of faults that chance may choose, in order. */
    public Set<Fault> chosen() {
        Set<Fault> kinds = EnumSet.noneOf(Fault.class);
        kinds.addAll(faults.keySet());
        return kinds;
    }

    /** The kinds of faults that happen, in order. */
    public Set<Fault> kinds() {
        Set<Fault> kinds = chosen();
        kinds.removeAll(suppressed);
        return kinds;
    }
}
