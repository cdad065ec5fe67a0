package io.troth.coordinator.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** One JSON object on one line. One thread. */
final class JsonLine {

    private final List<String> members = new ArrayList<>();

    /** A string, or null. */
    JsonLine add(String name, @Nullable String value) {
        members.add(quote(name) + ":" + (value == null ? "null" : quote(value)));
        return this;
    }

    /** A number: exact in Java, but a reader in JavaScript keeps only 53 bits. */
    JsonLine add(String name, long value) {
        members.add(quote(name) + ":" + value);
        return this;
    }

    /** A number, or null. */
    JsonLine add(String name, @Nullable Long value) {
        members.add(quote(name) + ":" + value);
        return this;
    }

    JsonLine add(String name, boolean value) {
        members.add(quote(name) + ":" + value);
        return this;
    }

    JsonLine add(String name, JsonLine value) {
        members.add(quote(name) + ":" + value);
        return this;
    }

    JsonLine addTexts(String name, List<String> values) {
        members.add(
                quote(name) + ":" + values.stream().map(JsonLine::quote).collect(Collectors.joining(",", "[", "]")));
        return this;
    }

    JsonLine addObjects(String name, List<JsonLine> values) {
        members.add(
                quote(name) + ":" + values.stream().map(JsonLine::toString).collect(Collectors.joining(",", "[", "]")));
        return this;
    }

    @Override
    public String toString() {
        return members.stream().collect(Collectors.joining(",", "{", "}"));
    }

    private static String quote(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (c < ' ') {
                quoted.append(String.format("\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
