package io.troth.coordinator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.log.rocksdb.Logs;
import io.troth.coordinator.server.Http;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Goal: a coordinator as a process starts, dies and stops as docs/OPERATIONS.md says. Method: real JVMs and signals. */
class CoordinatorProcessTest {

    private static final int EXIT_KILLED = 137;

    @TempDir
    Path temp;

    private final List<Process> children = new ArrayList<>();

    @AfterEach
    void killWhatIsLeft() throws InterruptedException {
        for (Process child : children) {
            child.destroyForcibly().waitFor();
        }
    }

    private Process start(String... more) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx192m",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                CoordinatorMain.class.getName(),
                "coordinator",
                "--data-directory",
                temp.resolve("data").toString(),
                "--grpc-port",
                "0",
                "--http-port",
                "0"));
        command.addAll(List.of(more));
        Path errors = temp.resolve("err" + children.size());
        Process child =
                new ProcessBuilder(command).redirectError(errors.toFile()).start();
        children.add(child);
        return child;
    }

    private String errors(Process child) throws IOException {
        return Files.readString(temp.resolve("err" + children.indexOf(child)));
    }

    private static BufferedReader outputOf(Process child) {
        return child.inputReader(StandardCharsets.UTF_8);
    }

    private static int exitOf(Process child) throws InterruptedException {
        assertTrue(child.waitFor(60, TimeUnit.SECONDS), "still runs");
        return child.exitValue();
    }

    private static int httpPort(String readyLine) {
        return Integer.parseInt(readyLine.replaceAll(".* http=127\\.0\\.0\\.1:([0-9]+) .*", "$1"));
    }

    @Test
    void diesByKillAndStopsInOrderBySigterm() throws Exception {
        Process killed = start();
        BufferedReader output = outputOf(killed);
        String ready = output.readLine();
        assertTrue(
                ready.matches("READY grpc=127.0.0.1:[0-9]+ http=127.0.0.1:[0-9]+ cluster=[0-9a-f]{16} epoch=1 .*"),
                ready);
        assertEquals("200 ready", Http.get(httpPort(ready), "/readyz"));

        Process second = start();
        assertEquals(ExitCode.FAILED, exitOf(second));
        assertTrue(errors(second).contains("IN_USE"), errors(second));
        assertTrue(errors(second).contains("(pid " + killed.pid() + ")"), errors(second));

        killed.toHandle().destroyForcibly();
        assertEquals(EXIT_KILLED, exitOf(killed));

        Process stopped = start();
        output = outputOf(stopped);
        assertTrue(output.readLine().contains(" epoch=2 "));
        stopped.toHandle().destroy();
        assertTrue(output.readLine().startsWith("STOPPING"));
        assertEquals("STOPPED", output.readLine());
        assertEquals(ExitCode.OK, exitOf(stopped), errors(stopped));
    }

    @Test
    void endsWith70AndTheNameOfTheInvariantThatWasBroken() throws Exception {
        Logs.forgeImpossibleEpoch(temp.resolve("data"));
        Process child = start();
        assertEquals(ExitCode.VIOLATED, exitOf(child), errors(child));
        String errors = errors(child);
        assertTrue(errors.contains("troth: invariant I8_EPOCHS_GROW: "), errors);
        assertTrue(errors.contains("troth log verify"), errors);
    }
}
