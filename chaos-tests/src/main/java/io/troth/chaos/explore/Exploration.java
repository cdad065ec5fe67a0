package io.troth.chaos.explore;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Explores several scopes, some at a time, and says what came out of it: a line each, and one for all at the end. */
final class Exploration {

    private static final long PROGRESS_NANOS = 10_000_000_000L;

    private final PrintStream out;
    private final boolean progress;

    /** {@code progress}: a line every ten seconds for each scope that is being explored. */
    Exploration(PrintStream out, boolean progress) {
        this.out = out;
        this.progress = progress;
    }

    /**
     * Explores all of these.
     *
     * @param statesMax how many worlds of each, 0 for as many as each scope says
     * @return one result for each scope, in the same order
     */
    List<ExploreResult> run(List<Scope> scopes, long statesMax, int threads) throws InterruptedException {
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            List<Future<ExploreResult>> futures = new ArrayList<>();
            for (Scope scope : scopes) {
                futures.add(pool.submit(() -> {
                    ExploreResult result =
                            Explorer.run(scope, statesMax == 0 ? scope.states : statesMax, new Lines(scope.name));
                    say(result);
                    return result;
                }));
            }
            List<ExploreResult> results = new ArrayList<>();
            for (Future<ExploreResult> future : futures) {
                results.add(future.get());
            }
            return results;
        } catch (ExecutionException broken) {
            throw new IllegalStateException("the explorer itself has failed", broken.getCause());
        } finally {
            pool.shutdownNow();
        }
    }

    private void say(ExploreResult result) {
        StringBuilder text = new StringBuilder(result.line());
        int number = 0;
        for (String step : result.path()) {
            text.append(System.lineSeparator()).append(String.format(Locale.ROOT, "  %2d. %s", ++number, step));
        }
        out.println(text);
    }

    /** Says of one scope how far it is, and how fast it has been since the last line. */
    private final class Lines implements Explorer.Progress {

        private final String scope;
        private long last = System.nanoTime();
        private int statesThen;

        Lines(String scope) {
            this.scope = scope;
        }

        @Override
        public void at(int states, int depth) {
            long nanos = System.nanoTime() - last;
            if (progress && nanos >= PROGRESS_NANOS) {
                out.println(String.format(
                        Locale.ROOT,
                        "%-20s %,11d states, depth %2d, %,8.0f states/s",
                        scope,
                        states,
                        depth,
                        (states - statesThen) / (nanos / 1e9)));
                last += nanos;
                statesThen = states;
            }
        }
    }

    /** All histograms in one. */
    static Pairs pairs(List<ExploreResult> results) {
        Pairs all = new Pairs();
        results.forEach(result -> all.add(result.pairs()));
        return all;
    }

    /** The last line. */
    static String summary(List<ExploreResult> results) {
        long states = 0;
        int depth = 0;
        String violation = "no violation";
        for (ExploreResult result : results) {
            states += result.states();
            depth = Math.max(depth, result.depth());
            if (result.violation() != null) {
                violation = "VIOLATION in " + result.scope();
            }
        }
        return states + " states, depth " + depth + ", " + violation;
    }
}
