package io.troth.chaos.sim;

import io.troth.chaos.sim.log.LeaderLog;
import io.troth.chaos.sim.log.LogStore;
import io.troth.chaos.sim.world.Broken;
import io.troth.chaos.sim.world.SimProcess;
import io.troth.coordinator.engine.Recovered;
import io.troth.core.coordinator.CoordinatorLimits;
import io.troth.core.coordinator.CoordinatorStateMachine;
import io.troth.core.coordinator.LeaderView;
import java.util.Arrays;

/** What the log of a whole run says when it is read again: what its coordinators said while they lived. */
final class Replay {

    private final LogStore store;
    private final Ledger ledger;
    private final CoordinatorLimits limits;

    Replay(LogStore store, Ledger ledger, CoordinatorLimits limits) {
        this.store = store;
        this.ledger = ledger;
        this.limits = limits;
    }

    /**
     * Recovers twice from the disk as the run leaves it. Afterwards nothing can be written to it any more.
     *
     * @param process whose life does not matter
     * @param last the last leader, when all is over
     */
    void check(SimProcess process, LeaderView last) {
        byte[] once = recovered(process, last);
        byte[] again = recovered(process, last);
        Broken.unless(Arrays.equals(once, again), () -> "Replay: two recoveries from one log differ");
    }

    private byte[] recovered(SimProcess process, LeaderView last) {
        LeaderLog log = store.open(process);
        CoordinatorStateMachine machine = new CoordinatorStateMachine(0, limits);
        Recovered recovered = log.recover(machine::apply);
        Broken.unless(
                last.epoch() != null && last.epoch().number() == recovered.highestEpoch(),
                () -> "Replay: epoch " + recovered.highestEpoch() + " is the last one in the log of " + last);
        int unended = machine.view().unended();
        Broken.unless(
                unended == last.unended(), () -> "Replay: " + unended + " COMMITs without END in the log of " + last);
        ledger.replayed(log::find);
        return machine.encode();
    }
}
