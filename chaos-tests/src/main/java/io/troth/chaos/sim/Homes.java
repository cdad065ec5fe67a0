package io.troth.chaos.sim;

import io.troth.chaos.sim.world.Plan;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Which clients live in the process of an agent, as those of services do, and which have a process of their own. Chance of
 * its own: runs in which all have their own are what they are. One thread.
 */
final class Homes {

    private final SplittableRandom random;
    private final boolean any;

    Homes(Plan plan) {
        random = new SplittableRandom(plan.seed() ^ 0x6a09_e667_f3bc_c908L);
        any = random.nextBoolean();
    }

    /** Whether an agent offers every resource, so that its clients find all in their own process. */
    boolean offerAll() {
        return any && random.nextInt(3) == 0;
    }

    /** The client of this number, from 0. */
    SimulatedClient client(Run run, int number) {
        SimulatedAgent home = home(run.agents, number);
        boolean commitsInPlace = any && (home != null || random.nextInt(4) > 0);
        SimulatedClient client = home == null
                ? new SimulatedClient(run, run.world.process("k" + (number + 1)), null, commitsInPlace)
                : new SimulatedClient(run, home.process(), new HomeAgent(run, home), commitsInPlace);
        if (home != null) {
            run.world.saw("client in an agent's process");
            home.houses(client);
        }
        return client;
    }

    private @Nullable SimulatedAgent home(List<SimulatedAgent> agents, int number) {
        return any && number < agents.size() && random.nextInt(4) > 0 ? agents.get(number) : null;
    }
}
