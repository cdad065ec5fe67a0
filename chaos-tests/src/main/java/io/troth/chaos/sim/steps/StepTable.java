package io.troth.chaos.sim.steps;

import io.troth.chaos.sim.world.Sights;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Which pairs of state and event a campaign must have seen, and why it cannot see the others: {@code steps.txt}, one line
 * a kind of event, one mark a state.
 */
public final class StepTable {

    /** From so many seeds on a pair that is marked as rare must have happened as well. */
    private static final long SEEDS_FOR_RARE = 100_000;

    private static final char OFTEN = '+';
    private static final char RARE = 'o';

    private static final Map<String, Character> MARKS = read();

    private StepTable() {}

    /** The names of the pairs that must have happened in so many seeds, and have not. */
    public static List<String> missing(Sights sights, long seeds) {
        return names(mark -> mark == OFTEN || (mark == RARE && seeds >= SEEDS_FOR_RARE), sights, false);
    }

    /** The names of the pairs that have happened although there is a reason why they cannot. */
    public static List<String> impossible(Sights sights) {
        return names(mark -> mark != OFTEN && mark != RARE && mark != 'r', sights, true);
    }

    private static List<String> names(Predicate<Character> marks, Sights sights, boolean happened) {
        List<String> names = new ArrayList<>();
        MARKS.forEach((name, mark) -> {
            if (marks.test(mark) && sights.count(name) > 0 == happened) {
                names.add(name);
            }
        });
        return names;
    }

    private static Map<String, Character> read() {
        Map<String, Character> marks = new TreeMap<>();
        List<String> reasons = new ArrayList<>(List.of(String.valueOf(OFTEN), String.valueOf(RARE)));
        List<String> lines = lines();
        for (String line : lines) {
            if (line.matches("# [a-z]  .*")) {
                reasons.add(line.substring(2, 3));
            }
        }
        table(lines, LeaderSteps.PAIRS, marks);
        table(lines, BranchSteps.PAIRS, marks);
        marks.forEach((name, mark) -> {
            if (!reasons.contains(mark.toString())) {
                throw new IllegalStateException(name + ": there is no reason " + mark);
            }
        });
        return marks;
    }

    private static <S extends Enum<S>, I extends Enum<I>> void table(
            List<String> lines, Pairs<S, I> pairs, Map<String, Character> marks) {
        List<S> states = pairs.states();
        int at = lines.indexOf(line(lines, pairs.machine()));
        check(words(lines.get(at)), pairs.machine(), states);
        for (I input : pairs.inputs()) {
            String[] words = words(lines.get(++at));
            if (words.length != 1 + states.size() || !words[0].equals(input.name())) {
                throw new IllegalStateException("not the line of " + input + ": " + lines.get(at));
            }
            for (int i = 0; i < states.size(); i++) {
                marks.put(pairs.name(states.get(i), input), words[1 + i].charAt(0));
            }
        }
    }

    private static <S extends Enum<S>> void check(String[] words, String head, List<S> states) {
        List<String> expected = new ArrayList<>(List.of(head));
        for (S state : states) {
            expected.add(state.name());
        }
        if (!expected.equals(List.of(words))) {
            throw new IllegalStateException("the states are " + expected + ", not " + List.of(words));
        }
    }

    private static String[] words(String line) {
        return line.trim().split(" +");
    }

    private static String line(List<String> lines, String head) {
        return lines.stream()
                .filter(line -> line.startsWith(head + " "))
                .findFirst()
                .orElseThrow();
    }

    private static List<String> lines() {
        try (@Nullable InputStream in = StepTable.class.getResourceAsStream("steps.txt")) {
            if (in == null) {
                throw new IllegalStateException("steps.txt is not here");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
