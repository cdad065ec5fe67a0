package io.troth.chaos.sim.world;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * A process of the simulated system: it lives, dies and lives again, stands still for a while, and has a monotonic clock
 * of its own that starts anywhere and does not run at quite the same rate as others'. What was planned for one life does
 * not happen in the next.
 */
public final class SimProcess {

    private static final long MILLION = 1_000_000;

    private final World world;
    private final String name;
    private final List<World.Task> held = new ArrayList<>();
    private Runnable crashes = () -> {};
    private int life;
    private boolean up;
    private boolean paused;
    private long clockStart;
    private long clockBase;
    private long rate = MILLION;

    SimProcess(World world, String name) {
        this.world = world;
        this.name = name;
    }

    public String name() {
        return name;
    }

    public boolean isUp() {
        return up;
    }

    public boolean isPaused() {
        return paused;
    }

    /** Counts the lives, from 1. */
    public int life() {
        return life;
    }

    /** A new life begins, with a new clock. {@code crashes} is called when it ends. */
    public void start(Runnable crashes) {
        if (up) {
            throw new IllegalStateException(name + " is up");
        }
        life++;
        up = true;
        this.crashes = crashes;
        clockStart = world.nanos();
        clockBase = world.random().nextLong(1L << 40);
        // Up to a fifth faster or slower: far worse than any real clock.
        rate = MILLION + (world.plan().clocksDiffer() ? world.random().nextLong(-200_000, 200_001) : 0);
    }

    /** Dies at once. Nothing that was planned for this life happens. */
    public void crash() {
        if (up) {
            up = false;
            paused = false;
            held.clear();
            world.network().died(this);
            Runnable hook = crashes;
            crashes = () -> {};
            hook.run();
        }
    }

    /** Dies in the middle of what it is doing. */
    public Crash die() {
        crash();
        return new Crash(name);
    }

    /** Stands still: what reaches it waits. */
    public void pause() {
        paused = up;
    }

    /** Goes on. */
    public void resume() {
        if (paused) {
            paused = false;
            List<World.Task> waiting = List.copyOf(held);
            held.clear();
            waiting.forEach(world::again);
        }
    }

    void hold(World.Task task) {
        held.add(task);
    }

    /** What {@code System.nanoTime} would say. */
    public long nanoTime() {
        return clockBase + (world.nanos() - clockStart) * rate / MILLION;
    }

    /** Does something after this time by its own clock, if it still lives then. */
    public World.Task after(long ownNanos, Supplier<String> what, Runnable body) {
        return world.after((long) Math.ceil(ownNanos * (double) MILLION / rate) + 1, this, what, body);
    }

    @Override
    public String toString() {
        return name;
    }
}
