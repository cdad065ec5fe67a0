package io.troth.core.coordinator;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.troth.core.Between;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * Goal: every pair of a transaction's state and an event is one of: transition, ignored, answered (again), refused,
 * violation; and every transition of protocol 14 is one the real machine makes. Method: bring a new machine into each
 * state, give it each event, write down what happened, and compare with the golden file {@code transitions.txt}. {@code
 * -Dscenarios.rewrite=true} writes it, and the diagram in docs/transitions.md.
 */
class TransitionMatrixTest {

    private static final Path TABLE = Path.of("src", "test", "resources", "transitions.txt");
    private static final Path DIAGRAM = Path.of("..", "docs", "transitions.md");
    private static final String TX = "1.1.1";
    private static final String NONE = "NONE";

    /** The transitions of protocol 14, and no others. */
    private static final List<String> LEGAL = List.of(
            "ACTIVE -> COMMITTING",
            "ACTIVE -> ENDED(READ_ONLY)",
            "ACTIVE -> ENDED(ROLLED_BACK)",
            "ACTIVE -> ONE_PHASE",
            "ACTIVE -> PREPARING",
            "COMMITTED -> ENDED(COMMITTED)",
            "COMMITTING -> COMMITTED",
            "ENDED(UNKNOWN) -> ENDED(COMMITTED)",
            "ENDED(UNKNOWN) -> ENDED(ROLLED_BACK)",
            "ENDED(UNKNOWN) -> ENDED(READ_ONLY)",
            "NONE -> ACTIVE",
            "NONE -> COMMITTING",
            "NONE -> ENDED(READ_ONLY)",
            "NONE -> ENDED(ROLLED_BACK)",
            "NONE -> ONE_PHASE",
            "NONE -> PREPARING",
            "ONE_PHASE -> ENDED(COMMITTED)",
            "ONE_PHASE -> ENDED(READ_ONLY)",
            "ONE_PHASE -> ENDED(ROLLED_BACK)",
            "ONE_PHASE -> ENDED(UNKNOWN)",
            "PREPARING -> COMMITTING",
            "PREPARING -> ENDED(READ_ONLY)",
            "PREPARING -> ENDED(ROLLED_BACK)");

    /** How to get into each state. Sessions of client c; the last line of the key says what is special. */
    private static Map<String, List<String>> states() {
        String prepared = "commit c 1.1.1 a1 b1 two-phase";
        Map<String, List<String>> states = new LinkedHashMap<>();
        states.put(NONE, List.of());
        states.put("ACTIVE, a1 has enlisted", List.of("enlist a a1 1.1.1"));
        states.put("PREPARING, no vote is in", List.of(prepared));
        states.put("PREPARING, b1 voted YES", List.of(prepared, "vote b b1 1.1.1 YES"));
        states.put("PREPARING, b1 voted READ_ONLY", List.of(prepared, "vote b b1 1.1.1 READ_ONLY"));
        states.put("COMMITTING", List.of(prepared, "vote b b1 1.1.1 YES", "vote a a1 1.1.1 YES"));
        states.put(
                "COMMITTED, nobody is done", List.of(prepared, "vote b b1 1.1.1 YES", "vote a a1 1.1.1 YES", "apply"));
        states.put(
                "COMMITTED, b1 is done",
                List.of(prepared, "vote b b1 1.1.1 YES", "vote a a1 1.1.1 YES", "apply", "done b b1 1.1.1"));
        states.put("ONE_PHASE, without a proof", List.of("commit c 1.1.1 a1"));
        states.put("ONE_PHASE, the instance is away", List.of("commit c 1.1.1 a1", "proof a a1 1.1.1", "drop a"));
        states.put(
                "ONE_PHASE, the database is asked",
                List.of("commit c 1.1.1 a1", "proof a a1 1.1.1", "result a a1 1.1.1 LOST"));
        states.put("ENDED(ROLLED_BACK)", List.of("rollback c 1.1.1"));
        states.put(
                "ENDED(COMMITTED)",
                List.of(
                        prepared,
                        "vote b b1 1.1.1 YES",
                        "vote a a1 1.1.1 YES",
                        "apply",
                        "done b b1 1.1.1",
                        "done a a1 1.1.1",
                        "apply"));
        states.put("ENDED(READ_ONLY)", List.of(prepared, "vote b b1 1.1.1 READ_ONLY", "vote a a1 1.1.1 READ_ONLY"));
        states.put("ENDED(UNKNOWN)", List.of("commit c 1.1.1 a1", "result a a1 1.1.1 LOST"));
        return states;
    }

