package io.troth.bench.report;

import io.troth.bench.contender.Contender;
import io.troth.bench.run.Result;
import io.troth.bench.run.Turn;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** One page with everything in it: no script, nothing that is loaded from elsewhere, readable in light and dark. */
final class HtmlReport {

    /** Told apart in light and in dark, and by most who see colours differently. */
    private static final List<String> COLOURS = List.of(
            "#8a8f98", "#b0a990", "#5b8db8", "#1f5f99", "#e0712b", "#b8860b", "#3a9a5b", "#8e5fb0", "#c2425b",
            "#4bb0ae", "#d18fc0", "#7d8f2f");

    private static final String HEAD = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width">
            <title>Troth bench</title>
            <style>
            """;

    private static final String STYLE = """
            :root { color-scheme: light dark; --text: #1b1f24; --back: #ffffff; --soft: #6a737d; --line: #d0d7de; }
            @media (prefers-color-scheme: dark) {
              :root { --text: #e6edf3; --back: #0d1117; --soft: #9198a1; --line: #30363d; }
            }
            body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back);
                   max-width: 960px; margin: 2em auto; padding: 0 1em; }
            table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }
            th, td { border-bottom: 1px solid var(--line); padding: 3px 10px; text-align: right; }
            th:first-child, td:first-child { text-align: left; }
            svg { max-width: 100%; height: auto; display: block; }
            svg text { fill: var(--text); font-size: 12px; }
            .whisker { stroke: var(--text); stroke-width: 2; }
            .grid { stroke: var(--line); }
            .curve { fill: none; stroke-width: 1.8; }
            .callers { fill: #5b8db8; background: #5b8db8; }
            .databases { fill: #8a8f98; background: #8a8f98; }
            .others { fill: #e0712b; background: #e0712b; }
            .wrong { color: #c2425b; font-weight: 600; }
            .soft { color: var(--soft); }
            .key { display: inline-block; width: 11px; height: 11px; margin: 0 4px 0 12px; }
            """;

    private HtmlReport() {}

    static String of(Report report) {
        StringBuilder page = new StringBuilder(HEAD).append(STYLE);
        for (int i = 0; i < COLOURS.size(); i++) {
            page.append(".c" + i + " { fill: " + COLOURS.get(i) + "; background: " + COLOURS.get(i) + "; } .s" + i
                    + " { stroke: " + COLOURS.get(i) + "; }\n");
        }
        page.append("</style>\n</head>\n<body>\n<h1>Troth bench</h1>\n<p class=\"soft\">");
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
        return page.append("</body>\n</html>\n").toString();
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
        result.absent().forEach((who, why) -> wrong(page, who + " did not take part: " + why));
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
                    .append(number(goal.value()))
                    .append(goal.isMet() ? "</td><td>met</td></tr>\n" : "</td><td class=\"wrong\">missed</td></tr>\n");
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
                .append(" in flight</h3>\n<table>\n<tr><th>contender</th><th>tx/s</th>")
                .append("<th>ratio to ")
                .append(Svg.escape(baseline))
                .append("</th><th>p50 ms</th><th>p99 ms</th><th>p99.9 ms</th><th>CPU us/tx</th>")
                .append("<th>log forces/tx</th><th>database forces/tx</th></tr>\n");
        for (Row row : rows) {
            Spread ratio = row.ratio();
            Double databases = row.databaseForced();
            page.append("<tr><td>").append(Svg.escape(row.contender())).append("</td>");
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
        page.append("</table>\n<h4>Throughput</h4>\n")
                .append(Charts.throughput(rows, order))
                .append("<h4>Latency by percentile</h4>\n")
                .append(Charts.latency(rows, order))
                .append("<h4>CPU time per transaction <span class=\"soft\"><span class=\"key callers\"></span>callers")
                .append("<span class=\"key databases\"></span>databases")
                .append("<span class=\"key others\"></span>other processes</span></h4>\n")
                .append(Charts.cpu(rows))
                .append("<h4>Timeline</h4>\n")
                .append(Charts.timeline(turns, order));
    }

    private static String number(double value) {
        return String.format(java.util.Locale.ROOT, value < 10 ? "%.3f" : "%.1f", value);
    }
}
