package io.troth.bench.report;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One of the things that are to be reached, and what was.
 *
 * @param what in words
 * @param limit the figure that is wanted
 * @param atLeast whether it is the lowest that is wanted, or the highest
 * @param value what was measured; null when that does not count
 * @param wrong why it does not count; empty when it does
 */
public record Goal(
        String what,
        double limit,
        boolean atLeast,
        @Nullable Double value,
        String wrong) {

    /** A goal and what was measured. */
    public static Goal of(String what, double limit, boolean atLeast, Figure figure) {
        return new Goal(what, limit, atLeast, figure.value(), figure.wrong());
    }

    public boolean isMet() {
        return value != null && (atLeast ? value >= limit : value <= limit);
    }

    /** In a word. */
    String verdict() {
        return value == null ? "INVALID" : isMet() ? "met" : "MISSED";
    }

    /** One line: {@code met    0.97 (>= 0.95) throughput by that of ...}. */
    String text() {
        return String.format(
                Locale.ROOT,
                "%-7s %9s (%s %.3f) %s%s",
                verdict(),
                value == null ? "" : String.format(Locale.ROOT, "%.3f", value),
                atLeast ? ">=" : "<=",
                limit,
                what,
                wrong.isEmpty() ? "" : "; does not count: " + wrong);
    }

    /** All of them, a line each. */
    public static String text(List<Goal> goals) {
        StringBuilder text = new StringBuilder();
        goals.forEach(goal -> text.append(goal.text()).append('\n'));
        return text.toString();
    }
}
