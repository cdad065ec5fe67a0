package io.troth.chaos.bank;

import java.util.List;

/**
 * What the client was told about one transfer, as one line of text between the client process and whoever checks it.
 *
 * @param transfer the number of the transfer, unique in a run
 * @param kind what was said
 * @param tx the global transaction in its text form, or {@code -} when there never was one
 * @param detail why, without line breaks; may be empty
 */
public record Answer(long transfer, Kind kind, String tx, String detail) {

    /** The start of the line that carries an answer. */
    public static final String PREFIX = "ANSWER ";

    /** What can be said. */
    public enum Kind {
        /** The row must be in both databases. */
        COMMITTED,
        /** The row must be in neither database. */
        ROLLED_BACK,
        /** Nothing was claimed: the row must be in both or in neither. */
        UNKNOWN
    }

    /** One line that {@link #parse} reads. */
    public String line() {
        return PREFIX + transfer + " " + kind + " " + tx + " " + detail.replaceAll("\\s+", " ");
    }

    /** The error code with which the detail begins; empty when it begins with none. */
    public String code() {
        int end = 0;
        while (end < detail.length() && (detail.charAt(end) == '_' || Character.isUpperCase(detail.charAt(end)))) {
            end++;
        }
        return detail.substring(0, end);
    }

    /**
     * Reads what {@link #line()} writes.
     *
     * @throws IllegalArgumentException when it is anything else
     */
    public static Answer parse(String line) {
        List<String> words = List.of(line.split(" ", 5));
        if (!line.startsWith(PREFIX) || words.size() < 5) {
            throw new IllegalArgumentException("not an answer: " + line);
        }
        return new Answer(Long.parseLong(words.get(1)), Kind.valueOf(words.get(2)), words.get(3), words.get(4));
    }
}
