package io.troth.bench.soak;

import com.google.gson.GsonBuilder;
import io.troth.bench.run.Soak.Sample;
import io.troth.chaos.page.Page;
import io.troth.chaos.page.Svg;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** {@code soak.html} for people and {@code soak.json} for programs. */
final class SoakReport {

    private static final int WIDTH = 860;
    private static final int HEIGHT = 200;
    private static final int LEFT = 80;
    private static final int RIGHT = 20;
    private static final int TOP = 10;
    private static final int BOTTOM = 26;
    private static final int STEPS = 4;
    private static final double SECONDS_PER_MINUTE = 60;

    private SoakReport() {}

    /**
     * Writes both; those of an earlier run are replaced.
     *
     * @param wrong why it does not count or what has grown
     */
    static void write(Path directory, Map<String, String> machine, List<Sample> samples, List<String> wrong)
            throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("soak.html"), html(machine, samples, wrong));
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("machine", machine);
        all.put("wrong", wrong);
        all.put("samples", samples);
        Files.writeString(
                directory.resolve("soak.json"),
                new GsonBuilder().setPrettyPrinting().create().toJson(all));
    }

    private static String html(Map<String, String> machine, List<Sample> samples, List<String> wrong) {
        StringBuilder body = new StringBuilder("<p class=\"soft\">");
        new TreeMap<>(machine)
                .forEach((what, value) ->
                        body.append(Svg.escape(what + ": " + value)).append("<br>\n"));
        body.append("</p>\n");
        wrong.forEach(what ->
                body.append("<p class=\"wrong\">").append(Svg.escape(what)).append("</p>\n"));
        if (wrong.isEmpty()) {
            body.append(
                    "<p>Nothing has grown: the median of the last quarter is that of the second, or near it.</p>\n");
        }
        if (samples.isEmpty()) {
            return Page.of("Troth bench soak", body.toString());
        }
        body.append("<h2>Throughput, transactions per second</h2>\n")
                .append(plot(samples, Map.of("all", throughput(samples))));
        List<String> processes = List.copyOf(samples.get(0).processes().keySet());
        for (Measure measure : Measure.values()) {
            Map<String, List<Double>> series = new LinkedHashMap<>();
            for (String process : processes) {
                series.put(
                        process,
                        samples.stream()
                                .map(sample -> measure.of(Growth.look(sample, process)))
                                .toList());
            }
            String title = measure.title.substring(0, 1).toUpperCase(Locale.ROOT) + measure.title.substring(1);
            body.append("<h2>")
                    .append(title)
                    .append("</h2>\n")
                    .append(Page.legend(processes))
                    .append(plot(samples, series));
        }
        return Page.of("Troth bench soak", body.toString());
    }

    private static List<Double> throughput(List<Sample> samples) {
        List<Double> rates = new ArrayList<>();
        Sample before = new Sample(0, 0, Map.of());
        for (Sample sample : samples) {
            rates.add((sample.committed() - before.committed()) / (sample.seconds() - before.seconds()));
            before = sample;
        }
        return rates;
    }

    private static String plot(List<Sample> samples, Map<String, List<Double>> series) {
        double minutes = samples.get(samples.size() - 1).seconds() / SECONDS_PER_MINUTE;
        double highest = series.values().stream()
                .flatMap(List::stream)
                .mapToDouble(Double::doubleValue)
                .max()
                .orElse(1);
        double top = ceiling(highest);
        Svg svg = new Svg(WIDTH, HEIGHT);
        for (int i = 0; i <= STEPS; i++) {
            double y = y(top * i / STEPS, top);
            svg.line(LEFT, y, WIDTH - RIGHT, y, "grid")
                    .text(LEFT - 8.0, y + 4, "end", String.format(Locale.ROOT, "%,.0f", top * i / STEPS));
        }
        for (int i = 0; i <= STEPS; i++) {
            double x = LEFT + (WIDTH - LEFT - RIGHT) * i / (double) STEPS;
            String anchor = i == STEPS ? "end" : "middle";
            svg.text(x, HEIGHT - 8.0, anchor, String.format(Locale.ROOT, "%.1f min", minutes * i / STEPS));
        }
        int place = 0;
        for (Map.Entry<String, List<Double>> each : series.entrySet()) {
            StringBuilder points = new StringBuilder();
            for (int i = 0; i < samples.size(); i++) {
                double part = samples.get(i).seconds() / SECONDS_PER_MINUTE / minutes;
                points.append(String.format(
                        Locale.ROOT,
                        "%.1f,%.1f ",
                        LEFT + (WIDTH - LEFT - RIGHT) * part,
                        y(each.getValue().get(i), top)));
            }
            svg.path(points.toString().strip(), "curve s" + Page.colour(place), each.getKey());
            place++;
        }
        return svg.toString();
    }

    private static double y(double value, double top) {
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
    }

    /** The next number that four steps divide well. */
    private static double ceiling(double value) {
        double unit = Math.pow(10, Math.floor(Math.log10(Math.max(1, value))));
        for (double factor : new double[] {1, 2, 4, 6, 8}) {
            if (value <= factor * unit) {
                return Math.max(STEPS, factor * unit);
            }
        }
        return 10 * unit;
    }
}
