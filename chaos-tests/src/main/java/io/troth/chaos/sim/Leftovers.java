package io.troth.chaos.sim;

import io.troth.chaos.sim.world.Broken;
import io.troth.chaos.sim.world.World;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LeaderView;
import org.jspecify.annotations.Nullable;

/** When all has ended and is closed, nothing is left of it: nothing waits for an operator, and nothing stays in the log. */
final class Leftovers {

    private static final long SECOND = 1_000_000_000;
    /** Two boundaries, one after the other: the outcome retention, and the next list of what is prepared, by a slow clock. */
    private static final long PATIENCE_NANOS = 120 * SECOND;

    private Leftovers() {}

    /** Lets time pass until nothing is left; throws {@link Broken} when something stays. */
    static void vanish(World world, Run run) {
        long end = world.nanos() + PATIENCE_NANOS;
        String left = left(run);
        while (left != null) {
            String what = left;
            Broken.unless(world.nanos() < end, () -> "Bounded memory: for ever, " + what);
            world.run(world.nanos() + 2 * SECOND);
            left = left(run);
        }
    }

    private static @Nullable String left(Run run) {
        LeaderView view = run.leader().view();
        if (view == null || view.leftAlone() > 0 || !view.held().isEmpty()) {
            return "though nothing is in doubt, the leader holds " + view;
        }
        GlobalTxId kept = run.forgetsSoon() ? run.ledger.unpurged() : null;
        return kept == null ? null : "the log keeps " + kept;
    }
}
