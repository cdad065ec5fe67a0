package io.troth.bench.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.troth.chaos.process.ChildProcess;
import io.troth.chaos.process.Children;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nothing of a run stays, neither at its end nor when it is interrupted. */
class ScratchTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    @TempDir
    Path output;

    @Test
    void nothingStaysAfterCtrlC() throws IOException {
        assumeFalse(ChildProcess.ignoresInterrupts(), "who started this ignores SIGINT");
        try (Children children = new Children(output)) {
            ChildProcess run = children.startJava("run", Interrupted.class, List.of());
            String[] words = run.awaitLine("READY ", LIMIT).split(" ", -1);
            assertTrue(Files.isDirectory(Path.of(words[1])) && Files.isDirectory(Path.of(words[2])));

            run.interrupt();
            run.awaitExit(LIMIT);

            assertFalse(Files.exists(Path.of(words[1])), words[1]);
            assertFalse(Files.exists(Path.of(words[2])), words[2]);
            assertEquals(
                    false,
                    ProcessHandle.of(Long.parseLong(words[3]))
                            .map(ProcessHandle::isAlive)
                            .orElse(false));
        }
    }

    @Test
    void nothingStaysAfterTheEnd() {
        Path disk;
        Path memory;
        try (Scratch scratch = new Scratch("scratch-test-")) {
            disk = scratch.newDirectory("a");
            memory = scratch.newMemoryDirectory();
            assertTrue(Files.isDirectory(disk) && Files.isDirectory(memory));
        }
        assertFalse(Files.exists(disk) || Files.exists(memory));
    }

    /** A run that somebody stops: a child of it is busy writing. */
    static final class Interrupted {

        private Interrupted() {}

        public static void main(String[] arguments) throws InterruptedException {
            Scratch scratch = new Scratch("scratch-test-");
            Path disk = scratch.newDirectory("busy");
            Path memory = scratch.newMemoryDirectory();
            ChildProcess writer = scratch.children()
                    .start(
                            "writer",
                            List.of(
                                    "sh",
                                    "-c",
                                    "trap '' INT; while :; do : >" + disk + "/$((n=n+1)); sleep 0.01; done"));
            System.out.println("READY " + disk.getParent() + " " + memory + " " + writer.pid());
            System.out.flush();
            new CountDownLatch(1).await();
        }
    }
}
