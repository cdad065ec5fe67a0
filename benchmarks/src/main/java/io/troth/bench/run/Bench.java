package io.troth.bench.run;

import io.troth.bench.contender.Contender;
import io.troth.bench.contender.Environment;
import io.troth.bench.contender.Running;
import io.troth.bench.contender.Suite;
import io.troth.chaos.process.ChildProcess;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One run. All contenders are opened and warmed up at the beginning and stay open; at each level they take turns: A B C,
 * A B C. So whatever changes on the machine meanwhile changes for all of them, and a ratio is that of two turns of the
 * same round. Not thread-safe; used once.
 */
public final class Bench {

    /** Each level begins with this part of the warm-up, at the level. */
    private static final int WARM_UP_PART = 50;

    /** A contender of which nothing has ended for so long is stuck: longer than any of them lets a transaction live. */
    static final Duration STUCK = Duration.ofMinutes(2);

    /** PostgreSQL's connections tell what they did at most 10 s after their last transaction. */
    private static final long COUNTED_MILLIS = 10_500;

    private static final long ENDED_NANOS = 5_000_000_000L;
    private static final long ENDED_PAUSE_MILLIS = 50;

    private static final double FAILED_SHARE_MAX = 0.01;

    /** What a counter that is read while others run may miss. */
    private static final double FORCES_SHARE_MIN = 0.9;

    private final Plan plan;
    private final Consumer<String> progress;
    private final boolean countsDatabaseForces;
    private final Duration stuck;
    private final AtomicLong numbers = new AtomicLong();
    private final List<Opened> open = new ArrayList<>();
    private final List<Turn> turns = new ArrayList<>();
    private final Map<String, String> wrong = new HashMap<>();
    private final Map<String, String> absent = new HashMap<>();
    private final Map<String, Double> databaseForces = new HashMap<>();
    private double databaseForcesClaimed;
    private long startNanos;

    /** A contender that is open, and what is known of it. */
    private static final class Opened {
        final Contender contender;
        final Running running;
        long transactions;
        long databaseForces;

        Opened(Contender contender, Running running) {
            this.contender = contender;
            this.running = running;
        }
    }

    /**
     * A run that has not begun.
     *
     * @param progress gets a line for each thing that is done
     * @param countsDatabaseForces whether to wait 10 s at the end of each level for the databases' own counts; without,
     *     they are only checked in sum, at the end
     */
    public Bench(Plan plan, Consumer<String> progress, boolean countsDatabaseForces) {
        this(plan, progress, countsDatabaseForces, STUCK);
    }

    Bench(Plan plan, Consumer<String> progress, boolean countsDatabaseForces, Duration stuck) {
        this.plan = plan;
        this.progress = progress;
        this.countsDatabaseForces = countsDatabaseForces;
        this.stuck = stuck;
    }

    /** Runs. What a contender does wrong is in the result; what is thrown is wrong with the harness or the machine. */
    public Result run() throws Exception {
        startNanos = System.nanoTime();
        boolean postgres = plan.contenders().get(0).suite() == Suite.POSTGRES;
        try (Scratch scratch = new Scratch("troth-bench-")) {
            if (postgres) {
                progress.accept("starting two PostgreSQL servers");
            }
            try (Servers servers = postgres
                    ? Servers.start(
                            scratch.children(),
                            scratch.directory().path(),
                            plan.mix().databases())
                    : null) {
                measure(scratch, servers);
            }
        }
        return new Result(plan, turns, wrong, absent, databaseForces);
    }

    private void measure(Scratch scratch, @Nullable Servers servers) throws Exception {
        Bank bank = servers == null ? null : new Bank(servers);
        long forcedBefore = servers == null ? 0 : servers.forced();
        CpuMeter meter = new CpuMeter(servers == null ? Set.of() : servers.pids());
        try {
            for (Contender contender : plan.contenders()) {
                open(contender, new Surroundings(contender, plan, scratch, servers), bank);
            }
            if (servers != null && countsDatabaseForces) {
                countDatabaseForces(plan.warmUpInFlight(), servers);
                databaseForces.clear();
            }
            for (int inFlight : plan.levels()) {
                level(inFlight, meter, bank, servers);
                if (servers != null && countsDatabaseForces) {
                    countDatabaseForces(inFlight, servers);
                }
            }
        } finally {
            for (Opened each : open) {
                close(each);
            }
        }
        if (servers != null) {
            checkAfterwards(servers, forcedBefore);
        }
    }

