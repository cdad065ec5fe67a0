package io.troth.chaos.sim.database;

import java.util.SplittableRandom;

/** What a simulated database needs of the world that it stands in. One thread. */
public interface Surroundings {

    /** The virtual clock, which only goes forward. */
    long nowNanos();

    /**
     * Runs the task after the time, never inside this call. A process that dies in between never runs it.
     *
     * @param delayNanos not negative
     */
    void schedule(long delayNanos, Runnable task);

    /** How long a message is under way now, from a process to a server or back. */
    long delayNanos();

    /** Where all chance comes from. */
    SplittableRandom random();

    /** At an occasion for this fault: whether it happens now. */
    boolean strikes(DatabaseFault fault);

    /** Counts something that must have happened in a long run. */
    void happened(String what);
}
