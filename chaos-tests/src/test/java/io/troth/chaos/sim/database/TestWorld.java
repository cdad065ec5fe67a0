package io.troth.chaos.sim.database;

import java.util.Comparator;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** A virtual clock and one queue: the least world that a simulated database can stand in. */
final class TestWorld implements Surroundings {

    private record Task(long nanos, long number, Runnable body) {}

    private static final Comparator<Task> ORDER =
            Comparator.comparingLong(Task::nanos).thenComparingLong(Task::number);

    private final PriorityQueue<Task> queue = new PriorityQueue<>(ORDER);
    private final SplittableRandom random;
    final Map<String, Integer> sights = new TreeMap<>();
    /** How often each fault happens by itself, per 10,000 occasions. */
    final Map<DatabaseFault, Integer> odds = new TreeMap<>();

    private long now;
    private long numbers;

    TestWorld(long seed) {
        random = new SplittableRandom(seed);
    }

    @Override
    public long nowNanos() {
        return now;
    }

    @Override
    public void schedule(long delayNanos, Runnable task) {
        queue.add(new Task(now + delayNanos, numbers++, task));
    }

    @Override
    public long delayNanos() {
        return random.nextLong(TimeUnit.MICROSECONDS.toNanos(1_500));
    }

    @Override
    public SplittableRandom random() {
        return random;
    }

    @Override
    public boolean strikes(DatabaseFault fault) {
        return odds.containsKey(fault) && random.nextInt(10_000) < odds.get(fault);
    }

    @Override
    public void happened(String what) {
        sights.merge(what, 1, Integer::sum);
    }

    boolean saw(DatabaseFault fault) {
        return sights.containsKey(fault.counter());
    }

    /** Lets this much time pass. */
    void run(long millis) {
        long end = now + TimeUnit.MILLISECONDS.toNanos(millis);
        Task next = queue.peek();
        while (next != null && next.nanos() <= end) {
            queue.remove();
            now = next.nanos();
            next.body().run();
            next = queue.peek();
        }
        now = end;
    }

    /** Lets time pass until something is so, but no longer than this. */
    void runUntil(BooleanSupplier isSo, long millis) {
        long end = now + TimeUnit.MILLISECONDS.toNanos(millis);
        while (!isSo.getAsBoolean() && now < end) {
            run(1);
        }
    }
}