    private void open(Contender contender, Environment environment, @Nullable Bank bank) {
        progress.accept("opening and warming up " + contender.name());
        List<ChildProcess> others = environment.children().running();
        try {
            Opened opened = new Opened(contender, contender.open(environment));
            open.add(opened);
            int inFlight = Math.min(contender.inFlightMax(), plan.warmUpInFlight());
            String problem = warmUp(opened, inFlight, plan.warmUp(), bank);
            if (!problem.isEmpty()) {
                throw new IllegalStateException(problem);
            }
        } catch (Exception e) {
            drop(contender, String.valueOf(e), bank);
            // It may have come half the way.
            environment.children().running().stream()
                    .filter(child -> !others.contains(child))
                    .forEach(ChildProcess::close);
        }
    }

    /** Ends a contender that has broken; the others go on. */
    private void drop(Contender contender, String why, @Nullable Bank bank) {
        absent.put(contender.name(), why);
        progress.accept(contender.name() + " does not take part: " + why);
        List<Opened> its =
                open.stream().filter(each -> each.contender.equals(contender)).toList();
        open.removeAll(its);
        if (bank == null) {
            its.forEach(this::close);
        } else {
            bank.expel(contender.name(), () -> its.forEach(this::close));
        }
    }

    /** Returns what went wrong, or nothing. */
    private String warmUp(Opened opened, int inFlight, int transactions, @Nullable Bank bank)
            throws InterruptedException {
        ClosedLoop loop = new ClosedLoop(opened.running, plan.mix(), numbers, inFlight, transactions);
        loop.start();
        loop.awaitEnd(
                stuck,
                () -> progress.accept(String.format(
                        "%-22s %5d in flight, warming up: %,d of %,d",
                        opened.contender.name(), inFlight, loop.committed(), transactions)));
        opened.transactions += loop.committed();
        return problem(loop, bank);
    }

    /** Returns what went wrong in a loop that has ended, or nothing. */
    static String problem(ClosedLoop loop, @Nullable Bank bank) throws InterruptedException {
        String money = bank == null ? "" : bank.check(loop.ledger());
        if (!money.isEmpty()) {
            return money;
        }
        long all = loop.committed() + loop.failed();
        return loop.failed() > FAILED_SHARE_MAX * all
                ? loop.failed() + " of " + all + " failed, the first with " + loop.failure()
                : "";
    }

    private void level(int inFlight, CpuMeter meter, @Nullable Bank bank, @Nullable Servers servers) throws Exception {
        List<Opened> present = open.stream()
                .filter(each -> inFlight <= each.contender.inFlightMax())
                .toList();
        for (Opened each : present) {
            try {
                int transactions = Math.max(inFlight, plan.warmUp() / WARM_UP_PART);
                note(each, inFlight, warmUp(each, inFlight, transactions, bank));
            } catch (RuntimeException e) {
                drop(each.contender, "broke at " + inFlight + " in flight: " + e, bank);
            }
        }
        for (int round = 1; round <= plan.rounds(); round++) {
            for (Opened each : present) {
                if (open.contains(each)) {
                    if (servers != null && countsDatabaseForces) {
                        servers.forces().look();
                    }
                    turn(each, inFlight, round, meter, bank);
                }
            }
        }
        present.forEach(each -> checkForces(each, inFlight));
    }

    private void turn(Opened opened, int inFlight, int round, CpuMeter meter, @Nullable Bank bank)
            throws InterruptedException {
        ClosedLoop loop = new ClosedLoop(opened.running, plan.mix(), numbers, inFlight, Long.MAX_VALUE);
        Turn turn;
        try {
            turn = measure(opened, loop, inFlight, round, meter);
        } catch (RuntimeException e) {
            loop.stop();
            drop(opened.contender, "broke at " + inFlight + " in flight: " + e, bank);
            return;
        }
        opened.transactions += loop.committed();
        databaseForcesClaimed += (double) claimedAtDatabases(opened) * loop.committed() / inFlight;
        turns.add(turn);
        note(opened, inFlight, problem(loop, bank));
        progress.accept(String.format(
                "%-22s %5d in flight, round %d: %9.0f tx/s, p50 %8.3f ms, p99 %8.3f ms, %7.1f CPU-us/tx %s",
                turn.contender(),
                inFlight,
                round,
                turn.throughput(),
                turn.latencyMillis(50),
                turn.latencyMillis(99),
                turn.cpuMicros(),
                turn.cpu().text(Math.max(1, turn.committed()))));
    }

