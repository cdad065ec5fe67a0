package io.troth.core;

import java.util.ArrayList;
import java.util.List;

/** The words of one command of a scenario; flags and options may stand anywhere after the command. */
public class ScenarioWords {

    public final String command;
    private final List<String> words;

    /** The words of this line. */
    public ScenarioWords(String line) {
        words = new ArrayList<>(List.of(line.trim().split("\\s+")));
        command = words.remove(0);
    }

    /** True when nothing is left. */
    public final boolean isEmpty() {
        return words.isEmpty();
    }

    /** Fails when something is left. */
    public final void end() {
        if (!words.isEmpty()) {
            throw new IllegalArgumentException("left over: " + words);
        }
    }

    /** Takes the next word. */
    public final String next() {
        if (words.isEmpty()) {
            throw new IllegalArgumentException(command + " needs more words");
        }
        return words.remove(0);
    }

    /** Takes all words that are left. */
    public final List<String> rest() {
        List<String> all = List.copyOf(words);
        words.clear();
        return all;
    }

    /** Takes a number. */
    public final long number() {
        return Long.parseLong(next());
    }

    /** Takes this word if it is there. */
    public final boolean flag(String name) {
        return words.remove(name);
    }

    /** True when there is {@code option=...}. */
    public final boolean has(String option) {
        return words.stream().anyMatch(word -> word.startsWith(option + "="));
    }

    /** Takes {@code name=number} if it is there. */
    public final long option(String name, long otherwise) {
        return has(name) ? Long.parseLong(value(name)) : otherwise;
    }

    /** Takes {@code name=value}, which has to be there. */
    public final String value(String name) {
        String word = words.stream()
                .filter(each -> each.startsWith(name + "="))
                .findFirst()
                .orElseThrow();
        words.remove(word);
        return word.substring(name.length() + 1);
    }
}
