package io.troth.chaos.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: the harness really kills, really parks, and leaves nothing behind, also when it is killed itself. Method: small
 * JVMs of our own and shell commands.
 */
class ChildProcessTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    @TempDir
    Path logs;

    private Children children;

    @BeforeEach
    void open() {
        children = new Children(logs);
    }

    @AfterEach
    void close() {
        children.close();
    }

    @Test
    void parksAtAnArmedPointUntilItIsKilled() {
        ChildProcess child = children.startJava("walker", Walker.class, List.of());
        child.send("arm SECOND");
        child.awaitLine("ARMED SECOND", LIMIT);
        child.send("walk t1");
        assertEquals("REACHED SECOND t1", child.awaitLine(Failpoints.REACHED, LIMIT));
        assertEquals(ChildProcess.EXIT_KILLED, child.kill());
        assertThrows(IllegalStateException.class, () -> child.awaitLine("DONE", LIMIT));
    }

    @Test
    void noClassComesFromTheWorkingDirectory() {
        List<String> flags = Children.classFlags();
        List<String> path = List.of(flags.get(flags.indexOf("-cp") + 1).split(File.pathSeparator, -1));
        assertFalse(path.isEmpty());
        assertFalse(path.contains(""), () -> "an empty entry in " + path);
    }

    @Test
    void goesOnWhenItIsReleasedAndParksOnlyAsOftenAsArmed() {
        ChildProcess child = children.startJava("walker", Walker.class, List.of());
        child.send("arm FIRST");
        child.send("walk t1");
        child.awaitLine("REACHED FIRST t1", LIMIT);
        child.send("release");
        child.awaitLine("DONE t1", LIMIT);
        child.send("walk t2");
        child.awaitLine("DONE t2", LIMIT);
    }

    @Test
    void standsStillWhileSuspended() {
        ChildProcess child = children.startJava("walker", Walker.class, List.of());
        child.send("walk t1");
        child.awaitLine("DONE t1", LIMIT);
        child.suspend();
        child.send("walk t2");
        assertThrows(IllegalStateException.class, () -> child.awaitLine("DONE t2", Duration.ofMillis(200)));
        child.proceed();
        child.awaitLine("DONE t2", LIMIT);
    }

    /** By the signal's own exit code: its input stays open, or its lifeline would end it first. */
    @Test
    void endsByTheSignalWhenItIsTerminated() {
        ChildProcess child = children.startJava("walker", Walker.class, List.of());
        child.send("walk t1");
        child.awaitLine("DONE t1", LIMIT);
        child.terminate();
        assertEquals(128 + 15, child.awaitExit(LIMIT));
    }

    @Test
    void endsChildrenOfAKilledParent() {
        ChildProcess parent = children.startJava("parent", Parent.class, List.of(logs.toString()));
        long grandchild = Long.parseLong(parent.awaitLine("CHILD ", LIMIT).substring("CHILD ".length()));
        assertTrue(isRunning(grandchild));
        assertEquals(ChildProcess.EXIT_KILLED, parent.kill());
        Awaitility.await().atMost(LIMIT).until(() -> !isRunning(grandchild));
    }

    @Test
    void killsWhatStillRunsWhenTheGroupIsClosed() {
        ChildProcess child = children.start("sleeper", List.of("sleep", "600"));
        children.close();
        assertFalse(child.isAlive());
        assertEquals(List.of(), children.running());
    }

    @Test
    void saysWhatItWaitedForWhenTheProcessEnds() {
        ChildProcess child = children.start("short", List.of("sh", "-c", "echo hello; exit 3"));
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> child.awaitLine("READY", LIMIT));
        assertEquals(
                "short ended without saying \"READY\"; the last it said is \"hello\"; exit code 3", e.getMessage());
    }

    @Test
    void saysWhatTheProcessComplainedOfAtItsEnd() {
        ChildProcess child = children.start("short", List.of("sh", "-c", "echo bad >&2; echo; echo worse >&2; exit 3"));
        IllegalStateException e = assertThrows(IllegalStateException.class, () -> child.awaitLine("READY", LIMIT));
        assertTrue(
                e.getMessage()
                        .endsWith(
                                "; exit code 3, and at the end of " + logs.resolve("short.err") + " stands \"worse\""),
                e.getMessage());
    }

    /** One that has ended, and whose end nobody has asked for yet, does not run. */
    private static boolean isRunning(long pid) {
        return ProcessHandle.of(pid)
                .map(process -> process.isAlive() && process.info().command().isPresent())
                .orElse(false);
    }

    /** Walks past two points when told to. */
    static final class Walker {
        public static void main(String[] args) throws InterruptedException {
            Failpoints points = new Failpoints(System.out);
            java.util.concurrent.BlockingQueue<String> walks = new java.util.concurrent.LinkedBlockingQueue<>();
            Lifeline.attach(line -> {
                points.command(line);
                if (line.startsWith("walk ")) {
                    walks.add(line.substring("walk ".length()));
                }
            });
            while (true) {
                String walk = walks.take();
                points.reached("FIRST", walk);
                points.reached("SECOND", walk);
                System.out.println("DONE " + walk);
            }
        }
    }

    /** Has a child of its own. */
    static final class Parent {
        public static void main(String[] args) {
            ChildProcess child = new Children(Path.of(args[0])).startJava("grandchild", Walker.class, List.of());
            System.out.println("CHILD " + child.pid());
            Lifeline.attach(line -> {});
            child.awaitExit(Duration.ofMinutes(5));
        }
    }
}
