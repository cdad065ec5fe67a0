package io.troth.bench.report;

import java.util.List;
import java.util.Locale;

/** The median of a few rounds, with the lowest and the highest. */
record Spread(double median, double min, double max) {

    static Spread of(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        int middle = sorted.size() / 2;
        double median = sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
        return new Spread(median, sorted.get(0), sorted.get(sorted.size() - 1));
    }

    /** Such as {@code 0.93 (0.90..0.95)}. */
    String text(String format) {
        return String.format(Locale.ROOT, format + " (" + format + ".." + format + ")", median, min, max);
    }
}
