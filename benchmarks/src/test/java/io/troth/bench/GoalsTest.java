package io.troth.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.bench.contender.Contender;
import io.troth.bench.naive.NaiveNoop;
import io.troth.bench.naive.StreamFloor;
import io.troth.bench.postgres.HandDriven;
import io.troth.bench.report.Goal;
import io.troth.bench.run.CpuUse;
import io.troth.bench.run.Mix;
import io.troth.bench.run.Plan;
import io.troth.bench.run.Result;
import io.troth.bench.run.Turn;
import io.troth.bench.troth.TrothNoop;
import io.troth.bench.troth.TrothPostgres;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

/** Goal: what is said to be met is met. Method: turns that nobody ran, with figures one can divide in one's head. */
class GoalsTest {

    private static final long SECOND = 1_000_000_000;

    private final List<Turn> turns = new ArrayList<>();

    @Test
    void aRatioIsThatOfTheSameRound() {
        // Round 2 was slow for both: across the rounds troth would look half as fast, or twice.
        turn("2pc-log-probe", 8, 1, 1_000, 8_000_000, 0);
        turn("troth", 8, 1, 960, 8_000_000, 0);
        turn("2pc-log-probe", 8, 2, 100, 80_000_000, 0);
        turn("troth", 8, 2, 96, 80_000_000, 0);

        List<Goal> goals = Goals.of(
                result(List.of(HandDriven.all().get(3), TrothPostgres.all().get(0)), 8));

        assertEquals(List.of("throughput at 8 in flight, by that of 2pc-log-probe"), words(goals));
        assertEquals(0.96, goals.get(0).value(), 1e-9);
        assertTrue(goals.get(0).isMet());
    }

    @Test
    void whatIsTooSlowOrTooDearIsMissed() {
        turn("naive-noop", 256, 1, 1_000, 256_000_000, 1_000);
        turn("troth-noop", 256, 1, 29_000, 8_000_000, 250);

        List<Goal> goals = Goals.of(result(
                List.of(new StreamFloor(), new NaiveNoop(), TrothNoop.all().get(0)), 256));

        assertEquals(4, goals.size(), goals::toString);
        assertFalse(goal(goals, "throughput at 256").isMet());
        assertEquals(29, goal(goals, "throughput at 256").value(), 1e-9);
        assertFalse(goal(goals, "CPU-us of all").isMet());
        assertEquals(50_000.0 / 29_000, goal(goals, "CPU-us of the coordinator").value(), 1e-9);
        assertTrue(goal(goals, "forced writes").isMet());
        assertTrue(Goal.text(goals).lines().anyMatch(line -> line.startsWith("MISSED") && line.contains("29.000")));
    }

    private void turn(String contender, int inFlight, int round, long committed, long latencyNanos, long forced) {
        Histogram latency = new Histogram(3);
        latency.recordValueWithCount(latencyNanos, committed);
        CpuUse cpu = new CpuUse(2 * SECOND, 0, SECOND, Map.of("coordinator", 50_000_000L));
        turns.add(new Turn(
                contender, inFlight, round, 0, SECOND, committed, 0, latency, List.of(committed), cpu, forced));
    }

    private Result result(List<Contender> contenders, int inFlight) {
        Plan plan = new Plan(Mix.transfer(), contenders, List.of(inFlight), 2, Duration.ofSeconds(1), 1);
        return new Result(plan, turns, Map.of(), Map.of(), Map.of());
    }

    private static List<String> words(List<Goal> goals) {
        return goals.stream().map(Goal::what).toList();
    }

    private static Goal goal(List<Goal> goals, String words) {
        return goals.stream()
                .filter(goal -> goal.what().startsWith(words))
                .findFirst()
                .orElseThrow();
    }
}
