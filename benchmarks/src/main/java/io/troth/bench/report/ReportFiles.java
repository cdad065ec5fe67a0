package io.troth.bench.report;

import io.troth.bench.contender.Contender;
import io.troth.bench.run.Result;
import io.troth.bench.run.Turn;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogWriter;

/**
 * The folder of a run: {@code report.html} for people, {@code report.json} and {@code turns.hlog} for programs, and the
 * percentiles of each contender at each level as {@code .hgrm}.
 */
public final class ReportFiles {

    private static final double NANOS_PER_MICRO = 1e3;
    private static final double NANOS_PER_SECOND = 1e9;

    private ReportFiles() {}

    /**
     * Writes all of it; files of an earlier run are replaced.
     */
    public static void write(Path directory, Report report) throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("report.json"), JsonReport.of(report));
        Files.writeString(directory.resolve("report.html"), HtmlReport.of(report));
        try (PrintStream out = new PrintStream(directory.resolve("turns.hlog").toFile(), StandardCharsets.UTF_8)) {
            writeTurns(report.results(), out);
        }
        for (Result result : report.results()) {
            for (int inFlight : result.plan().levels()) {
                for (Contender contender : result.plan().contenders()) {
                    writePercentiles(directory, result, contender.name(), inFlight);
                }
            }
        }
    }

    /** Values are in ns. */
    private static void writeTurns(List<Result> results, PrintStream out) {
        HistogramLogWriter log = new HistogramLogWriter(out);
        log.outputLogFormatVersion();
        log.outputLegend();
        for (Result result : results) {
            for (Turn turn : result.turns()) {
                Histogram histogram = turn.latency().copy();
                histogram.setTag(stem(result, turn.contender(), turn.inFlight()));
                double start = turn.startNanos() / NANOS_PER_SECOND;
                log.outputIntervalHistogram(start, start + turn.nanos() / NANOS_PER_SECOND, histogram, NANOS_PER_MICRO);
            }
        }
    }

    private static void writePercentiles(Path directory, Result result, String contender, int inFlight)
            throws FileNotFoundException, IOException {
        List<Turn> turns = result.turns(contender, inFlight);
        if (turns.isEmpty()) {
            return;
        }
        Histogram all = turns.get(0).latency().copy();
        turns.subList(1, turns.size()).forEach(turn -> all.add(turn.latency()));
        Path file = directory.resolve(stem(result, contender, inFlight) + ".hgrm");
        try (PrintStream out = new PrintStream(file.toFile(), StandardCharsets.UTF_8)) {
            all.outputPercentileDistribution(out, NANOS_PER_MICRO);
        }
    }

    private static String stem(Result result, String contender, int inFlight) {
        return String.format(Locale.ROOT, "%s-%s-%d", result.plan().mix().name(), contender, inFlight);
    }
}
