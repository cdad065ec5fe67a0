package io.troth.chaos.page;

import java.util.Locale;

/** One drawing, written from left to right; y grows downwards. Colours come from the page's style. */
public final class Svg {

    private final StringBuilder body = new StringBuilder();
    private final int width;
    private final int height;

    /** An empty drawing, in pixels. */
    public Svg(int width, int height) {
        this.width = width;
        this.height = height;
    }

    /**
     * A filled box.
     *
     * @param kind the class that says its colour
     * @param tip what is shown when one points at it
     */
    public Svg box(double x, double y, double w, double h, String kind, String tip) {
        body.append(String.format(
                Locale.ROOT,
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"%s\"><title>%s</title></rect>%n",
                x,
                y,
                Math.max(0, w),
                h,
                kind,
                escape(tip)));
        return this;
    }

    public Svg line(double x1, double y1, double x2, double y2, String kind) {
        body.append(String.format(
                Locale.ROOT,
                "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>%n",
                x1,
                y1,
                x2,
                y2,
                kind));
        return this;
    }

    /**
     * Words.
     *
     * @param anchor start, middle or end
     */
    public Svg text(double x, double y, String anchor, String words) {
        body.append(String.format(
                Locale.ROOT,
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>%n",
                x,
                y,
                anchor,
                escape(words)));
        return this;
    }

    /**
     * A line through points.
     *
     * @param points as SVG has them: {@code x,y x,y}
     */
    public Svg path(String points, String kind, String tip) {
        body.append(String.format(
                Locale.ROOT,
                "<polyline points=\"%s\" class=\"%s\"><title>%s</title></polyline>%n",
                points,
                kind,
                escape(tip)));
        return this;
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "<svg viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\">%n%s</svg>%n",
                width,
                height,
                width,
                height,
                body);
    }

    /** Text that is no markup. */
    public static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
