package io.troth.chaos.sim;

import io.troth.chaos.sim.steps.StepTable;
import io.troth.chaos.sim.world.Fault;
import io.troth.chaos.sim.world.Plan;
import io.troth.chaos.sim.world.Sights;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Many seeds, on some threads: each seed has its own world, so that threads change nothing but the time it takes. */
final class Campaign {

    /**
     * What the seeds came to.
     *
     * @param seeds how many were run
     * @param failed the lowest seed that failed, null when none did
     * @param failure the property that does not hold there
     * @param surprises the pairs of steps.txt that have happened although there is a reason why they cannot, each with a
     *     seed where it did
     */
    record Summary(
            long seeds,
            @Nullable Long failed,
            @Nullable String failure,
            double simulatedSeconds,
            long transactions,
            long checks,
            long faults,
            Duration took,
            Sights sights,
            SortedMap<String, Long> surprises) {

        /** One line of figures. */
        String line() {
            double seconds = Math.max(1e-3, took.toNanos() / 1e9);
            return String.format(
                    "%,d seeds in %.1f s (%.0f a second), %.1f simulated hours, %,d transactions checked %,d times, %,d faults,"
                            + " simulated:real %,.0f:1",
                    seeds,
                    seconds,
                    seeds / seconds,
                    simulatedSeconds / 3_600,
                    transactions,
                    checks,
                    faults,
                    simulatedSeconds / seconds);
        }
    }

    private final long end;
    private final Set<Fault> allowed;
    private final AtomicLong next;
    private final AtomicLong failed = new AtomicLong(Long.MAX_VALUE);

    // Guarded by this.
    private final Sights sights = new Sights();
    private final SortedMap<String, Long> surprises = new TreeMap<>();
    private @Nullable String failure;
    private double simulatedSeconds;
    private long seeds;
    private long transactions;
    private long checks;
    private long faults;

    Campaign(long first, long seeds, Set<Fault> allowed) {
        this.end = first + seeds;
        this.allowed = allowed;
        this.next = new AtomicLong(first);
    }

    /** Runs them all, or until one fails; those below it are always run. */
    Summary run(int threads) throws InterruptedException {
        long start = System.nanoTime();
        List<Thread> workers = new ArrayList<>();
        for (int i = 1; i < threads; i++) {
            Thread worker = new Thread(this::work, "simulation-" + i);
            worker.setDaemon(true);
            worker.start();
            workers.add(worker);
        }
        work();
        for (Thread worker : workers) {
            worker.join();
        }
        Duration took = Duration.ofNanos(System.nanoTime() - start);
        synchronized (this) {
            Long bad = failed.get() == Long.MAX_VALUE ? null : failed.get();
            return new Summary(
                    seeds, bad, failure, simulatedSeconds, transactions, checks, faults, took, sights, surprises);
        }
    }

    private void work() {
        Sights own = new Sights();
        Set<String> surprised = new HashSet<>();
        for (long seed = next.getAndIncrement(); seed < end && seed < failed.get(); seed = next.getAndIncrement()) {
            Simulation.Result result = Simulation.run(Plan.of(seed, allowed), own, false);
            add(seed, result);
            for (String pair : StepTable.impossible(own)) {
                if (surprised.add(pair)) {
                    surprisedBy(pair, seed);
                }
            }
        }
        synchronized (this) {
            sights.add(own);
        }
    }

    private synchronized void surprisedBy(String pair, long seed) {
        surprises.merge(pair, seed, Math::min);
    }

    private synchronized void add(long seed, Simulation.Result result) {
        seeds++;
        simulatedSeconds += result.nanos() / 1e9;
        transactions += result.transactions();
        checks += result.checks();
        faults += result.faults();
        if (result.failure() != null && seed < failed.get()) {
            failed.set(seed);
            failure = result.failure();
        }
    }
}
