package io.troth.bench.report;

import io.troth.bench.run.Result;
import java.util.List;
import java.util.Locale;

/** The result as a table of text. */
public final class TableReport {

    private static final String HEAD = String.format(
            Locale.ROOT,
            "%-22s %10s %22s %22s %10s %10s %9s %8s %8s",
            "contender",
            "tx/s",
            "(min..max)",
            "ratio (min..max)",
            "p50 ms",
            "p99 ms",
            "CPU-us/tx",
            "log f/tx",
            "db f/tx");

    private TableReport() {}

    /**
     * The whole table, with what is wrong below.
     *
     * @param baselines the names to which the others are compared; the first that takes part
     */
    public static String of(Result result, List<String> baselines) {
        String baseline = Baseline.of(result, baselines);
        StringBuilder text = new StringBuilder();
        int inFlight = -1;
        for (Row row : Row.of(result, baseline)) {
            if (row.inFlight() != inFlight) {
                inFlight = row.inFlight();
                text.append(String.format(
                        Locale.ROOT,
                        "%n%s, %d in flight; ratios to %s, in the same round%n%s%n",
                        result.plan().mix().name(),
                        inFlight,
                        baseline,
                        HEAD));
            }
            text.append(line(row)).append('\n');
        }
        result.wrong()
                .forEach((key, what) -> text.append("INVALID: ")
                        .append(key)
                        .append(": ")
                        .append(what)
                        .append('\n'));
        result.absent()
                .forEach((who, why) -> text.append("ABSENT: ")
                        .append(who)
                        .append(": ")
                        .append(why)
                        .append('\n'));
        return text.toString();
    }

    private static String line(Row row) {
        Spread ratio = row.ratio();
        Double databases = row.databaseForced();
        return String.format(
                Locale.ROOT,
                "%-22s %10.0f %22s %22s %10.3f %10.3f %9.1f %8.3f %8s%s",
                row.contender(),
                row.throughput().median(),
                String.format(
                        Locale.ROOT,
                        "(%.0f..%.0f)",
                        row.throughput().min(),
                        row.throughput().max()),
                ratio == null ? "" : ratio.text("%.2f"),
                row.millis(50),
                row.millis(99),
                row.cpuMicros(),
                row.forced(),
                databases == null ? "" : String.format(Locale.ROOT, "%.3f", databases),
                row.wrong().isEmpty() ? "" : "  INVALID");
    }
}
