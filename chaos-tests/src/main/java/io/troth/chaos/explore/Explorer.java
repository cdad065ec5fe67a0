package io.troth.chaos.explore;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Breadth first through one scope: from each world every step, each new world checked. One thread; scopes are
 * independent of each other and may be explored at the same time.
 */
public final class Explorer {

    private static final int PROGRESS_EVERY = 1 << 14;

    /** Far more worlds than are found from one look at the memory to the next. */
    private static final int WORLDS_PER_PROGRESS_MAX = PROGRESS_EVERY << 6;

    /** What is left free when memory is said to be full. */
    private static final long RESERVE_BYTES = 64L << 20;

    /** Hears from time to time how far it is. */
    interface Progress {
        void at(int states, int depth);
    }

    private final World world;
    private final Checks checks;
    private final Completion completion;
    private final Successors successors;
    private final StateTable table = new StateTable();
    private final Frontier frontier;
    private final Pairs pairs = new Pairs();
    private final long statesMax;
    private final Progress progress;

    private long transitions;
    private int depth;
    private @Nullable String violation;
    private @Nullable String stopped;
    private List<String> path = List.of();

    private Explorer(Scope scope, long statesMax, Progress progress) {
        this.statesMax = Math.min(statesMax, StateTable.WORLDS_MAX - WORLDS_PER_PROGRESS_MAX);
        this.progress = progress;
        world = new World(scope);
        checks = new Checks(world);
        completion = new Completion(world);
        successors = new Successors(world);
        frontier = new Frontier(world.size);
    }

    /**
     * Explores one scope.
     *
     * @param statesMax where to stop
     */
    static ExploreResult run(Scope scope, long statesMax) {
        return run(scope, statesMax, (states, depth) -> {});
    }

    static ExploreResult run(Scope scope, long statesMax, Progress progress) {
        long start = System.nanoTime();
        Explorer explorer = new Explorer(scope, statesMax, progress);
        explorer.explore();
        return new ExploreResult(
                scope.name,
                explorer.table.size(),
                explorer.transitions,
                explorer.depth,
                explorer.stopped,
                explorer.completion.size(),
                explorer.violation,
                explorer.path,
                explorer.pairs,
                (System.nanoTime() - start) / 1_000_000);
    }

    /**
     * For callers in another class loader: explores the scope of this name.
     *
     * @return null when no property is violated in the first {@code statesMax} states, else one line that says which, at
     *     which depth
     */
    public static @Nullable String violation(String scope, long statesMax) {
        ExploreResult result = run(Scopes.named(scope), statesMax);
        return result.violation() == null
                ? null
                : "depth " + result.depth() + ", scope " + scope + ": " + result.violation();
    }

    private void explore() {
        try {
            exploreAll();
        } catch (OutOfMemoryError full) {
            // Of other explorers in this process, or because no piece that is free is large enough.
            stopped = memoryIsFull();
        }
    }

    private static String memoryIsFull() {
        return "memory is full: java has " + (Runtime.getRuntime().maxMemory() >> 20)
                + " MiB, TROTH_JAVA_OPTS=-Xmx16g gives it more";
    }

    private void exploreAll() {
        int[] at = world.first();
        if (world.wrong != null) {
            violation = world.wrong;
            return;
        }
        table.add(Fingerprints.of(at), 0, 0);
        frontier.add(0, at);
        int[] next = new int[world.size];
        int levelEnds = 1;
        for (int done = 0; !frontier.isEmpty(); done++) {
            if (done == levelEnds) {
                depth++;
                levelEnds = table.size();
            }
            int number = frontier.take(at);
            pairs.count(world, at);
            String missing = completion.missing(at);
            if (missing != null) {
                fail(number, -1, missing);
                return;
            }
            if (!expand(number, at, next)) {
                return;
            }
            if (table.size() >= statesMax) {
                stopped = "the limit of " + statesMax + " states";
                return;
            }
            if ((done & (PROGRESS_EVERY - 1)) == 0) {
                progress.at(table.size(), depth);
                if (isFull()) {
                    stopped = memoryIsFull();
                    return;
                }
            }
        }
    }

    /** True when what grows next might not fit any more. */
    private boolean isFull() {
        long need = RESERVE_BYTES
                + table.growthBytes(WORLDS_PER_PROGRESS_MAX)
                + completion.growthBytes(WORLDS_PER_PROGRESS_MAX);
        if (freeBytes() < need) {
            System.gc();
        }
        return freeBytes() < need;
    }

    private static long freeBytes() {
        Runtime java = Runtime.getRuntime();
        return java.maxMemory() - java.totalMemory() + java.freeMemory();
    }

    private boolean expand(int number, int[] at, int[] next) {
        successors.of(at);
        for (int i = 0; i < successors.count(); i++) {
            int step = successors.step(i);
            System.arraycopy(at, 0, next, 0, next.length);
            world.take(next, step);
            if (world.wrong != null) {
                fail(number, step, world.wrong);
                return false;
            }
            if (Arrays.equals(at, next)) {
                continue;
            }
            transitions++;
            int added = table.add(Fingerprints.of(next), number, step);
            if (added < 0) {
                continue;
            }
            if (checks.concerns(at, next)) {
                String broken = checks.broken(next);
                if (broken != null) {
                    fail(added, -1, broken);
                    return false;
                }
            }
            frontier.add(added, next);
        }
        return true;
    }

    /** {@code step}: the last one, when it led to no world of the table; else -1. */
    private void fail(int number, int step, String what) {
        violation = what;
        int[] steps = table.path(number);
        if (step >= 0) {
            steps = Arrays.copyOf(steps, steps.length + 1);
            steps[steps.length - 1] = step;
        }
        depth = steps.length;
        List<String> words = new ArrayList<>();
        for (int each : steps) {
            words.add(Words.of(world, each));
        }
        path = words;
    }
}
