package io.troth.bench.recovery;

import io.troth.bench.contender.Step;
import io.troth.bench.contender.Work;
import io.troth.bench.run.ProcessLook;
import io.troth.bench.troth.NoopAgents;
import io.troth.bench.troth.ProductProcess;
import io.troth.chaos.process.Children;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Fills a log, starts a coordinator on it, looks at its memory and lets it work. */
final class SizeRun {

    /** Enough for everybody to share a forced write. */
    private static final int IN_FLIGHT = 256;

    private static final List<String> ROOM = List.of("--transactions-open-max", "10000000");

    private final Children children;
    private final int warmUp;
    private final Duration load;

    /**
     * The settings of all sizes.
     *
     * @param warmUp how many transactions run before their cost is measured
     * @param load how long it is then measured
     */
    SizeRun(Children children, int warmUp, Duration load) {
        this.children = children;
        this.warmUp = warmUp;
        this.load = load;
    }

    /** Measures in a new directory. */
    Size measure(Path directory, long transactions, boolean ended) throws Exception {
        LogFiller.fill(directory, transactions, ended);
        long logBytes = bytes(directory);
        long start = System.nanoTime();
        ProductProcess coordinator =
                ProductProcess.coordinator(children, "coordinator-" + directory.getFileName(), directory, ROOM);
        double ready = seconds(start);
        try (NoopAgents agents = new NoopAgents(coordinator)) {
            long heap = ProcessLook.liveHeapBytes(coordinator.pid());
            drive(agents, warmUp, Duration.ofDays(1));
            Duration before = cpu(coordinator.pid());
            long began = System.nanoTime();
            long count = drive(agents, Long.MAX_VALUE, load);
            double took = seconds(began);
            double micros = (double) cpu(coordinator.pid()).minus(before).toNanos() / 1_000 / count;
            return new Size(transactions, ended, logBytes, ready, heap, count / took, micros);
        }
    }

    private static double seconds(long since) {
        return (System.nanoTime() - since) / 1e9;
    }

    /** User and system, from the kernel. */
    private static Duration cpu(long pid) {
        return ProcessHandle.of(pid)
                .flatMap(process -> process.info().totalCpuDuration())
                .orElseThrow(() -> new IllegalStateException("CPU time of a process is not told here"));
    }

    private static long bytes(Path directory) throws IOException {
        try (var files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile)
                    .mapToLong(file -> file.toFile().length())
                    .sum();
        }
    }

    /** Keeps 256 in flight until so many have begun or the time is over; returns how many were committed. */
    private static long drive(NoopAgents agents, long transactions, Duration limit) throws InterruptedException {
        ExecutorService next = Executors.newSingleThreadExecutor();
        try {
            Loop loop = new Loop(agents, next, transactions, System.nanoTime() + limit.toNanos());
            for (int i = 0; i < IN_FLIGHT; i++) {
                next.execute(loop);
            }
            loop.ended.await();
            if (loop.failed.get() > 0) {
                throw new IllegalStateException(loop.failed + " transactions failed");
            }
            return loop.committed.get();
        } finally {
            next.shutdown();
            next.awaitTermination(1, TimeUnit.MINUTES);
        }
    }

    /** Each call begins one transaction, and asks for the next call when it is over. */
    private static final class Loop implements Runnable {

        private final NoopAgents agents;
        private final ExecutorService next;
        private final AtomicLong budget;
        private final long deadline;
        private final AtomicLong committed = new AtomicLong();
        private final AtomicLong failed = new AtomicLong();
        private final CountDownLatch ended = new CountDownLatch(IN_FLIGHT);

        Loop(NoopAgents agents, ExecutorService next, long transactions, long deadline) {
            this.agents = agents;
            this.next = next;
            this.budget = new AtomicLong(transactions);
            this.deadline = deadline;
        }

        @Override
        public void run() {
            if (budget.getAndDecrement() <= 0 || System.nanoTime() - deadline >= 0) {
                ended.countDown();
                return;
            }
            Work work = new Work(1, List.of(new Step(0, 0, -1), new Step(1, 0, 1)));
            agents.submit(work).whenComplete((result, cause) -> {
                (cause == null ? committed : failed).incrementAndGet();
                next.execute(this);
            });
        }
    }
}
