package io.troth.bench.failover;

import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/** The kills in numbers. */
final class FailoverReport {

    private FailoverReport() {}

    /** For a terminal: one row for each moment that a leader was killed at, and one for all. */
    static String table(List<Kill> kills) {
        StringBuilder table = new StringBuilder(String.format(
                Locale.ROOT,
                "%-10s %6s %9s | %21s | %21s | %21s | %21s%n",
                "",
                "",
                "branches",
                "next leader ready, ms",
                "in doubt resolved, ms",
                "first new commit, ms",
                "both, ms"));
        table.append(String.format(
                Locale.ROOT,
                "%-10s %6s %9s" + " | %6s %6s %7s".repeat(4) + "%n",
                "killed at",
                "kills",
                "in doubt",
                "median",
                "p99",
                "max",
                "median",
                "p99",
                "max",
                "median",
                "p99",
                "max",
                "median",
                "p99",
                "max"));
        for (Moment moment : Moment.values()) {
            List<Kill> some =
                    kills.stream().filter(kill -> kill.moment() == moment).toList();
            if (!some.isEmpty()) {
                table.append(row(moment.name(), some));
            }
        }
        return table.append(row("all", kills)).toString();
    }

    private static String row(String name, List<Kill> kills) {
        return String.format(
                Locale.ROOT,
                "%-10s %6d %9d | %s | %s | %s | %s%n",
                name,
                kills.size(),
                kills.stream().mapToInt(Kill::inDoubt).sum(),
                figures(kills, Kill::leaderMillis),
                figures(kills, Kill::resolvedMillis),
                figures(kills, Kill::commitMillis),
                figures(kills, Kill::overMillis));
    }

    private static String figures(List<Kill> kills, ToDoubleFunction<Kill> of) {
        double[] sorted = kills.stream().mapToDouble(of).sorted().toArray();
        return String.format(
                Locale.ROOT,
                "%6.0f %6.0f %7.0f",
                percentile(sorted, 50),
                percentile(sorted, 99),
                percentile(sorted, 100));
    }

    /** The smallest value that so many percent do not exceed. */
    static double percentile(double[] sorted, int percent) {
        int place = (int) Math.ceil(sorted.length * percent / 100.0) - 1;
        return sorted[Math.max(0, place)];
    }
}
