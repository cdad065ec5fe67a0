package io.troth.bench.report;

import org.jspecify.annotations.Nullable;

/**
 * What was measured, or why it does not count.
 *
 * @param value null when it does not count
 * @param wrong empty when it does
 */
public record Figure(@Nullable Double value, String wrong) {

    static Figure of(double value) {
        return new Figure(value, "");
    }

    static Figure wrong(String why) {
        return new Figure(null, why);
    }

    /** One by another, where both were measured; null where one of them had no turn. */
    public static @Nullable Figure ratio(@Nullable Figure figure, @Nullable Figure base) {
        if (figure == null || base == null) {
            return null;
        }
        Double above = figure.value();
        Double below = base.value();
        if (above == null || below == null) {
            return above == null ? figure : base;
        }
        return below == 0 ? null : of(above / below);
    }
}
