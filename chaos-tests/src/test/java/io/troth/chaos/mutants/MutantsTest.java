package io.troth.chaos.mutants;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.chaos.sim.Simulation;
import io.troth.chaos.sim.database.DriverScripts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Goal: the explorer and the simulator have teeth. Method: every seeded bug of {@code src/mutants} is put into the sources,
 * and both hunt for it within the bounds that its head names; for what neither of them does there is a script. What they find stands in a table in {@code docs/TESTING.md};
 * {@code -Dmutants.rewrite=true} writes it, {@code -Dmutants.only=NAME} hunts for one bug.
 */
class MutantsTest {

    private static final int BY_BOTH_AT_LEAST = 18;
    private static final String BEGIN = "<!-- mutants -->\n";
    private static final String END = "<!-- end of mutants -->\n";
    private static final ClassLoader AS_IT_IS = MutantsTest.class.getClassLoader();
    private static final Path TABLE = Mutants.ROOT.resolve("docs").resolve("TESTING.md");

    /** What became of one bug; null where it was not caught. */
    private record Hunted(
            SourcePatch bug,
            @Nullable String explorer,
            @Nullable String simulator) {

        boolean isCaught() {
            return explorer != null || simulator != null;
        }

        String row() {
            String harmless = bug.has("Harmless") ? "harmless: " + bug.head("Harmless") : "-";
            return "| `" + bug.name() + "` | " + cell(explorer, harmless) + " | " + cell(simulator, "-") + " |\n";
        }

        private static String cell(@Nullable String found, String otherwise) {
            return found == null
                    ? otherwise
                    : found.replace("|", "\\|").lines().findFirst().orElse("");
        }
    }

    @Test
    @Timeout(value = 10, unit = TimeUnit.MINUTES)
    void everySeededBugIsCaught() throws Exception {
        String only = System.getProperty("mutants.only");
        ExecutorService two = Executors.newFixedThreadPool(2);
        List<Hunted> all = new ArrayList<>();
        try {
            List<Future<Hunted>> running = new ArrayList<>();
            for (SourcePatch bug : Mutants.all()) {
                if (only == null || only.equals(bug.name())) {
                    running.add(two.submit(() -> hunt(bug)));
                }
            }
            for (Future<Hunted> each : running) {
                Hunted hunted = each.get();
                all.add(hunted);
                System.out.print(hunted.row());
            }
        } finally {
            two.shutdownNow();
        }
        assertCaught(all);
        if (only == null) {
            int both = (int) all.stream()
                    .filter(each -> each.bug().has("Explorer") && each.explorer() != null && each.simulator() != null)
                    .count();
            assertTrue(both >= BY_BOTH_AT_LEAST, both + " are caught by both");
            assertTable(all);
        }
    }

    @Test
    void theCodeAsItIsPassesTheScripts() {
        assertNull(Scripts.lostLog());
        assertNull(Scripts.notReady());
        assertNull(Scripts.otherDatabase());
        assertNull(DriverScripts.heldByAnotherSession());
        assertNull(DriverScripts.transactionEndedInside());
        assertNull(DriverScripts.failedTransaction());
    }

    /** Else a bug could be caught by what is there without it. */
    @Test
    @Timeout(value = 10, unit = TimeUnit.MINUTES)
    void theCodeAsItIsHoldsInTheScopesInWhichBugsAreHunted() throws ReflectiveOperationException {
        Map<String, Long> scopes = new TreeMap<>();
        for (SourcePatch bug : Mutants.all()) {
            for (String scope : bug.words("Explorer")) {
                String[] words = scope.split(" ", 2);
                scopes.merge(words[0], Long.parseLong(words[1]), Math::max);
            }
        }

        for (Map.Entry<String, Long> scope : scopes.entrySet()) {
            assertNull(Hunters.explore(AS_IT_IS, scope.getKey() + " " + scope.getValue()));
        }
    }

    private static Hunted hunt(SourcePatch bug) throws ReflectiveOperationException {
        MutantClasses classes = Mutants.load(bug);
        String explorer = null;
        for (String scope : bug.words("Explorer")) {
            explorer = explorer != null ? explorer : Hunters.explore(classes, scope);
        }
        for (String script : bug.words("Script")) {
            String found = Hunters.script(classes, script);
            explorer = found == null ? null : "script `" + script + "`: " + found;
        }
        String simulator = null;
        for (String seeds : bug.words("Simulator")) {
            simulator = simulator != null ? simulator : simulate(classes, seeds);
        }
        return new Hunted(bug, explorer, simulator);
    }

    /** A seed that fails without the bug as well says nothing about it, and that the simulator stumbles is no catch. */
    private static @Nullable String simulate(ClassLoader classes, String seeds) throws ReflectiveOperationException {
        String found = Hunters.simulate(classes, seeds);
        if (found != null) {
            String seed = found.substring("seed ".length(), found.indexOf(':'));
            assertFalse(found.contains(Simulation.NO_PROPERTY), found);
            assertNull(Hunters.simulate(AS_IT_IS, seeds.replaceFirst("^[0-9]+-[0-9]+", seed + "-" + seed)));
        }
        return found;
    }

    /** A bug behind a second line of defence must not be caught: if it is, that line has gone. */
    private static void assertCaught(List<Hunted> all) {
        List<String> wrong = new ArrayList<>();
        for (Hunted each : all) {
            boolean harmless = each.bug().has("Harmless");
            if (each.isCaught() == harmless) {
                wrong.add(each.bug().name() + (harmless ? " is caught: " + each.row() : " is not caught"));
            }
            if (!harmless && each.bug().has("Explorer") && each.explorer() == null) {
                wrong.add(each.bug().name() + " is not caught by the explorer");
            }
            if (!harmless && each.bug().has("Script") && each.explorer() == null) {
                wrong.add(each.bug().name() + " is not caught by its script");
            }
            if (!harmless && each.bug().has("Simulator") && each.simulator() == null) {
                wrong.add(each.bug().name() + " is not caught by the simulator");
            }
        }
        assertEquals(List.of(), wrong);
    }

    private static void assertTable(List<Hunted> all) throws IOException {
        StringBuilder table = new StringBuilder("| seeded bug | explorer | simulator |\n|---|---|---|\n");
        all.forEach(each -> table.append(each.row()));
        String text = Files.readString(TABLE);
        int begin = text.indexOf(BEGIN) + BEGIN.length();
        int end = text.indexOf(END);
        if (Boolean.getBoolean("mutants.rewrite")) {
            Files.writeString(TABLE, text.substring(0, begin) + table + text.substring(end));
        } else {
            assertEquals(
                    shape(text.substring(begin, end)),
                    shape(table.toString()),
                    "docs/TESTING.md does not say who catches what; -Dmutants.rewrite=true writes it");
        }
    }

    /** Depths, seeds and words change with every message that is added; who catches what does not. */
    private static List<String> shape(String table) {
        return table.lines()
                .map(line -> line.replaceAll("\\| (?!-|`)[^|]+(?= \\|)", "| caught"))
                .toList();
    }
}
