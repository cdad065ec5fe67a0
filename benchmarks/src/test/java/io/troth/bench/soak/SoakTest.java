package io.troth.bench.soak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import io.troth.bench.run.Mix;
import io.troth.bench.run.Plan;
import io.troth.bench.run.ProcessLook;
import io.troth.bench.run.Soak;
import io.troth.bench.run.Soak.Sample;
import io.troth.bench.troth.TrothNoop;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: what grows is told, and what comes and goes is not. Method: looks that nobody took, with figures of all shapes; and
 * two seconds of the real thing, of which nothing is said but that everybody was looked at.
 */
class SoakTest {

    private static final int LOOKS = 40;
    private static final long MB = 1_000_000;

    @TempDir
    Path directory;

    @Test
    void whatStaysOrComesAndGoesDoesNotGrow() {
        assertEquals(List.of(), Growth.of(looks(i -> new ProcessLook(20 * MB, 300 * MB, 40, 30))));
        // Fills up at first, and is then as it is.
        assertEquals(
                List.of(),
                Growth.of(looks(i -> new ProcessLook(Math.min(10L, i) * 10 * MB, 300 * MB, Math.min(40, 5 * i), 30))));
        // Up and down by 60 MB, and now and then a connection more.
        assertEquals(
                List.of(), Growth.of(looks(i -> new ProcessLook(20 * MB, (300 + 6L * (i % 11)) * MB, 40 + i % 3, 30))));
    }

    @Test
    void whatGrowsSlowlyIsTold() {
        assertTold("live heap", i -> new ProcessLook((20 + i) * MB, 300 * MB, 40, 30));
        assertTold("resident memory", i -> new ProcessLook(20 * MB, (300 + 6L * i) * MB, 40, 30));
        assertTold("file handles", i -> new ProcessLook(20 * MB, 300 * MB, 40 + i / 2, 30));
        assertTold("threads", i -> new ProcessLook(20 * MB, 300 * MB, 40, 30 + i / 4));
    }

    @Test
    void aFewLooksSayNothing() {
        assertTrue(Growth.of(List.of()).get(0).contains("too few looks"));
    }

    private static void assertTold(String what, IntFunction<ProcessLook> look) {
        List<String> told = Growth.of(looks(look));
        assertEquals(1, told.size(), told::toString);
        assertTrue(told.get(0).startsWith("coordinator: " + what), told::toString);
    }

    private static List<Sample> looks(IntFunction<ProcessLook> look) {
        List<Sample> samples = new ArrayList<>();
        for (int i = 0; i < LOOKS; i++) {
            samples.add(new Sample(1 + i, 1_000L * i, Map.of("coordinator", look.apply(i))));
        }
        return samples;
    }

    @Test
    void looksAtEveryProcessUnderLoad() throws Exception {
        Plan plan = new Plan(Mix.transfer(), List.of(TrothNoop.all().get(0)), List.of(4), 1, Duration.ofSeconds(2), 20);
        List<String> progress = new ArrayList<>();
        Soak.Outcome outcome = new Soak(plan, Duration.ofMillis(200), progress::add).run();

        assertEquals("", outcome.wrong());
        assertEquals(progress.size(), outcome.samples().size());
        Sample last = outcome.samples().get(outcome.samples().size() - 1);
        assertTrue(last.committed() > 0);
        assertEquals(Set.of(Soak.CALLERS, "coordinator"), last.processes().keySet());
        last.processes()
                .values()
                .forEach(look -> assertTrue(
                        look.heapBytes() > MB
                                && look.residentBytes() > look.heapBytes()
                                && look.handles() > 3
                                && look.threads() > 3,
                        look::toString));

        SoakReport.write(directory, Map.of("machine", "<small>"), outcome.samples(), List.of("it grew"));
        String page = Files.readString(directory.resolve("soak.html"));
        assertTrue(page.contains("<svg") && page.contains("&lt;small&gt;") && page.contains("it grew"));
        assertFalse(page.contains("<script") || page.contains("src=") || page.contains("NaN"));
        assertEquals(
                outcome.samples().size(),
                JsonParser.parseString(Files.readString(directory.resolve("soak.json")))
                        .getAsJsonObject()
                        .getAsJsonArray("samples")
                        .size());
    }
}
