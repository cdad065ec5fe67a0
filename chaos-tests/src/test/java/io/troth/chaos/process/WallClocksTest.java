package io.troth.chaos.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** Goal: a process really sees the clock that was set, and no other clock changes. Method: one that tells both. */
@EnabledIf("io.troth.chaos.process.WallClocks#canBeSet")
class WallClocksTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    /** What a process reads. */
    private record Reading(long wallMillis, long monotonicNanos) {}

    /** Tells its clocks for each line that it gets. */
    static final class Teller {
        public static void main(String[] args) throws IOException {
            BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            while (lines.readLine() != null) {
                System.out.println("READING " + System.currentTimeMillis() + " " + System.nanoTime());
            }
        }
    }

    private static Reading read(ChildProcess child) {
        child.send("");
        List<String> words = List.of(child.awaitLine("READING ", LIMIT).split(" ", -1));
        return new Reading(Long.parseLong(words.get(1)), Long.parseLong(words.get(2)));
    }

    @Test
    void aProcessSeesTheClockThatWasSetAndNoOtherChanges() throws Exception {
        WallClocks clocks = new WallClocks(directory);
        try (Children children = new Children(Files.createDirectory(directory.resolve("logs")), clocks::environment)) {
            ChildProcess child = children.startJava("teller", Teller.class, List.of());
            Reading first = read(child);
            assertAhead(Duration.ZERO, first);

            long looks = clocks.looks("teller");
            clocks.set("teller", Duration.ofDays(4_000), 1);
            assertAhead(Duration.ofDays(4_000), read(child));
            assertTrue(clocks.looks("teller") > looks);

            clocks.set("teller", Duration.ofDays(-1), 1);
            assertAhead(Duration.ofDays(-1), read(child));

            clocks.set("teller", Duration.ZERO, 0);
            assertEquals(read(child).wallMillis(), read(child).wallMillis());

            clocks.set("teller", Duration.ZERO, 1_000_000);
            Reading before = read(child);
            Reading last = read(child);
            long passed = last.monotonicNanos() - before.monotonicNanos();
            assertTrue(last.wallMillis() - before.wallMillis()
                    > Duration.ofNanos(passed).toMillis() * 1_000);

            assertTrue(
                    Math.abs(last.monotonicNanos() - System.nanoTime())
                            < Duration.ofHours(1).toNanos(),
                    "the monotonic clock has jumped");
        }
    }

    private static void assertAhead(Duration ahead, Reading reading) {
        long off = reading.wallMillis() - System.currentTimeMillis() - ahead.toMillis();
        assertTrue(Math.abs(off) < LIMIT.toMillis(), "off by " + off + " ms");
    }
}