    /** Runs the loop for the time of a turn, and to its end. */
    private Turn measure(Opened opened, ClosedLoop loop, int inFlight, int round, CpuMeter meter)
            throws InterruptedException {
        Running running = opened.running;
        long forcedBefore = running.forcedWrites();
        CpuMeter.Reading before = meter.read();
        long start = System.nanoTime();
        loop.start();
        TimeUnit.NANOSECONDS.sleep(plan.turn().toNanos());
        loop.awaitFirst(stuck);
        // All at once, and before the looks at processes and logs, which take a while and disturb the load.
        ClosedLoop.Counted counted = loop.counted();
        CpuMeter.Reading after = meter.read();
        long forced = running.forcedWrites() - forcedBefore;
        Turn turn = new Turn(
                opened.contender.name(),
                inFlight,
                round,
                start - startNanos,
                counted.nanos(),
                counted.committed(),
                counted.failed(),
                counted.latency(),
                counted.timeline(),
                CpuMeter.between(before, after, running.processes()),
                forced);
        loop.stop();
        loop.awaitEnd(stuck, () -> {});
        return turn;
    }

    private void note(Opened opened, int inFlight, String problem) {
        if (!problem.isEmpty()) {
            wrong.putIfAbsent(Result.key(opened.contender.name(), inFlight), problem);
            progress.accept(opened.contender.name() + " at " + inFlight + " in flight: " + problem);
        }
    }

    /** With so many in flight, so many can share one force, and not more. */
    private void checkForces(Opened opened, int inFlight) {
        if (plan.mix().writers() < 2) {
            return;
        }
        List<Turn> its = turns.stream()
                .filter(turn -> turn.contender().equals(opened.contender.name()) && turn.inFlight() == inFlight)
                .toList();
        double committed = its.stream().mapToLong(Turn::committed).sum();
        double forced = its.stream().mapToLong(Turn::forced).sum();
        double claimed = opened.contender.logForcesClaimed() * committed / inFlight;
        if (forced < FORCES_SHARE_MIN * claimed) {
            note(opened, inFlight, String.format("forced its log %.0f times for %.0f transactions", forced, committed));
        }
    }

    /**
     * Branches at one server are prepared at the same time, and may share a force as others in flight do. A lone writer may
     * commit in one phase.
     */
    private int claimedAtDatabases(Opened opened) {
        int writers = plan.mix().writers();
        int each = opened.contender.databaseForcesClaimed();
        return writers == 1 ? Math.min(1, each) : each * Math.min(writers, Servers.SERVERS);
    }

    private void countDatabaseForces(int inFlight, Servers servers) throws InterruptedException {
        progress.accept("waiting for the databases' own counts");
        Thread.sleep(COUNTED_MILLIS);
        servers.forces().look();
        for (Opened each : open) {
            long forces = servers.forces().of(each.contender.name());
            double perTransaction = (double) (forces - each.databaseForces) / Math.max(1, each.transactions);
            databaseForces.put(Result.key(each.contender.name(), inFlight), perTransaction);
            if (perTransaction < FORCES_SHARE_MIN * claimedAtDatabases(each) / inFlight) {
                note(each, inFlight, String.format("forced the databases %.3f times a transaction", perTransaction));
            }
            each.databaseForces = forces;
            each.transactions = 0;
        }
    }

    private void close(Opened opened) {
        try {
            opened.running.close();
        } catch (Exception e) {
            absent.putIfAbsent(opened.contender.name(), "did not close: " + e);
        }
    }

    /** The last connections may still be about to end, and tell what they did when they have. */
    private void checkAfterwards(Servers servers, long forcedBefore) throws InterruptedException {
        long deadline = System.nanoTime() + ENDED_NANOS;
        long forced = servers.forced() - forcedBefore;
        while (forced < FORCES_SHARE_MIN * databaseForcesClaimed && System.nanoTime() - deadline < 0) {
            Thread.sleep(ENDED_PAUSE_MILLIS);
            forced = servers.forced() - forcedBefore;
        }
        if (forced < FORCES_SHARE_MIN * databaseForcesClaimed) {
            absent.put(
                    Result.EVERYBODY,
                    String.format(
                            "the databases were forced %d times, %.0f were claimed", forced, databaseForcesClaimed));
        }
    }
}
