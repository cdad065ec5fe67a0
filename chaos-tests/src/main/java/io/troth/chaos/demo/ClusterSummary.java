package io.troth.chaos.demo;

import io.troth.chaos.bank.Answer;
import io.troth.chaos.page.Page;
import io.troth.chaos.page.Svg;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * How a run of the cluster's demo ended, as text and as a page.
 *
 * @param answers how many of each kind, when all had come
 */
record ClusterSummary(
        List<FaultResult> results, Map<Answer.Kind, Long> answers, Verdict verdict, Timeline timeline, long runNanos) {

    private static final int WIDTH = 920;
    private static final int LEFT = 56;
    private static final int TOP = 40;
    private static final int PLOT_WIDTH = WIDTH - LEFT - 10;
    private static final int PLOT_HEIGHT = 220;
    private static final int BOTTOM = TOP + PLOT_HEIGHT;
    private static final int MARK_LINE = 15;
    private static final int MARK_HEIGHTS = 4;
    private static final int GRID_LINES = 4;
    private static final int SECONDS_A_LABEL = 10;
    private static final long STRETCH_MILLIS = 250;

    void print(Narrator narrator) {
        narrator.heading("Commits per second");
        timeline.lines().forEach(narrator::line);
        narrator.heading("Result");
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("fault", "led before", "led after", "without a commit", "committed", "rolled back meanwhile"));
        results.forEach(result -> rows.add(row(result)));
        narrator.table("  ", rows);
        narrator.blank();
        narrator.line("  " + answersLine());
        narrator.blank();
        verdict.checks()
                .forEach(check -> narrator.line(
                        "  " + (check.holds() ? "ok     " : "WRONG  ") + check.name() + " (" + check.detail() + ")"));
        narrator.blank();
        narrator.line(ending());
    }

    private static List<String> row(FaultResult result) {
        return List.of(
                result.fault().text(),
                result.ledBefore(),
                result.ledAfter(),
                Narrator.seconds(result.gapMillis()),
                Long.toString(result.committed()),
                codes(result.rolledBack()));
    }

    private String answersLine() {
        long transfers = answers.values().stream().mapToLong(Long::longValue).sum();
        return "transfers " + transfers + ", committed " + answers.get(Answer.Kind.COMMITTED) + ", rolled back "
                + answers.get(Answer.Kind.ROLLED_BACK) + ", unknown " + answers.get(Answer.Kind.UNKNOWN);
    }

    private String ending() {
        return verdict.holds()
                ? "Everything held, in " + Narrator.seconds(TimeUnit.NANOSECONDS.toMillis(runNanos)) + "."
                : "NOT everything held: " + verdict.failed().size() + " checks failed.";
    }

    /** How many of each code, for people. */
    static String codes(Map<String, Long> counts) {
        return counts.isEmpty()
                ? "none"
                : new TreeMap<>(counts)
                        .entrySet().stream()
                                .map(each -> each.getValue() + " " + each.getKey())
                                .collect(Collectors.joining(", "));
    }

    /** One file with everything in it. */
    String page() {
        StringBuilder body = new StringBuilder("<p>Two databases, three coordinators, transfers all the time. The")
                .append(" curve is commits per second; each span is a fault until it was mended, with the longest time")
                .append(" without a commit.</p>\n")
                .append(drawing());
        list(timeline.marks(), body);
        body.append("<table>\n<tr><th>fault</th><th>led before</th><th>led after</th><th>without a commit</th>")
                .append("<th>committed</th><th>rolled back meanwhile</th></tr>\n");
        for (FaultResult result : results) {
            body.append("<tr>");
            row(result)
                    .forEach(
                            cell -> body.append("<td>").append(Svg.escape(cell)).append("</td>"));
            body.append("</tr>\n");
        }
        body.append("</table>\n<p>").append(Svg.escape(answersLine())).append("</p>\n<ul>\n");
        for (Verdict.Check check : verdict.checks()) {
            body.append(check.holds() ? "<li>" : "<li class=\"wrong\">WRONG: ")
                    .append(Svg.escape(check.name()))
                    .append(" <span class=\"soft\">(")
                    .append(Svg.escape(check.detail()))
                    .append(")</span></li>\n");
        }
        body.append("</ul>\n<p>").append(Svg.escape(ending())).append("</p>\n");
        return Page.of("Troth demo: a cluster under faults", body.toString());
    }

    private String drawing() {
        long[] counts = timeline.committedPer(STRETCH_MILLIS);
        List<Timeline.Mark> marks = timeline.marks();
        double seconds = counts.length * STRETCH_MILLIS / 1e3;
        double perSecond = PLOT_WIDTH / seconds;
        long most = 1;
        for (long count : counts) {
            most = Math.max(most, count);
        }
        double top = most * (1e3 / STRETCH_MILLIS);
        Svg svg = new Svg(WIDTH, BOTTOM + 24);
        for (int i = 0; i < results.size(); i++) {
            FaultResult result = results.get(i);
            double x = LEFT + perSecond * result.fromMillis() / 1e3;
            double width = perSecond * (result.toMillis() - result.fromMillis()) / 1e3;
            String label = result.fault().text() + ", " + Narrator.seconds(result.gapMillis());
            // Two heights: a short span has less room than its label wants.
            svg.box(x, TOP, width, PLOT_HEIGHT, "span", result.fault().title())
                    .text(x + 2, TOP - 8.0 - MARK_LINE * (i % 2), "start", label);
        }
        for (int i = 0; i <= GRID_LINES; i++) {
            double y = BOTTOM - (double) PLOT_HEIGHT * i / GRID_LINES;
            svg.line(LEFT, y, LEFT + PLOT_WIDTH, y, "grid")
                    .text(LEFT - 8.0, y + 4, "end", String.format(Locale.ROOT, "%.0f", top * i / GRID_LINES));
        }
        for (int second = 0; second <= seconds; second += SECONDS_A_LABEL) {
            svg.text(LEFT + perSecond * second, BOTTOM + 16.0, "middle", second + " s");
        }
        StringBuilder points = new StringBuilder();
        for (int i = 0; i < counts.length; i++) {
            points.append(String.format(
                    Locale.ROOT,
                    "%.1f,%.1f ",
                    LEFT + perSecond * (i + 0.5) * STRETCH_MILLIS / 1e3,
                    BOTTOM - (double) PLOT_HEIGHT * counts[i] / most));
        }
        svg.path(points.toString().strip(), "curve s0", "commits per second");
        draw(marks, perSecond, svg);
        return svg.toString();
    }

    /** A line with its number at each mark; numbers that are near each other stand on different heights. */
    private static void draw(List<Timeline.Mark> marks, double perSecond, Svg svg) {
        for (int i = 0; i < marks.size(); i++) {
            double x = LEFT + perSecond * marks.get(i).millis() / 1e3;
            svg.line(x, TOP, x, BOTTOM, "mark")
                    .text(x + 2, TOP + MARK_LINE * (1.0 + i % MARK_HEIGHTS), "start", Integer.toString(i + 1));
        }
    }

    private static void list(List<Timeline.Mark> marks, StringBuilder body) {
        body.append("<ol>\n");
        marks.forEach(mark -> body.append("<li>")
                .append(Narrator.seconds(mark.millis()))
                .append(": ")
                .append(Svg.escape(mark.text()))
                .append("</li>\n"));
        body.append("</ol>\n");
    }
}
