package io.troth.chaos.demo;

import java.io.PrintStream;
import java.util.List;
import java.util.Locale;

/** Says what happens, for somebody who reads along. On a terminal the progress line is rewritten in place. */
final class Narrator {

    private static final int WIDTH = 100;

    private final PrintStream out;
    private final boolean terminal;
    private boolean inProgressLine;
    private volatile boolean silent;

    /**
     * A voice.
     *
     * @param terminal true when {@code out} is a terminal that understands a carriage return
     */
    Narrator(PrintStream out, boolean terminal) {
        this.out = out;
        this.terminal = terminal;
    }

    /** Says nothing from now on: the run was interrupted. Any thread. */
    void fallSilent() {
        silent = true;
    }

    /** A line as it is. */
    void line(String text) {
        if (silent) {
            return;
        }
        endProgress();
        out.println(text);
        out.flush();
    }

    void blank() {
        line("");
    }

    /** A heading with an empty line before it. */
    void heading(String text) {
        blank();
        line(text);
        line("-".repeat(Math.min(WIDTH, text.length())));
    }

    /** A paragraph, broken into lines. */
    void paragraph(String text) {
        paragraph("", text);
    }

    /** A paragraph with every line indented. */
    void paragraph(String indent, String text) {
        StringBuilder current = new StringBuilder(indent);
        for (String word : text.split(" ", -1)) {
            if (current.length() + word.length() >= WIDTH) {
                line(current.toString().stripTrailing());
                current = new StringBuilder(indent);
            }
            current.append(word).append(' ');
        }
        line(current.toString().stripTrailing());
    }

    /** Columns of equal width; the first row is the head. */
    void table(String indent, List<List<String>> rows) {
        int columns = rows.get(0).size();
        int[] widths = new int[columns];
        for (List<String> row : rows) {
            for (int i = 0; i < columns; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        for (List<String> row : rows) {
            StringBuilder text = new StringBuilder(indent);
            for (int i = 0; i < columns; i++) {
                text.append(row.get(i)).append(" ".repeat(widths[i] - row.get(i).length() + 2));
            }
            line(text.toString().stripTrailing());
        }
    }

    /** What is going on at the moment: rewritten on a terminal, otherwise said only when {@code last}. */
    void progress(String text, boolean last) {
        if (terminal && !silent) {
            out.print("\r" + text + " ".repeat(Math.max(0, WIDTH - text.length())));
            inProgressLine = true;
            out.flush();
            if (last) {
                endProgress();
            }
        } else if (last) {
            line(text);
        }
    }

    static String seconds(long millis) {
        return String.format(Locale.ROOT, "%.2f s", millis / 1000.0);
    }

    private void endProgress() {
        if (inProgressLine) {
            inProgressLine = false;
            out.println();
        }
    }
}
