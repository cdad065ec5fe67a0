package io.troth.chaos.sim.log;

import io.troth.coordinator.engine.DecisionLog;

/** The decision log as the leader of a simulation has it, and what its disk says. One thread. */
public interface LeaderLog extends DecisionLog {

    /** The disk is full from now on, or there is room again. */
    void reportFree(boolean aboveFloor, boolean nothingLeft);
}
