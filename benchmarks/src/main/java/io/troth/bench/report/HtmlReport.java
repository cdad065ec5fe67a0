package io.troth.bench.report;

import io.troth.bench.contender.Contender;
import io.troth.bench.run.Result;
import io.troth.bench.run.Turn;
import io.troth.chaos.page.Page;
import io.troth.chaos.page.Svg;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;

/** One page with everything in it: no script, nothing that is loaded from elsewhere, readable in light and dark. */
final class HtmlReport {

    private HtmlReport() {}

    static String of(Report report) {
        StringBuilder page = new StringBuilder("<p class=\"soft\">");
        new TreeMap<>(report.machine())
                .forEach((what, value) -> page.append(Svg.escape(what))
                        .append(": ")
                        .append(Svg.escape(value))
                        .append("<br>\n"));
        page.append("</p>\n<p>Contenders took turns within each round; a ratio is that of two turns of the same round,"
                + " the median of all rounds with the lowest and the highest. CPU time is that of all processes. Forced"
                + " writes were counted, and the money was counted after every turn.</p>\n");
        for (int i = 0; i < report.results().size(); i++) {
            Result result = report.results().get(i);
            section(
                    page,
                    result,
                    Baseline.of(result, report.baselines()),
                    report.goals().get(i));
        }
        return Page.of("Troth bench", page.toString());
    }

    private static void section(StringBuilder page, Result result, String baseline, List<Goal> goals) {
        List<String> order =
                result.plan().contenders().stream().map(Contender::name).toList();
        String suite = result.plan().contenders().get(0).suite().name();
        page.append("<h2>")
                .append(Svg.escape(suite + ": " + result.plan().mix().name()))
                .append("</h2>\n<ul>\n");
        for (Contender contender : result.plan().contenders()) {
            page.append("<li><span class=\"key ")
                    .append(Charts.colour(order.indexOf(contender.name())))
                    .append("\"></span><b>")
                    .append(Svg.escape(contender.name()))
                    .append("</b>: ")
                    .append(Svg.escape(contender.description()))
                    .append("</li>\n");
        }
        page.append("</ul>\n");
        result.absent().forEach((who, why) -> wrong(page, who + " does not count: " + why));
        result.wrong().forEach((key, what) -> wrong(page, key + " in flight does not count: " + what));
        goals(page, goals);
        List<Row> rows = Row.of(result, baseline);
        for (int inFlight : result.plan().levels()) {
            List<Row> level =
                    rows.stream().filter(row -> row.inFlight() == inFlight).toList();
            if (!level.isEmpty()) {
                level(page, result, level, order, baseline);
            }
        }
    }

    private static void goals(StringBuilder page, List<Goal> goals) {
        if (goals.isEmpty()) {
            return;
        }
        page.append("<h3>Goals</h3>\n<table>\n<tr><th>goal</th><th>wanted</th><th>measured</th><th></th></tr>\n");
        for (Goal goal : goals) {
            page.append("<tr><td>")
                    .append(Svg.escape(goal.what()))
                    .append(goal.atLeast() ? "</td><td>&ge; " : "</td><td>&le; ")
                    .append(number(goal.limit()))
                    .append("</td><td>")
                    .append(goal.value() == null ? "" : number(goal.value()))
                    .append(goal.isMet() ? "</td><td>" : "</td><td class=\"wrong\">")
                    .append(goal.verdict().toLowerCase(Locale.ROOT))
                    .append("</td></tr>\n");
        }
        page.append("</table>\n");
    }

    private static void wrong(StringBuilder page, String what) {
        page.append("<p class=\"wrong\">").append(Svg.escape(what)).append("</p>\n");
    }

    private static void level(StringBuilder page, Result result, List<Row> rows, List<String> order, String baseline) {
        int inFlight = rows.get(0).inFlight();
        List<Turn> turns = new ArrayList<>(result.turns());
        turns.removeIf(turn -> turn.inFlight() != inFlight);
        page.append("<h3>")
                .append(inFlight)
                .append(" in flight</h3>\n<table class=\"figures\">\n<tr><th>contender</th><th>tx/s</th>")
                .append("<th>ratio to ")
                .append(Svg.escape(baseline))
                .append("</th><th>p50 ms</th><th>p99 ms</th><th>p99.9 ms</th><th>CPU µs/tx</th>")
                .append("<th>log forces/tx</th><th>database forces/tx</th></tr>\n");
        for (Row row : rows) {
            Spread ratio = row.ratio();
            Double databases = row.databaseForced();
            page.append(row.wrong().isEmpty() ? "<tr><td>" : "<tr><td class=\"wrong\">invalid: ")
                    .append(Svg.escape(row.contender()))
                    .append("</td>");
            for (String cell : List.of(
                    row.throughput().text("%.0f"),
                    ratio == null ? "" : ratio.text("%.2f"),
                    number(row.millis(50)),
                    number(row.millis(99)),
                    number(row.millis(99.9)),
                    number(row.cpuMicros()),
                    number(row.forced()),
                    databases == null ? "" : number(databases))) {
                page.append("<td>").append(cell).append("</td>");
            }
            page.append("</tr>\n");
        }
        String legend = Page.legend(order);
        page.append("</table>\n<h4>Throughput</h4>\n")
                .append(Charts.throughput(rows, order))
                .append("<h4>Latency by percentile</h4>\n")
                .append(legend)
                .append(Charts.latency(rows, order))
                .append("<h4>CPU time per transaction <span class=\"soft\"><span class=\"key callers\"></span>callers")
                .append("<span class=\"key databases\"></span>databases")
                .append("<span class=\"key others\"></span>other processes</span></h4>\n")
                .append(Charts.cpu(rows))
                .append("<h4>Timeline, transactions per second</h4>\n")
                .append(legend)
                .append(Charts.timeline(turns, order));
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, value < 10 ? "%.3f" : "%.1f", value);
    }
}
