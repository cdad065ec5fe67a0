package io.troth.chaos.sim;

import io.troth.chaos.sim.resource.DatabaseServer;
import io.troth.chaos.sim.world.World;
import io.troth.core.coordinator.Event;
import java.util.List;
import java.util.SplittableRandom;

/**
 * An operator, in some runs only: puts resources on hold, so that what is in doubt there is left alone, and releases them.
 * Has chance of its own, so that runs without one are what they are.
 */
final class Operator {

    private static final long MILLI = 1_000_000;
    /** One seed of so many has an operator. */
    private static final int ONE_IN = 16;

    private final Run run;
    private final World world;
    private final SplittableRandom random;
    private final boolean isThere;

    Operator(Run run) {
        this.run = run;
        this.world = run.world;
        this.random = new SplittableRandom(~world.plan().seed());
        this.isThere = Math.floorMod(world.plan().seed(), ONE_IN) == ONE_IN - 1;
    }

    void start() {
        if (isThere) {
            later();
        }
    }

    private void later() {
        world.after(random.nextLong(4_000 * MILLI), () -> "", () -> {
            if (world.isFaulty()) {
                holdForAWhile(
                        run.databases.get(random.nextInt(run.databases.size())).name());
                later();
            }
        });
    }

    private void holdForAWhile(String resource) {
        world.note(() -> "the operator holds " + resource);
        world.saw("resource held");
        run.leader().operator(new Event.ResourceHeld(resource, true));
        world.after(
                random.nextLong(3_000 * MILLI),
                () -> "the operator releases " + resource,
                () -> run.leader().operator(new Event.ResourceHeld(resource, false)));
    }

    /** Everything is released. */
    void stop() {
        for (DatabaseServer database : isThere ? run.databases : List.<DatabaseServer>of()) {
            run.leader().operator(new Event.ResourceHeld(database.name(), false));
        }
    }
}
