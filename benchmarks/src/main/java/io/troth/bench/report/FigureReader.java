package io.troth.bench.report;

import io.troth.bench.run.Result;
import io.troth.bench.run.Turn;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Reads figures off one result. A figure of somebody who had no turn there is null, and so is what it goes into; one of
 * somebody whose turns do not count says why.
 */
public record FigureReader(Result result) {

    private static final double NANOS_PER_MILLI = 1e6;
    private static final double NANOS_PER_MICRO = 1e3;

    /** The throughput of one by that of the other: the median of the ratios within the rounds. */
    public @Nullable Figure ratio(String contender, String other, int inFlight) {
        return ratio(contender, other, inFlight, Turn::throughput);
    }

    /** The median latency of one by that of the other, in the same way. */
    public @Nullable Figure p50Ratio(String contender, String other, int inFlight) {
        return ratio(contender, other, inFlight, turn -> turn.latencyMillis(50));
    }

    private @Nullable Figure ratio(String contender, String other, int inFlight, ToDoubleFunction<Turn> what) {
        for (String each : List.of(contender, other)) {
            Figure wrong = wrong(each, inFlight);
            if (wrong != null) {
                return takesPart(contender) && takesPart(other) ? wrong : null;
            }
        }
        List<Double> ratios = new ArrayList<>();
        for (Turn turn : result.turns(contender, inFlight)) {
            for (Turn base : result.turns(other, inFlight)) {
                if (base.round() == turn.round() && base.committed() > 0) {
                    ratios.add(what.applyAsDouble(turn) / what.applyAsDouble(base));
                }
            }
        }
        return ratios.isEmpty() ? null : Figure.of(Spread.of(ratios).median());
    }

    /** Transactions per second, the median of the rounds. */
    public @Nullable Figure throughput(String contender, int inFlight) {
        return figure(
                contender,
                inFlight,
                turns ->
                        Spread.of(turns.stream().map(Turn::throughput).toList()).median());
    }

    /** The median latency of all turns, in ms. */
    public @Nullable Figure p50(String contender, int inFlight) {
        return figure(contender, inFlight, turns -> {
            Histogram all = turns.get(0).latency().copy();
            turns.subList(1, turns.size()).forEach(turn -> all.add(turn.latency()));
            return all.getValueAtPercentile(50) / NANOS_PER_MILLI;
        });
    }

    /** CPU-µs of all processes per transaction. */
    public @Nullable Figure cpu(String contender, int inFlight) {
        return perTransaction(contender, inFlight, turn -> turn.cpu().total() / NANOS_PER_MICRO);
    }

    /** CPU-µs of one of the contender's processes per transaction. */
    public @Nullable Figure cpuOf(String process, String contender, int inFlight) {
        return perTransaction(
                contender, inFlight, turn -> turn.cpu().named().getOrDefault(process, 0L) / NANOS_PER_MICRO);
    }

    /** Forced writes of the contender's log per transaction. */
    public @Nullable Figure forced(String contender, int inFlight) {
        return perTransaction(contender, inFlight, Turn::forced);
    }

    private @Nullable Figure perTransaction(String contender, int inFlight, ToDoubleFunction<Turn> what) {
        return figure(
                contender,
                inFlight,
                turns -> turns.stream().mapToDouble(what).sum()
                        / Math.max(1, turns.stream().mapToLong(Turn::committed).sum()));
    }

    private @Nullable Figure figure(String contender, int inFlight, ToDoubleFunction<List<Turn>> what) {
        Figure wrong = wrong(contender, inFlight);
        if (wrong != null) {
            return wrong;
        }
        List<Turn> turns = result.turns(contender, inFlight);
        return turns.isEmpty() ? null : Figure.of(what.applyAsDouble(turns));
    }

    /** Null when there is nothing wrong, or no such turn was asked for. */
    private @Nullable Figure wrong(String contender, int inFlight) {
        boolean asked = takesPart(contender) && result.plan().levels().contains(inFlight);
        String why = asked ? result.problem(contender, inFlight) : "";
        return why.isEmpty() ? null : Figure.wrong(contender + ": " + why);
    }

    private boolean takesPart(String contender) {
        return result.plan().contenders().stream().anyMatch(each -> each.name().equals(contender));
    }
}
