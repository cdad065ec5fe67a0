package io.troth.chaos.sim.world;

import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The clock and the queue of a simulation. Time passes only from one planned thing to the next. All chance comes from two
 * streams of the seed: one for faults and one for everything else, so that leaving a fault out changes the rest as little
 * as possible. The same plan gives the same run, on any machine. One thread.
 */
public final class World {

    private static final long MICRO = 1_000;
    private static final long MILLI = 1_000_000;

    /** Shorter than the keep-alive's patience: a connection on which a message takes longer would be given up. */
    private static final long DELAY_NANOS_MAX = 4_000 * MILLI;

    /** Something that will happen. */
    public static final class Task implements Comparable<Task> {
        private final long nanos;
        private final long number;
        private final @Nullable SimProcess process;
        private final int life;
        private final Supplier<String> what;
        private final Runnable body;
        private boolean cancelled;

        private Task(long nanos, long number, @Nullable SimProcess process, Supplier<String> what, Runnable body) {
            this.nanos = nanos;
            this.number = number;
            this.process = process;
            this.life = process == null ? 0 : process.life();
            this.what = what;
            this.body = body;
        }

        /** It will not happen. */
        public void cancel() {
            cancelled = true;
        }

        @Override
        public int compareTo(Task other) {
            int byTime = Long.compare(nanos, other.nanos);
            return byTime != 0 ? byTime : Long.compare(number, other.number);
        }
    }

    private final Plan plan;
    private final Sights sights;
    private final @Nullable List<String> trace;
    private final SplittableRandom random;
    private final SplittableRandom faultRandom;
    private final PriorityQueue<Task> queue = new PriorityQueue<>();
    private final List<SimProcess> processes = new ArrayList<>();
    private final Network network;
    private boolean faulty = true;
    private int faults;
    private int slowness = 1;
    private long now;
    private long numbers;

    /** {@code trace} takes the schedule in event order; null when nobody wants it. */
    public World(Plan plan, Sights sights, @Nullable List<String> trace) {
        this.plan = plan;
        this.sights = sights;
        this.trace = trace;
        SplittableRandom all = new SplittableRandom(plan.seed());
        random = all.split();
        faultRandom = all.split();
        network = new Network(this);
    }

    public Plan plan() {
        return plan;
    }

    /** Nanoseconds since the simulation began. */
    public long nanos() {
        return now;
    }

    /** Chance, but for faults. */
    public SplittableRandom random() {
        return random;
    }

    /** Chance for what faults do. */
    public SplittableRandom faultRandom() {
        return faultRandom;
    }

    public Network network() {
        return network;
    }

    public SimProcess process(String name) {
        SimProcess process = new SimProcess(this, name);
        processes.add(process);
        return process;
    }

    /** Plans something for no process: the world itself, a disk, a wire. */
    public Task after(long nanos, Supplier<String> what, Runnable body) {
        return plan(nanos, null, what, body);
    }

    /** Plans something that this process does then, if it lives as it lives now; while it is paused it waits. */
    public Task after(long nanos, SimProcess process, Supplier<String> what, Runnable body) {
        return plan(nanos, process, what, body);
    }

    private Task plan(long nanos, @Nullable SimProcess process, Supplier<String> what, Runnable body) {
        Task task = new Task(now + Math.max(0, nanos), numbers++, process, what, body);
        queue.add(task);
        return task;
    }

    void again(Task held) {
        Task task = plan(0, held.process, held.what, held.body);
        task.cancelled = held.cancelled;
    }

    /** How long something takes that is short by nature: a message, a statement, a flush. Nanoseconds. */
    public long shortDelay() {
        return Math.min(DELAY_NANOS_MAX, slowness * ordinaryDelay());
    }

    /** From now on everything takes so many times longer. */
    public void slowDown(int times) {
        slowness = times;
    }

    /** Everything takes as long as usual again. */
    public void hurry() {
        slowness = 1;
    }

    private long ordinaryDelay() {
        return switch (plan.delay()) {
            case SHORT -> random.nextLong(100 * MICRO);
            case EVEN -> random.nextLong(4 * MILLI);
            case WILD ->
                random.nextInt(8) > 0
                        ? random.nextLong(300 * MICRO)
                        : random.nextInt(12) > 0 ? random.nextLong(20 * MILLI) : random.nextLong(800 * MILLI);
        };
    }

    /** Whether things may still go wrong. */
    public boolean isFaulty() {
        return faulty;
    }

    /** From now on nothing goes wrong any more. */
    public void becomeQuiet() {
        note(() -> "--- failures stop");
        faulty = false;
    }

    /** At an occasion for this kind of fault: whether it happens now. Counts it. */
    public boolean fault(Fault kind) {
        Integer rarer = faulty ? plan.faults().get(kind) : null;
        return rarer != null && faultRandom.nextInt(kind.oneIn() * rarer) == 0 && happens(kind);
    }

    /** A fault whose time has come: false when it is left out of this run. Counts it. */
    public boolean happens(Fault kind) {
        int number = ++faults;
        if (plan.skipped().contains(number) || plan.suppressed().contains(kind)) {
            return false;
        }
        sights.saw("fault " + kind);
        note(() -> "!!! fault " + number + " " + kind);
        return true;
    }

    /** The number of the last fault. */
    public int faults() {
        return faults;
    }

    /** Where everything noteworthy is counted. */
    public Sights sights() {
        return sights;
    }

    /** Something noteworthy happened. */
    public void saw(String sight) {
        sights.saw(sight);
    }

    /** A line of the schedule. */
    public void note(Supplier<String> line) {
        if (trace != null) {
            trace.add(String.format("%,15d %s", now / MICRO, line.get()));
        }
    }

    /** Lets happen what is planned until then. */
    public void run(long untilNanos) {
        while (true) {
            Task task = queue.peek();
            if (task == null || task.nanos > untilNanos) {
                now = Math.max(now, untilNanos);
                return;
            }
            queue.remove();
            now = task.nanos;
            if (!task.cancelled) {
                carryOut(task);
            }
        }
    }

    private void carryOut(Task task) {
        SimProcess process = task.process;
        if (process != null) {
            if (!process.isUp() || process.life() != task.life) {
                return;
            }
            if (process.isPaused()) {
                process.hold(task);
                return;
            }
        }
        if (trace != null) {
            String what = task.what.get();
            if (!what.isEmpty()) {
                note(() -> process == null ? what : process.name() + ": " + what);
            }
        }
        try {
            task.body.run();
        } catch (Crash crash) {
            note(crash::toString);
        }
    }
}
