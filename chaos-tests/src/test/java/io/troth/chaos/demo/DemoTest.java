package io.troth.chaos.demo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.chaos.demo.DemoOptions.Sabotage;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Goal: the demo holds, shows what it claims, and cannot hold when something is wrong. Method: the whole demo, once as it
 * is and once with everything sabotaged; each flaw must fail its own check and no other.
 */
class DemoTest {

    private static final int SECONDS = 2;
    private static final int ACCOUNTS = 20;
    private static final Path BINARIES = Path.of(System.getProperty("java.io.tmpdir"));

    private final ByteArrayOutputStream output = new ByteArrayOutputStream();

    @Test
    void holdsAndShowsEveryKillAndLeavesNothingBehind() {
        Path directory;
        Verdict verdict;
        try (Demo demo = demo(List.of(Act.values()), Set.of())) {
            verdict = demo.run();
            directory = demo.directory();
        }
        String text = output.toString(UTF_8);
        assertTrue(verdict.holds(), () -> verdict.failed() + "\n" + text);
        assertEquals(3, text.split("  kill -9 [0-9]+ .*: exit code 137", -1).length - 1, text);
        for (Act act : Act.values()) {
            assertTrue(text.contains("at the point " + act.lastPoint()), text);
        }
        assertFalse(Files.exists(directory), "the demo leaves its directory behind");
    }

    @Test
    void failsInEveryCheckThatIsSabotaged() {
        Verdict verdict;
        try (Demo demo = demo(List.of(Act.VOTES_IN), EnumSet.allOf(Sabotage.class))) {
            verdict = demo.run();
        }
        assertEquals(
                List.of(
                        "act 1: " + Verdict.KILLED,
                        "act 1: " + Verdict.IN_DOUBT,
                        "act 1: " + Verdict.GOES_ON,
                        Verdict.MONEY,
                        Verdict.NOTHING_PREPARED,
                        Verdict.ANSWERS),
                verdict.failed().stream().map(Verdict.Check::name).toList(),
                () -> output.toString(UTF_8));
    }

    private Demo demo(List<Act> acts, Set<Sabotage> sabotages) {
        DemoOptions options = new DemoOptions(SECONDS, ACCOUNTS, acts, sabotages);
        return new Demo(options, new Narrator(new PrintStream(output, true, UTF_8), false), BINARIES);
    }
}
