package io.troth.bench.report;

import io.troth.bench.run.Turn;
import io.troth.chaos.page.Page;
import io.troth.chaos.page.Svg;
import java.util.List;
import java.util.Locale;

/** The four drawings of one level. */
final class Charts {

    private static final int WIDTH = 860;
    private static final int LEFT = 190;
    private static final int RIGHT = 110;
    private static final int PLOT = WIDTH - LEFT - RIGHT;
    private static final int BAR = 22;
    private static final int HEIGHT = 260;
    private static final int BOTTOM = 30;

    /** Percentiles up to here: 99.99. */
    private static final double NINES_MAX = 4;

    private static final double STEPS_PER_NINE = 10;

    private Charts() {}

    /** The class of the colour of the contender at a place in the order of turns. */
    static String colour(int place) {
        return "c" + Page.colour(place);
    }

    /** Median of the rounds as a bar, lowest and highest as a line over it. */
    static String throughput(List<Row> rows, List<String> order) {
        double max =
                rows.stream().mapToDouble(row -> row.throughput().max()).max().orElse(1);
        Svg svg = new Svg(WIDTH, rows.size() * BAR + 8);
        for (int i = 0; i < rows.size(); i++) {
            Row row = rows.get(i);
            Spread spread = row.throughput();
            double y = i * BAR + 4.0;
            String value = String.format(Locale.ROOT, "%,.0f tx/s", spread.median());
            svg.text(LEFT - 8.0, y + 14, "end", row.contender() + (row.wrong().isEmpty() ? "" : " (invalid)"))
                    .box(
                            LEFT,
                            y,
                            PLOT * spread.median() / max,
                            BAR - 6.0,
                            colour(order.indexOf(row.contender())),
                            row.contender() + ": " + spread.text("%.0f"))
                    .line(
                            LEFT + PLOT * spread.min() / max,
                            y + BAR / 2.0 - 3,
                            LEFT + PLOT * spread.max() / max,
                            y + BAR / 2.0 - 3,
                            "whisker")
                    .text(LEFT + PLOT + 8.0, y + 14, "start", value);
        }
        return svg.toString();
    }

    /** CPU time per transaction: callers, databases, all others. */
    static String cpu(List<Row> rows) {
        double max = rows.stream().mapToDouble(Row::cpuMicros).max().orElse(1);
        double scale = PLOT / Math.max(1e-9, max);
        Svg svg = new Svg(WIDTH, rows.size() * BAR + 8);
        for (int i = 0; i < rows.size(); i++) {
            Row row = rows.get(i);
            double y = i * BAR + 4.0;
            double own = row.ownMicros() * scale;
            double databases = row.databaseMicros() * scale;
            svg.text(LEFT - 8.0, y + 14, "end", row.contender())
                    .box(LEFT, y, own, BAR - 6.0, "callers", micros("callers", row.ownMicros()))
                    .box(LEFT + own, y, databases, BAR - 6.0, "databases", micros("databases", row.databaseMicros()))
                    .box(
                            LEFT + own + databases,
                            y,
                            row.otherMicros() * scale,
                            BAR - 6.0,
                            "others",
                            micros("others", row.otherMicros()) + " " + row.namedMicros())
                    .text(LEFT + PLOT + 8.0, y + 14, "start", String.format(Locale.ROOT, "%,.0f µs", row.cpuMicros()));
        }
        return svg.toString();
    }

    private static String micros(String who, double micros) {
        return String.format(Locale.ROOT, "%s: %.1f µs per transaction", who, micros);
    }

