package io.troth.chaos.sim;

import io.troth.chaos.sim.world.Broken;
import io.troth.chaos.sim.world.World;
import io.troth.core.Outcome;
import org.jspecify.annotations.Nullable;

/**
 * Nothing that went wrong has left anything behind that keeps new work from committing: no counter that a limit is compared
 * with, no hold, no lost connection of a pool.
 */
final class NewWork {

    private static final long SECOND = 1_000_000_000;
    private static final long PATIENCE_NANOS = 60 * SECOND;

    private NewWork() {}

    /** Lets the client begin transactions until one commits; throws {@link Broken} when none does. */
    static void commits(World world, SimulatedClient client) {
        long end = world.nanos() + PATIENCE_NANOS;
        ClientTransaction tx = client.beginLast();
        while (tx == null || tx.outcome != Outcome.COMMITTED) {
            ClientTransaction last = tx;
            Broken.unless(world.nanos() < end, () -> "Termination: " + client.process() + " " + why(last));
            world.run(world.nanos() + SECOND);
            tx = tx == null || (tx.isOver() && tx.outcome != Outcome.COMMITTED) ? client.beginLast() : tx;
        }
    }

    private static String why(@Nullable ClientTransaction last) {
        return last == null
                ? "cannot begin any more, though nothing goes wrong"
                : "cannot commit any more, though nothing goes wrong: " + last.id + " ended as " + last.outcome;
    }
}
