package io.troth.bench.report;

import io.troth.bench.run.Result;
import io.troth.bench.run.Turn;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * One of the things that are to be reached, and what was.
 *
 * @param what in words
 * @param limit the figure that is wanted
 * @param atLeast whether it is the lowest that is wanted, or the highest
 * @param value what was measured
 */
public record Goal(String what, double limit, boolean atLeast, double value) {

    /** Reads figures off one result. A figure of somebody who had no turn there is null, and so is what it goes into. */
    public record Reader(Result result) {

        private static final double NANOS_PER_MILLI = 1e6;
        private static final double NANOS_PER_MICRO = 1e3;

        /** The throughput of one by that of the other: the median of the ratios within the rounds. */
        public @Nullable Double ratio(String contender, String other, int inFlight) {
            List<Double> ratios = new ArrayList<>();
            for (Turn turn : result.turns(contender, inFlight)) {
                for (Turn base : result.turns(other, inFlight)) {
                    if (base.round() == turn.round() && base.committed() > 0) {
                        ratios.add(turn.throughput() / base.throughput());
                    }
                }
            }
            return ratios.isEmpty() ? null : Spread.of(ratios).median();
        }

        /** Transactions per second, the median of the rounds. */
        public @Nullable Double throughput(String contender, int inFlight) {
            List<Double> rates = result.turns(contender, inFlight).stream()
                    .map(Turn::throughput)
                    .toList();
            return rates.isEmpty() ? null : Spread.of(rates).median();
        }

        /** The median latency of all turns, in ms. */
        public @Nullable Double p50(String contender, int inFlight) {
            List<Turn> turns = result.turns(contender, inFlight);
            if (turns.isEmpty()) {
                return null;
            }
            Histogram all = turns.get(0).latency().copy();
            turns.subList(1, turns.size()).forEach(turn -> all.add(turn.latency()));
            return all.getValueAtPercentile(50) / NANOS_PER_MILLI;
        }

        /** CPU-µs of all processes per transaction. */
        public @Nullable Double cpu(String contender, int inFlight) {
            return perTransaction(contender, inFlight, turn -> turn.cpu().total() / NANOS_PER_MICRO);
        }

        /** CPU-µs of one of the contender's processes per transaction. */
        public @Nullable Double cpuOf(String process, String contender, int inFlight) {
            return perTransaction(
                    contender, inFlight, turn -> turn.cpu().named().getOrDefault(process, 0L) / NANOS_PER_MICRO);
        }

        /** Forced writes of the contender's log per transaction. */
        public @Nullable Double forced(String contender, int inFlight) {
            return perTransaction(contender, inFlight, Turn::forced);
        }

        private @Nullable Double perTransaction(String contender, int inFlight, ToDoubleFunction<Turn> what) {
            List<Turn> turns = result.turns(contender, inFlight);
            long committed = turns.stream().mapToLong(Turn::committed).sum();
            return committed == 0 ? null : turns.stream().mapToDouble(what).sum() / committed;
        }
    }

    public boolean isMet() {
        return atLeast ? value >= limit : value <= limit;
    }

    /** One line: {@code met    0.97 (>= 0.95) throughput by that of ...}. */
    String text() {
        return String.format(
                Locale.ROOT,
                "%-6s %9.3f (%s %.3f) %s",
                isMet() ? "met" : "MISSED",
                value,
                atLeast ? ">=" : "<=",
                limit,
                what);
    }

    /** All of them, a line each. */
    public static String text(List<Goal> goals) {
        StringBuilder text = new StringBuilder();
        goals.forEach(goal -> text.append(goal.text()).append('\n'));
        return text.toString();
    }
}
