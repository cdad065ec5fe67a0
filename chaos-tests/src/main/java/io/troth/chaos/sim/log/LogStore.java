package io.troth.chaos.sim.log;

import io.troth.chaos.sim.world.SimProcess;
import java.util.function.LongSupplier;

/** What outlives the coordinators of a simulation: their decisions. One thread. */
public interface LogStore {

    /** The log for a process that leads now, after the last leader has ended. */
    LeaderLog open(SimProcess process);

    /** The log for a process that takes over from one that lives on and does not know. */
    LeaderLog takeOver(SimProcess process);

    /** The leader's machine loses its power, and its process has died with it. */
    void losePower();

    /** Flips a bit of what the next leader would read; false when there is nothing that could be flipped. */
    boolean decay();

    /** Puts a flipped bit right, as from a good copy. */
    void restore();

    /**
     * Takes a backup of the log.
     *
     * @return brings it back, when no coordinator is up, as {@code troth log restore} does: with a DISTRUST; says up to
     *     which epoch the absence of a record means nothing
     */
    LongSupplier backup();
}
