package io.troth.bench.recovery;

import io.troth.chaos.page.Page;
import io.troth.chaos.page.Svg;
import java.util.List;
import java.util.Locale;

/** The sizes as a table, and as a page with the cost over the size. */
final class RecoveryReport {

    private static final int WIDTH = 720;
    private static final int HEIGHT = 320;
    private static final int MARGIN = 60;

    private RecoveryReport() {}

    /** For a terminal. The first size is that of an empty log. */
    static String table(List<Size> sizes) {
        StringBuilder table = new StringBuilder();
        table.append(String.format(
                Locale.ROOT,
                "%14s %6s %9s %9s %10s %12s %10s %9s%n",
                "in the log",
                "",
                "log MB",
                "ready s",
                "heap MB",
                "heap B/tx",
                "tx/s",
                "CPU-us/tx"));
        for (Size size : sizes) {
            table.append(String.format(
                    Locale.ROOT,
                    "%,14d %6s %9.1f %9.2f %10.1f %12.0f %10.0f %9.1f%n",
                    size.transactions(),
                    size.ended() ? "ended" : "open",
                    size.logBytes() / 1e6,
                    size.readySeconds(),
                    size.heapBytes() / 1e6,
                    size.bytesPerTransaction(sizes.get(0)),
                    size.perSecond(),
                    size.cpuMicros()));
        }
        return table.toString();
    }

    /** One page without anything outside of it. */
    static String page(List<Size> sizes, String facts) {
        return Page.of(
                "Troth: recovery",
                "<pre>" + Svg.escape(facts) + "</pre>"
                        + "<h2>CPU time of the coordinator for each new transaction, over the transactions in its log</h2>"
                        + Page.legend(List.of("open", "ended")) + plot(sizes)
                        + "<p>Both axes begin at their smallest; that of the transactions is logarithmic.</p><pre>"
                        + Svg.escape(table(sizes)) + "</pre>\n");
    }

    private static String plot(List<Size> sizes) {
        List<Size> shown =
                sizes.stream().filter(size -> size.transactions() > 0).toList();
        double top = 1.2 * shown.stream().mapToDouble(Size::cpuMicros).max().orElse(1);
        double right = Math.log10(shown.stream().mapToDouble(Size::count).max().orElse(10));
        double left = Math.log10(shown.stream().mapToDouble(Size::count).min().orElse(1));
        Svg svg = new Svg(WIDTH, HEIGHT)
                .line(MARGIN, HEIGHT - MARGIN, WIDTH - MARGIN, HEIGHT - MARGIN, "grid")
                .line(MARGIN, MARGIN, MARGIN, HEIGHT - MARGIN, "grid");
        for (boolean ended : new boolean[] {false, true}) {
            StringBuilder points = new StringBuilder();
            for (Size size : shown) {
                if (size.ended() == ended) {
                    double x = x(Math.log10(size.count()), left, right);
                    double y = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * size.cpuMicros() / top;
                    points.append(String.format(Locale.ROOT, "%.1f,%.1f ", x, y));
                    svg.text(x, y - 8, "middle", String.format(Locale.ROOT, "%.1f µs", size.cpuMicros()));
                    svg.text(x, HEIGHT - MARGIN + 20, "middle", String.format(Locale.ROOT, "%,d", size.transactions()));
                }
            }
            svg.path(points.toString().strip(), ended ? "curve s1" : "curve s0", ended ? "ended" : "open");
        }
        return svg.toString();
    }

    private static double x(double value, double left, double right) {
        return right <= left ? WIDTH / 2.0 : MARGIN + (WIDTH - 2 * MARGIN) * (value - left) / (right - left);
    }
}
