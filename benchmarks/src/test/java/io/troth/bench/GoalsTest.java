package io.troth.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.bench.contender.Contender;
import io.troth.bench.naive.NaiveNoop;
import io.troth.bench.naive.StreamFloor;
import io.troth.bench.postgres.HandDriven;
import io.troth.bench.report.Goal;
import io.troth.bench.report.TableReport;
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
    void aRatioOfLatenciesIsThatOfTheSameRoundToo() {
        // Added up, each would have the round in which it ran more: 4 instead of 1.5.
        turn("2pc-log-probe", 1, 1, 1_000, 1_000_000, 0);
        turn("troth", 1, 1, 100, 2_000_000, 0);
        turn("2pc-log-probe", 1, 2, 10, 4_000_000, 0);
        turn("troth", 1, 2, 1_000, 4_000_000, 0);

        List<Goal> goals = Goals.of(
                result(List.of(HandDriven.all().get(3), TrothPostgres.all().get(0)), 1));

        assertEquals(1.5, goal(goals, "p50 at 1 in flight").value(), 0.01);
        assertFalse(goal(goals, "p50 at 1 in flight").isMet());
    }

    @Test
    void whoDoesNotCountMeetsNoGoalAndIsNotDividedBy() {
        turn("2pc-log-probe", 8, 1, 1_000, 8_000_000, 0);
        turn("troth", 8, 1, 1_000, 8_000_000, 0);
        List<Contender> both =
                List.of(HandDriven.all().get(3), TrothPostgres.all().get(0));
        for (Map.Entry<Map<String, String>, Map<String, String>> wrong : List.of(
                Map.entry(Map.of("troth at 8", "lost money"), Map.<String, String>of()),
                Map.entry(Map.of("2pc-log-probe at 8", "lost money"), Map.<String, String>of()),
                Map.entry(Map.<String, String>of(), Map.of("troth", "lost money")),
                Map.entry(Map.<String, String>of(), Map.of("everybody", "lost money")))) {
            Result result = new Result(plan(both, 8), turns, wrong.getKey(), wrong.getValue(), Map.of());
            List<Goal> goals = Goals.of(result);

            assertEquals(1, goals.size());
            assertFalse(goals.get(0).isMet());
            String text = Goal.text(goals);
            assertTrue(text.startsWith("INVALID") && text.contains("lost money"), text);
            String table = TableReport.of(result, List.of("2pc-log-probe"));
            assertTrue(table.contains("INVALID"), table);
            assertEquals(!result.problem("2pc-log-probe", 8).isEmpty(), !table.contains("1.00 (1.00..1.00)"), table);
        }
    }

    @Test
    void whatComparesTwoLevelsSaysSo() {
        turn("troth-noop", 256, 1, 1_000, 8_000_000, 0);
        turn("troth-noop", 1_024, 1, 1_000, 8_000_000, 0);
        Plan plan = new Plan(
                Mix.transfer(), List.of(TrothNoop.all().get(0)), List.of(256, 1_024), 1, Duration.ofSeconds(1), 1);

        List<Goal> goals = Goals.of(new Result(plan, turns, Map.of(), Map.of(), Map.of()));

        assertTrue(goal(goals, "throughput at 1,024").what().contains("not of the same round"));
        assertTrue(goal(goals, "throughput at 1,024").isMet());
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
        return new Result(plan(contenders, inFlight), turns, Map.of(), Map.of(), Map.of());
    }

    private static Plan plan(List<Contender> contenders, int inFlight) {
        return new Plan(Mix.transfer(), contenders, List.of(inFlight), 2, Duration.ofSeconds(1), 1);
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
