package io.troth.chaos.demo;

import io.troth.chaos.bank.Answer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** When clients were told what, and when something was done to the cluster. Times are in ms since it began. Thread-safe. */
final class Timeline {

    /** Something that was done. */
    record Mark(long millis, String text) {}

    private record Told(long millis, Answer.Kind kind, String code) {}

    /** The longest bar, in characters. */
    private static final int BAR = 40;

    private final long beganNanos;
    private final List<Told> answers = new ArrayList<>();
    private final List<Mark> marks = new ArrayList<>();

    /** Begins now. */
    Timeline() {
        this(System.nanoTime());
    }

    /** Began then, by {@code System.nanoTime()}. */
    Timeline(long beganNanos) {
        this.beganNanos = beganNanos;
    }

    long nowMillis() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - beganNanos);
    }

    /** Now a client was told this. */
    void told(Answer answer) {
        told(nowMillis(), answer);
    }

    /** As {@link #told(Answer)}, at a time that is not before any earlier one. */
    synchronized void told(long millis, Answer answer) {
        answers.add(new Told(millis, answer.kind(), answer.code()));
    }

    /** Now this was done. Returns the time. */
    synchronized long mark(String text) {
        long now = nowMillis();
        marks.add(new Mark(now, text));
        return now;
    }

    synchronized List<Mark> marks() {
        return List.copyOf(marks);
    }

    /** The longest time without a commit that lies in this span, or reaches into it. */
    synchronized long longestGap(long fromMillis, long toMillis) {
        long longest = 0;
        long last = 0;
        for (Told answer : answers) {
            if (answer.kind() == Answer.Kind.COMMITTED) {
                if (last < toMillis && answer.millis() > fromMillis) {
                    longest = Math.max(longest, answer.millis() - last);
                }
                last = answer.millis();
            }
        }
        return last < toMillis ? Math.max(longest, toMillis - last) : longest;
    }

    /** How many were committed in this span. */
    synchronized long committed(long fromMillis, long toMillis) {
        return answers.stream()
                .filter(answer -> answer.kind() == Answer.Kind.COMMITTED && isWithin(answer, fromMillis, toMillis))
                .count();
    }

    /** How many were rolled back in this span, by the code of the reason. */
    synchronized Map<String, Long> rolledBack(long fromMillis, long toMillis) {
        Map<String, Long> counts = new TreeMap<>();
        for (Told answer : answers) {
            if (answer.kind() == Answer.Kind.ROLLED_BACK && isWithin(answer, fromMillis, toMillis)) {
                counts.merge(answer.code(), 1L, Long::sum);
            }
        }
        return counts;
    }

    private static boolean isWithin(Told answer, long fromMillis, long toMillis) {
        return answer.millis() >= fromMillis && answer.millis() < toMillis;
    }

    /** How many were committed in each stretch of this length, up to the last answer. */
    synchronized long[] committedPer(long stretchMillis) {
        long last = answers.isEmpty() ? 0 : answers.get(answers.size() - 1).millis();
        long[] counts = new long[(int) (last / stretchMillis) + 1];
        for (Told answer : answers) {
            if (answer.kind() == Answer.Kind.COMMITTED) {
                counts[(int) (answer.millis() / stretchMillis)]++;
            }
        }
        return counts;
    }

    /** One line a second: how many were committed, and what was done. */
    List<String> lines() {
        long[] perSecond = committedPer(TimeUnit.SECONDS.toMillis(1));
        long most = 1;
        for (long count : perSecond) {
            most = Math.max(most, count);
        }
        List<String> lines = new ArrayList<>();
        for (int second = 0; second < perSecond.length; second++) {
            StringBuilder line = new StringBuilder(
                    String.format(Locale.ROOT, "%4d s %5d %-" + BAR + "s", second, perSecond[second], "#".repeat((int)
                                    (BAR * perSecond[second] / most))));
            for (Mark mark : marks()) {
                if (mark.millis() / 1_000 == second) {
                    line.append("  ").append(mark.text()).append(';');
                }
            }
            lines.add(line.toString().replaceAll("[ ;]+$", ""));
        }
        return lines;
    }
}
