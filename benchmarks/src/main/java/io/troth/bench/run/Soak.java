package io.troth.bench.run;

import io.troth.bench.contender.Running;
import io.troth.bench.contender.Suite;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One contender under full load for a long time, whose processes are looked at again and again; at the end the money is
 * counted. One thread; used once.
 */
public final class Soak {

    /** The callers' process, this one. */
    public static final String CALLERS = "callers";

    private final Plan plan;
    private final Duration pause;
    private final Consumer<String> progress;

    /**
     * The processes at one moment.
     *
     * @param seconds since the load began
     * @param committed transactions since then
     * @param processes by name: {@link #CALLERS} and those of the contender
     */
    public record Sample(double seconds, long committed, Map<String, ProcessLook> processes) {

        public Sample {
            processes = new LinkedHashMap<>(processes);
        }
    }

    /**
     * What came out.
     *
     * @param wrong why it does not count; empty when it does
     */
    public record Outcome(List<Sample> samples, String wrong) {

        public Outcome {
            samples = List.copyOf(samples);
        }
    }

    /**
     * A soak that has not begun.
     *
     * @param plan its first contender, its highest level, and as long as its turn; rounds mean nothing
     * @param pause between two looks
     * @param progress gets a line for each look
     */
    public Soak(Plan plan, Duration pause, Consumer<String> progress) {
        this.plan = plan;
        this.pause = pause;
        this.progress = progress;
    }

    /** Runs all of it. */
    public Outcome run() throws Exception {
        boolean postgres = plan.contenders().get(0).suite() == Suite.POSTGRES;
        try (Scratch scratch = new Scratch("troth-soak-");
                Servers servers = postgres
                        ? Servers.start(
                                scratch.children(),
                                scratch.directory().path(),
                                plan.mix().databases())
                        : null) {
            return run(scratch, servers);
        }
    }

    private Outcome run(Scratch scratch, @Nullable Servers servers) throws Exception {
        Bank bank = servers == null ? null : new Bank(servers);
        List<Sample> samples = new ArrayList<>();
        var contender = plan.contenders().get(0);
        try (Running running = contender.open(new Surroundings(contender, plan, scratch, servers))) {
            AtomicLong numbers = new AtomicLong();
            ClosedLoop warmUp = new ClosedLoop(running, plan.mix(), numbers, plan.warmUpInFlight(), plan.warmUp());
            warmUp.start();
            warmUp.awaitEnd(Bench.STUCK, () -> {});
            String wrong = Bench.problem(warmUp, bank);
            if (!wrong.isEmpty()) {
                return new Outcome(samples, wrong);
            }
            ClosedLoop loop = new ClosedLoop(running, plan.mix(), numbers, plan.inFlightMax(), Long.MAX_VALUE);
            long start = System.nanoTime();
            loop.start();
            loop.awaitFirst(Bench.STUCK);
            do {
                loop.awaitEnd(pause);
                Sample sample = look(start, loop, running);
                samples.add(sample);
                progress.accept(text(sample));
            } while (System.nanoTime() - start < plan.turn().toNanos());
            loop.stop();
            loop.awaitEnd(Bench.STUCK, () -> {});
            return new Outcome(samples, Bench.problem(loop, bank));
        }
    }

    private static Sample look(long start, ClosedLoop loop, Running running) throws Exception {
        Map<String, ProcessLook> processes = new LinkedHashMap<>();
        double seconds = (System.nanoTime() - start) / 1e9;
        long committed = loop.committed();
        processes.put(CALLERS, ProcessLook.at(ProcessHandle.current().pid()));
        for (Map.Entry<String, Long> process : running.processes().entrySet()) {
            processes.put(process.getKey(), ProcessLook.at(process.getValue()));
        }
        return new Sample(seconds, committed, processes);
    }

    private static String text(Sample sample) {
        StringBuilder text =
                new StringBuilder(String.format("%5.0f s, %,d committed", sample.seconds(), sample.committed()));
        sample.processes()
                .forEach((name, look) -> text.append(String.format(
                        "; %s: %.1f MB alive, %.0f MB resident, %d handles, %d threads",
                        name, look.heapBytes() / 1e6, look.residentBytes() / 1e6, look.handles(), look.threads())));
        return text.toString();
    }
}
