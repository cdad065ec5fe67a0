package io.troth.chaos.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.troth.chaos.process.ChildProcess;
import io.troth.chaos.process.Children;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Goal: Ctrl-C in the middle leaves no process and no file. Method: the demo in a process of its own, interrupted. */
class InterruptTest {

    private static final Duration LIMIT = Duration.ofMinutes(2);

    /** Two databases, a coordinator, two agents and a client; the databases have children. */
    private static final int PROCESSES_MIN = 6;

    @TempDir
    Path temp;

    @Test
    void leavesNothingBehindWhenItIsInterrupted() throws IOException {
        assumeFalse(ChildProcess.ignoresInterrupts(), "who started this ignores SIGINT");
        try (Children children = new Children(temp)) {
            Path writes = Files.createDirectories(temp.resolve("writes"));
            ChildProcess demo = children.startJava(
                    "demo",
                    DemoMain.class,
                    List.of("demo", "--binaries", System.getProperty("java.io.tmpdir")),
                    List.of("-Djava.io.tmpdir=" + writes));
            demo.awaitLine("Transfers", LIMIT);
            List<ProcessHandle> started =
                    ProcessHandle.of(demo.pid()).orElseThrow().descendants().toList();
            assertTrue(started.size() >= PROCESSES_MIN, started::toString);
            demo.interrupt();
            assertNotEquals(0, demo.awaitExit(LIMIT));
            assertEquals(List.of(), list(writes));
            Awaitility.await("nothing runs")
                    .atMost(LIMIT)
                    .until(() -> started.stream().noneMatch(InterruptTest::runs));
        }
    }

    @Test
    void refusesWrongOptionsWithTheExitCodeOfUsage() {
        try (Children children = new Children(temp)) {
            ChildProcess demo =
                    children.startJava("demo", DemoMain.class, List.of("demo", "--accounts", "1"), List.of());
            assertEquals(2, demo.awaitExit(LIMIT));
        }
    }

    private static List<Path> list(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> !file.getFileName().toString().startsWith("hsperfdata"))
                    .toList();
        }
    }

    /** A killed process whose end nobody has asked for yet does not run. */
    private static boolean runs(ProcessHandle process) {
        return process.isAlive() && !process.info().command().isEmpty();
    }
}
