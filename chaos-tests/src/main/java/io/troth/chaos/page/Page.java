package io.troth.chaos.page;

import java.util.List;

/** The frame of every page: no script, nothing that is loaded from elsewhere, readable in light and dark. */
public final class Page {

    /** Told apart in light and in dark, and by most who see colours differently. */
    private static final List<String> COLOURS = List.of(
            "#5b8db8", "#e0712b", "#3a9a5b", "#c2425b", "#8a8f98", "#b8860b", "#4bb0ae", "#d18fc0", "#8e5fb0",
            "#2f6fb0", "#7d8f2f", "#a0522d", "#6a6fd8", "#d98880", "#2e8b7a", "#b0a990");

    private static final String HEAD = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width">
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
            .figures td, .name { white-space: nowrap; }
            svg { max-width: 100%; height: auto; display: block; }
            svg text { fill: var(--text); font-size: 12px; }
            .mark { stroke: var(--soft); stroke-dasharray: 3 3; }
            .span { fill: #e0712b; fill-opacity: 0.18; }
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

    private Page() {}

    /**
     * A whole page.
     *
     * @param body markup; its drawings find their colours by class
     */
    public static String of(String title, String body) {
        StringBuilder page = new StringBuilder(HEAD)
                .append("<title>")
                .append(Svg.escape(title))
                .append("</title>\n<style>\n")
                .append(STYLE);
        for (int i = 0; i < COLOURS.size(); i++) {
            page.append(".c" + i + " { fill: " + COLOURS.get(i) + "; background: " + COLOURS.get(i) + "; } .s" + i
                    + " { stroke: " + COLOURS.get(i) + "; }\n");
        }
        return page.append("</style>\n</head>\n<body>\n<h1>")
                .append(Svg.escape(title))
                .append("</h1>\n")
                .append(body)
                .append("</body>\n</html>\n")
                .toString();
    }

    /** Who has which colour, on one line, in the order of their places. */
    public static String legend(List<String> names) {
        StringBuilder legend = new StringBuilder("<p class=\"soft\">");
        for (int i = 0; i < names.size(); i++) {
            legend.append("<span class=\"name\"><span class=\"key c")
                    .append(colour(i))
                    .append("\"></span>")
                    .append(Svg.escape(names.get(i)))
                    .append("</span> ");
        }
        return legend.append("</p>\n").toString();
    }

    /** The number of the colour of whoever is at a place in an order: classes {@code c} and {@code s} followed by it. */
    public static int colour(int place) {
        return place % COLOURS.size();
    }
}
