package io.troth.core.joint;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Goal: the coordinator's and the agent's machine keep the properties of protocol 12 together, whatever fails. Method:
 * many short random runs of both with a model of the log, the databases, the streams and the clients; see {@link
 * JointRun}. {@code -Dtroth.seed=N} repeats one run, {@code -Dtroth.seeds=N} runs that many.
 */
class JointTest {

    private static final int SEEDS_PER_TEST = 100;
    private static final int SEEDS = 1_000;
    /** A test of faults that never happen is worth nothing: each of these must have happened in some run. */
    private static final List<String> WORTH_SEEING = List.of(
            "answer COMMITTED",
            "answer ROLLED_BACK",
            "answer READ_ONLY",
            "answer UNKNOWN",
            "answer PENDING",
            "answer FORGOTTEN",
            "answer NOT_LEADER",
            "COMMIT found by a new leader",
            "leader killed",
            "leader deposed and unaware",
            "agent killed",
            "client killed",
            "call refused DUPLICATE_CALL",
            "ended because of BRANCH_NOT_LISTED",
            "ended because of CALL_COUNT_DIFFERS",
            "ended because of DEADLINE_EXCEEDED",
            "ended because of STREAM_BROKEN",
            "fate asked",
            "fenced COMMIT",
            "one-phase COMMITTED, answer lost",
            "phase 2 by another instance",
            "prepare completed after its connection died",
            "purge");

    private static final Map<String, Integer> SIGHTS = new TreeMap<>();

    static LongStream blocks() {
        Long only = Long.getLong("troth.seed");
        int seeds = Integer.getInteger("troth.seeds", SEEDS);
        return only != null
                ? LongStream.of(only)
                : LongStream.range(0, seeds / SEEDS_PER_TEST).map(block -> block * SEEDS_PER_TEST);
    }

    @ParameterizedTest
    @MethodSource("blocks")
    void keepsEveryProperty(long first) {
        boolean single = Long.getLong("troth.seed") != null;
        for (long seed = first; seed < first + (single ? 1 : SEEDS_PER_TEST); seed++) {
            JointRun.run(seed, SIGHTS, false);
        }
    }

    @AfterAll
    static void everythingWorthSeeingWasSeen() {
        if (Long.getLong("troth.seed") == null && Integer.getInteger("troth.seeds", SEEDS) >= SEEDS) {
            for (String sight : WORTH_SEEING) {
                assertTrue(SIGHTS.containsKey(sight), "no run has seen: " + sight);
            }
        }
    }
}
