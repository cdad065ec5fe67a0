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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: the demo of a cluster cuts its leader off, shows that another one takes over, leaves a timeline, and cannot hold
 * when something is wrong. Method: one of its faults, with everything sabotaged at the end: each flaw must fail its own
 * check, and everything else must hold.
 */
class ClusterDemoTest {

    private static final Path BINARIES = Path.of(System.getProperty("java.io.tmpdir"));

    @TempDir
    Path out;

    @Test
    void aFaultIsSurvivedAndEveryFlawIsFound() throws Exception {
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        ClusterOptions options = new ClusterOptions(
                1, 20, out, List.of(Fault.PARTITION), EnumSet.of(Sabotage.ANSWER, Sabotage.MONEY, Sabotage.PREPARED));
        Path directory;
        Verdict verdict;
        try (ClusterDemo demo =
                new ClusterDemo(options, new Narrator(new PrintStream(output, true, UTF_8), false), BINARIES)) {
            verdict = demo.run();
            directory = demo.directory();
        }
        String text = output.toString(UTF_8);
        assertEquals(
                List.of(Verdict.MONEY, Verdict.NOTHING_PREPARED, Verdict.ANSWERS),
                verdict.failed().stream().map(Verdict.Check::name).toList(),
                () -> verdict + "\n" + text);
        assertTrue(text.contains("says meanwhile: 503 NOT_LEADER"), text);
        assertFalse(Files.exists(directory), "the demo leaves its directory behind");
        String page = Files.readString(out.resolve("timeline.html"));
        assertTrue(page.contains("network cut around node-"), page);
        assertTrue(page.contains("WRONG: " + Verdict.MONEY), page);
    }
}