    /** Both axes are logarithmic: nines to the right, ms upwards. */
    static String latency(List<Row> rows, List<String> order) {
        double low = rows.stream().mapToDouble(row -> row.millis(0)).min().orElse(0.1);
        double high = rows.stream().mapToDouble(row -> row.millis(99.99)).max().orElse(1);
        double bottom = Math.floor(Math.log10(Math.max(1e-3, low)));
        double top = Math.max(bottom + 1, Math.ceil(Math.log10(Math.max(1e-3, high))));
        Svg svg = new Svg(WIDTH, HEIGHT);
        for (int decade = (int) bottom; decade <= top; decade++) {
            double y = y(decade, bottom, top);
            svg.line(LEFT, y, LEFT + PLOT, y, "grid")
                    .text(LEFT - 8.0, y + 4, "end", String.format(Locale.ROOT, "%s ms", plain(decade)));
        }
        String[] names = {"0 %", "90 %", "99 %", "99.9 %", "99.99 %"};
        for (int nine = 0; nine <= NINES_MAX; nine++) {
            double x = LEFT + PLOT * nine / NINES_MAX;
            svg.line(x, 8, x, HEIGHT - BOTTOM, "grid").text(x, HEIGHT - 10.0, "middle", names[nine]);
        }
        for (Row row : rows) {
            StringBuilder points = new StringBuilder();
            for (int step = 0; step <= NINES_MAX * STEPS_PER_NINE; step++) {
                double nines = step / STEPS_PER_NINE;
                double percentile = 100 * (1 - Math.pow(10, -nines));
                double value = Math.log10(Math.max(1e-3, row.millis(percentile)));
                points.append(String.format(
                        Locale.ROOT, "%.1f,%.1f ", LEFT + PLOT * nines / NINES_MAX, y(value, bottom, top)));
            }
            svg.path(
                    points.toString().strip(),
                    "curve s" + Page.colour(order.indexOf(row.contender())),
                    String.format(
                            Locale.ROOT,
                            "%s: p50 %.3f ms, p99 %.3f ms",
                            row.contender(),
                            row.millis(50),
                            row.millis(99)));
        }
        return svg.toString();
    }

    private static String plain(int decade) {
        return decade >= 0
                ? String.format(Locale.ROOT, "%.0f", Math.pow(10, decade))
                : String.format(Locale.ROOT, "%." + -decade + "f", Math.pow(10, decade));
    }

    private static double y(double log, double bottom, double top) {
        return 8 + (HEIGHT - BOTTOM - 8) * (1 - (log - bottom) / (top - bottom));
    }

    /** What each contender did in each tenth of a second of its turns, in the order in which they were. */
    static String timeline(List<Turn> turns, List<String> order) {
        long start = turns.stream().mapToLong(Turn::startNanos).min().orElse(0);
        long end = turns.stream()
                .mapToLong(turn -> turn.startNanos() + turn.nanos())
                .max()
                .orElse(1);
        double perNano = PLOT / (double) Math.max(1, end - start);
        long most = 1;
        for (Turn turn : turns) {
            for (long count : turn.timeline()) {
                most = Math.max(most, count);
            }
        }
        Svg svg = new Svg(WIDTH, HEIGHT);
        double perSecond = most * 1_000.0 / Turn.TIMELINE_MILLIS;
        svg.line(LEFT, 8, LEFT + PLOT, 8, "grid")
                .text(LEFT - 8.0, 12, "end", String.format(Locale.ROOT, "%,.0f tx/s", perSecond))
                .line(LEFT, HEIGHT - BOTTOM, LEFT + PLOT, HEIGHT - BOTTOM, "grid")
                .text(LEFT, HEIGHT - 10.0, "start", "0 s")
                .text(LEFT + PLOT, HEIGHT - 10.0, "end", String.format(Locale.ROOT, "%.0f s", (end - start) / 1e9));
        for (Turn turn : turns) {
            StringBuilder points = new StringBuilder();
            for (int i = 0; i < turn.timeline().size(); i++) {
                double nanos = turn.startNanos() - start + i * Turn.TIMELINE_MILLIS * 1e6;
                points.append(String.format(
                        Locale.ROOT,
                        "%.1f,%.1f ",
                        LEFT + nanos * perNano,
                        HEIGHT
                                - BOTTOM
                                - (HEIGHT - BOTTOM - 8.0) * turn.timeline().get(i) / most));
            }
            svg.path(
                    points.toString().strip(),
                    "curve s" + Page.colour(order.indexOf(turn.contender())),
                    turn.contender() + ", round " + turn.round());
        }
        return svg.toString();
    }
}
