package io.troth.bench.report;

import io.troth.bench.run.CpuUse;
import io.troth.bench.run.Result;
import io.troth.bench.run.Turn;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * All turns of one contender at one level.
 *
 * @param throughput in transactions per second
 * @param ratio to the baseline's turn of the same round; null when the baseline has none that counts
 * @param latency of all turns, in ns
 * @param ownMicros CPU-µs per transaction of the callers' process
 * @param databaseMicros of the database servers
 * @param otherMicros of all other processes
 * @param namedMicros of those that the contender names
 * @param forced forced writes of its log per transaction
 * @param databaseForced of the databases; null when not counted
 * @param wrong why it does not count; empty when it does
 */
record Row(
        String contender,
        int inFlight,
        Spread throughput,
        @Nullable Spread ratio,
        Histogram latency,
        double ownMicros,
        double databaseMicros,
        double otherMicros,
        Map<String, Double> namedMicros,
        double forced,
        @Nullable Double databaseForced,
        String wrong) {

    private static final double NANOS_PER_MICRO = 1e3;
    private static final double NANOS_PER_MILLI = 1e6;

    /** The rows of a result, level by level, in the order of the turns. */
    static List<Row> of(Result result, String baseline) {
        List<Row> rows = new ArrayList<>();
        for (int inFlight : result.plan().levels()) {
            List<Turn> base =
                    result.problem(baseline, inFlight).isEmpty() ? result.turns(baseline, inFlight) : List.of();
            result.plan().contenders().forEach(contender -> {
                List<Turn> turns = result.turns(contender.name(), inFlight);
                if (!turns.isEmpty()) {
                    rows.add(row(result, turns, base));
                }
            });
        }
        return rows;
    }

    private static Row row(Result result, List<Turn> turns, List<Turn> base) {
        Turn first = turns.get(0);
        Histogram latency = first.latency().copy();
        turns.subList(1, turns.size()).forEach(turn -> latency.add(turn.latency()));
        double committed = Math.max(1, turns.stream().mapToLong(Turn::committed).sum());
        Map<String, Double> named = new TreeMap<>();
        for (Turn turn : turns) {
            turn.cpu()
                    .named()
                    .forEach((name, nanos) -> named.merge(name, nanos / NANOS_PER_MICRO / committed, Double::sum));
        }
        return new Row(
                first.contender(),
                first.inFlight(),
                Spread.of(turns.stream().map(Turn::throughput).toList()),
                ratio(turns, base),
                latency,
                micros(turns, committed, CpuUse::own),
                micros(turns, committed, CpuUse::databases),
                micros(turns, committed, CpuUse::others),
                named,
                turns.stream().mapToLong(Turn::forced).sum() / committed,
                result.databaseForces().get(Result.key(first.contender(), first.inFlight())),
                result.problem(first.contender(), first.inFlight()));
    }

    private static @Nullable Spread ratio(List<Turn> turns, List<Turn> base) {
        List<Double> ratios = new ArrayList<>();
        for (Turn turn : turns) {
            base.stream()
                    .filter(other -> other.round() == turn.round() && other.committed() > 0)
                    .forEach(other -> ratios.add(turn.throughput() / other.throughput()));
        }
        return ratios.isEmpty() ? null : Spread.of(ratios);
    }

    private static double micros(List<Turn> turns, double committed, java.util.function.ToLongFunction<CpuUse> part) {
        return turns.stream().mapToLong(turn -> part.applyAsLong(turn.cpu())).sum() / NANOS_PER_MICRO / committed;
    }

    double cpuMicros() {
        return ownMicros + databaseMicros + otherMicros;
    }

    double millis(double percentile) {
        return latency.getValueAtPercentile(percentile) / NANOS_PER_MILLI;
    }
}
