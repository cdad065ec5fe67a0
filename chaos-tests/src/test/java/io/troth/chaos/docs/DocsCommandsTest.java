package io.troth.chaos.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.troth.agent.server.AgentMain;
import io.troth.chaos.process.Children;
import io.troth.coordinator.cli.CoordinatorMain;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Goal: a command that a document shows works. Method: every command of an indented block in the README and in docs is
 * run in an empty directory with the distribution's configuration file; one that this test does not know fails it. The
 * build's own commands are only looked at: they run this test.
 */
class DocsCommandsTest {

    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final long LIMIT_SECONDS = 120;

    /** Where {@code coordinator --dev} puts its log, seen from where it is started. */
    private static final String DEV_LOG = ".troth/coordinator";

    @TempDir
    static Path directory;

    @BeforeAll
    static void leaveALogToLookAt() throws Exception {
        Files.copy(ROOT.resolve("dist/src/conf/troth.conf"), directory.resolve("troth.conf"));
        assertServes("troth coordinator --dev");
    }

    @ParameterizedTest
    @MethodSource("commands")
    void everyCommandOfTheDocumentsWorks(String command) throws Exception {
        List<String> words = List.of(command.split(" +"));
        switch (words.get(0)) {
            case "./mvnw", "mvn" -> assertBuilds(words);
            case "./troth" -> {
                // PerformancePageTest reads the benchmarks' commands.
                if (!words.get(1).equals("bench")) {
                    // DemoTest and ClusterDemoTest run them.
                    assertTrue(List.of("./troth demo", "./troth demo --cluster").contains(command), command);
                }
            }
            case "troth" -> assertRuns(command, words);
            default -> fail("how is this to be tried? " + command);
        }
    }

    /** Without comments, each once. */
    private static Set<String> commands() throws IOException {
        List<Path> documents = new ArrayList<>(List.of(ROOT.resolve("README.md"), ROOT.resolve("CONTRIBUTING.md")));
        try (Stream<Path> docs = Files.list(ROOT.resolve("docs"))) {
            docs.filter(path -> path.toString().endsWith(".md")).forEach(documents::add);
        }
        Set<String> commands = new TreeSet<>();
        for (Path document : documents) {
            Files.readAllLines(document).stream()
                    .filter(line -> line.matches(" {4}(\\./|troth |mvn ).*"))
                    .map(line -> line.replaceFirst("\\s+#.*", "").strip())
                    .forEach(commands::add);
        }
        return commands;
    }

    /** The modules and tests that it names are there. */
    private static void assertBuilds(List<String> words) throws IOException {
        for (int i = 0; i < words.size(); i++) {
            if (words.get(i).equals("-pl")) {
                assertTrue(Files.isDirectory(ROOT.resolve(words.get(i + 1))), words::toString);
            }
            if (words.get(i).startsWith("-Dtest=")) {
                String file = words.get(i).substring("-Dtest=".length()) + ".java";
                try (Stream<Path> files = Files.walk(ROOT.resolve(words.get(words.indexOf("-pl") + 1) + "/src/test"))) {
                    assertTrue(files.anyMatch(path -> path.endsWith(file)), words::toString);
                }
            }
        }
    }

    private static void assertRuns(String command, List<String> words) throws Exception {
        switch (words.get(1)) {
            case "coordinator" -> assertServes(command);
            case "config", "log" -> assertSucceeds(command);
            // Its databases are examples.
            case "agent" -> assertSucceeds(command + " --check");
            default -> fail("how is this to be tried? " + command);
        }
    }

    private static void assertSucceeds(String command) throws Exception {
        Process process = start(command);
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS), command);
        assertEquals(0, process.exitValue(), () -> command + ":\n" + output);
    }

    /** It says that it is ready, and ends in order when it is told to. */
    private static void assertServes(String command) throws Exception {
        Process process = start(command);
        try (BufferedReader reader = process.inputReader()) {
            StringBuilder said = new StringBuilder();
            String line = reader.readLine();
            while (line != null && !line.startsWith("READY")) {
                said.append(line).append('\n');
                line = reader.readLine();
            }
            assertTrue(line != null, () -> command + " never was ready:\n" + said);
            // Process.destroy would close the pipe, too.
            process.toHandle().destroy();
            reader.lines().forEach(rest -> said.append(rest).append('\n'));
            assertTrue(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS), command);
            assertEquals(0, process.exitValue(), () -> command + ":\n" + said);
        } finally {
            process.destroyForcibly();
        }
    }

    private static Process start(String command) throws IOException {
        List<String> words =
                new ArrayList<>(List.of(command.replace("DIRECTORY", DEV_LOG).split(" +")));
        Class<?> main = words.get(1).equals("agent") ? AgentMain.class : CoordinatorMain.class;
        List<String> line = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Djava.io.tmpdir=" + directory));
        line.addAll(Children.classFlags());
        line.add(main.getName());
        line.addAll(words.subList(1, words.size()));
        ProcessBuilder builder =
                new ProcessBuilder(line).directory(directory.toFile()).redirectErrorStream(true);
        // Whoever else runs on this machine keeps the usual ports.
        builder.environment().put("TROTH_GRPC_PORT", "0");
        builder.environment().put("TROTH_HTTP_PORT", "0");
        return builder.start();
    }
}