    private static List<String> events() {
        return List.of(
                "enlist a a1 1.1.1",
                "enlist a a2 1.1.1",
                "enlist a a1 1.1.1 wrong-key",
                "commit c 1.1.1 a1",
                "commit c 1.1.1 a1 b1 two-phase",
                "commit c 1.1.1 a1*2 b1 two-phase",
                "commit c 1.1.1 b1",
                "commit c 1.1.1 a1 b1 wrong-key",
                "commit c 1.1.1 a1 b1 decided votes=YES,YES",
                "commit c 1.1.1 a1 b1 decided votes=YES,NO",
                "commit c 1.1.1 a1 b1 decided votes=READ_ONLY,READ_ONLY",
                "commit c 1.1.1 b1 two-phase decided votes=YES",
                "commit c 1.1.1 a1 b1 decided votes=YES",
                "rollback c 1.1.1",
                "ask c 1.1.1",
                "ask c 1.1.1 a1",
                "ask c 1.1.1 a1 b1 two-phase",
                "vote a a1 1.1.1 YES",
                "vote a a1 1.1.1 READ_ONLY",
                "vote a a1 1.1.1 NO PREPARE_REFUSED",
                "vote b a1 1.1.1 YES",
                "result a a1 1.1.1 COMMITTED",
                "result a a1 1.1.1 READ_ONLY",
                "result a a1 1.1.1 ROLLED_BACK",
                "result a a1 1.1.1 LOST",
                "result a a1 1.1.1 NOT_KNOWN",
                "result b a1 1.1.1 COMMITTED",
                "proof a a1 1.1.1",
                "fate d a1 1.1.1 COMMITTED",
                "fate d a1 1.1.1 ROLLED_BACK",
                "fate d a1 1.1.1 IN_PROGRESS",
                "fate d a1 1.1.1 UNKNOWN",
                "done a a1 1.1.1",
                "done b a1 1.1.1",
                "inquire a a1 1.1.1",
                "inquire a a9 1.1.1",
                "drop a",
                "drop b",
                "agent a accounts",
                "gone c",
                "close c 1",
                "progress c 1 2",
                "timer deadline 1.1.1",
                "timer completion 1.1.1",
                "timer retry 1.1.1",
                "timer gone 1.1.1",
                "timer fate 1.1.1",
                "timer age 1",
                "accepting no",
                "hold accounts",
                "force c 1.1.1 a1 ROLLBACK",
                "applied-commit 1.1.1",
                "applied-end 1.1.1",
                "lost");
    }

    @Test
    void everyStateHasAnAnswerToEveryEventAndMakesEveryLegalTransition() throws IOException {
        StringBuilder table = new StringBuilder("""
                # Every state of a transaction at its leader, every event, and what the machine does: a transition (->),
                # answered, refused, ignored, or a violation that stops the shard. Written by TransitionMatrixTest.
                """);
        TreeSet<String> visited = new TreeSet<>();
        Map<String, Set<String>> labels = new LinkedHashMap<>();
        for (Map.Entry<String, List<String>> state : states().entrySet()) {
            table.append('\n').append(state.getKey()).append('\n');
            for (String event : events()) {
                String result = cell(state.getValue(), event, visited, labels);
                table.append(String.format("  %-36s %s%n", event, result));
            }
        }
        boolean rewrite = Boolean.getBoolean("scenarios.rewrite");
        String diagram = diagram(labels);
        if (rewrite) {
            Files.writeString(TABLE, table.toString());
            Files.writeString(DIAGRAM, diagram);
        }
        assertEquals(new TreeSet<>(LEGAL), visited, "the transitions of protocol 14 and those of the machine");
        assertEquals(Files.readString(TABLE), table.toString(), "transitions.txt; rewrite and review the difference");
        assertEquals(Files.readString(DIAGRAM), diagram, "docs/transitions.md; rewrite and review the difference");
    }

