package io.troth.chaos.sim;

import io.troth.chaos.sim.world.World;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.coordinator.Notice;
import io.troth.core.coordinator.TransactionState;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Watches where every transaction stands at its leader, and counts what is worth seeing. One thread. */
final class Scout {

    private final World world;
    private final Map<GlobalTxId, TransactionState> states = new HashMap<>();
    private final Set<GlobalTxId> ended = new HashSet<>();

    Scout(World world) {
        this.world = world;
    }

    /** An enlist is on its way to the machine. */
    void enlists(GlobalTxId tx) {
        if (!ended.contains(tx)) {
            states.putIfAbsent(tx, TransactionState.ACTIVE);
        }
    }

    void heard(Notice notice) {
        if (notice instanceof Notice.StateChanged changed) {
            states.put(changed.tx(), changed.to());
            if (changed.to() == TransactionState.ONE_PHASE) {
                world.saw("one phase");
            }
        } else if (notice instanceof Notice.Ended ended) {
            states.remove(ended.tx());
            this.ended.add(ended.tx());
            if (ended.reason() != null) {
                world.saw("ended because of " + ended.reason().code());
                if (ended.outcome() == Outcome.UNKNOWN && ended.reason().code() == ErrorCode.UNKNOWN_TRANSACTION) {
                    world.saw("ended by a branch, unheard of");
                }
            }
        } else if (notice instanceof Notice.Fenced) {
            world.saw("fenced COMMIT");
        } else if (notice instanceof Notice.Ready ready && ready.inDoubt() > 0) {
            world.saw("COMMIT found by a new leader");
        } else if (notice instanceof Notice.Alarm alarm) {
            world.saw("alarm " + alarm.reason().code());
        } else if (notice instanceof Notice.ResolvedElsewhere) {
            world.saw("resolved elsewhere");
        } else if (notice instanceof Notice.RequestRefused refused) {
            world.saw("refused " + refused.reason().code());
        }
    }

    /** The leader is gone: what was open at it, it can no more decide. */
    void leaderChanges() {
        states.values().stream().distinct().forEach(state -> world.saw("leader change in " + state));
        states.clear();
    }
}