    private static String cell(List<String> way, String event, Set<String> visited, Map<String, Set<String>> labels) {
        ScenarioScript script = new ScenarioScript(Between.NOTHING);
        script.run("start");
        script.run("agent d accounts");
        way.forEach(script::run);
        String before = state(script);
        List<String> said = script.run(event);
        if (!said.isEmpty() && said.get(0).startsWith("VIOLATION ")) {
            return said.get(0).replace("VIOLATION", "violation");
        }
        String after = state(script);
        if (after.equals(before)) {
            return kind(said);
        }
        if (after.equals(NONE)) {
            after = over(said);
        }
        if (after.equals(NONE)) {
            return "result is dropped";
        }
        String transition = before + " -> " + after;
        visited.add(transition);
        labels.computeIfAbsent(transition, key -> new TreeSet<>()).add(label(event));
        return "-> " + after;
    }

    /** A T whose session is closed is told by its notices only. */
    private static String over(List<String> said) {
        return said.stream()
                .filter(line -> line.startsWith("* 1.1.1 ended "))
                .map(line -> "ENDED(" + line.split(" ", -1)[3].replace(":", "") + ")")
                .findFirst()
                .orElse(NONE);
    }

    private static String kind(List<String> said) {
        if (said.stream().anyMatch(line -> line.contains("ALARM"))) {
            return "alarm";
        }
        if (said.stream().anyMatch(line -> line.startsWith("* refused"))) {
            return "refused";
        }
        List<String> sent = said.stream()
                .filter(line -> line.startsWith("-> ") || line.startsWith("fetch") || line.startsWith("FORCE"))
                .map(line -> line.replace(" " + TX, ""))
                .toList();
        return sent.isEmpty() ? "ignored" : String.join("; ", sent);
    }

    private static String label(String event) {
        String[] words = event.split(" ", -1);
        return switch (words[0]) {
            case "timer" -> words[1];
            case "vote" -> words[4];
            case "result" -> "result " + words[4];
            case "fate" -> "fate " + words[4];
            case "drop", "agent" -> "stream broken";
            case "done" -> "all done";
            case "commit" -> event.contains("votes=") ? "commit with votes" : "commit";
            case "applied-commit" -> "COMMIT applied";
            case "inquire", "ask" -> "asked";
            case "progress", "close", "gone" -> "session " + words[0];
            default -> words[0];
        };
    }

    private static String state(ScenarioScript script) {
        TransactionView view = script.find(TX);
        if (view == null) {
            return NONE;
        }
        return view.state() == TransactionState.ENDED
                ? "ENDED(" + view.outcome() + ")"
                : view.state().name();
    }

    private static String diagram(Map<String, Set<String>> labels) {
        StringBuilder text = new StringBuilder("""
                # A transaction at its leader

                Generated by `TransitionMatrixTest` from what the machine does; `core/src/test/resources/transitions.txt`
                has every state and every event.

                ```mermaid
                stateDiagram-v2
                """);
        for (String transition : LEGAL) {
            String[] ends = transition.split(" -> ", -1);
            text.append("    ")
                    .append(node(ends[0]))
                    .append(" --> ")
                    .append(node(ends[1]))
                    .append(": ")
                    .append(String.join(", ", labels.getOrDefault(transition, new TreeSet<>())))
                    .append('\n');
        }
        return text.append("```\n").toString();
    }

    private static String node(String state) {
        return state.equals(NONE) ? "[*]" : state.replace("(", "_").replace(")", "");
    }
}
