package io.troth.chaos.launcher;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The script {@code troth}, run as a user runs it: what it says, what it exits with, and which main it starts. A java
 * that only prints its arguments stands in for the real one, so no process of Troth is started here.
 */
@DisabledOnOs(OS.WINDOWS)
class LauncherTest {

    /** The answer of one run. */
    private record Run(int exit, String out, String err) {}

    @TempDir
    Path temp;

    private Path distribution;

    @BeforeEach
    void makeADistribution() throws IOException {
        distribution = Files.createDirectories(temp.resolve("troth dist"));
        Files.createDirectories(distribution.resolve("lib"));
        Path script = Files.createDirectories(distribution.resolve("bin")).resolve("troth");
        Files.copy(checkout().resolve("troth"), script);
        assertTrue(script.toFile().setExecutable(true));
    }

    @Test
    void printsUsageAndExitsWithZeroWhenAskedForHelp() throws Exception {
        Run run = run(checkout(), Map.of(), "./troth", "--help");

        assertEquals(0, run.exit, run.err);
        assertTrue(run.out.startsWith("Usage: troth COMMAND"), run.out);
    }

    @Test
    void printsUsageAndExitsWithTwoForAnUnknownCommand() throws Exception {
        Run run = run(checkout(), Map.of(), "./troth", "bogus");

        assertEquals(2, run.exit);
        assertTrue(run.err.contains("there is no command 'bogus'"), run.err);
        assertTrue(run.err.contains("Usage: troth COMMAND"), run.err);
        assertEquals("", run.out);
    }

    @Test
    void printsUsageAndExitsWithTwoWithoutACommand() throws Exception {
        Run run = run(checkout(), Map.of(), "./troth");

        assertEquals(2, run.exit);
        assertTrue(run.err.contains("Usage: troth COMMAND"), run.err);
    }

    @ParameterizedTest
    @CsvSource({
        "coordinator, io.troth.coordinator.cli.CoordinatorMain",
        "config, io.troth.coordinator.cli.CoordinatorMain",
        "log, io.troth.coordinator.cli.CoordinatorMain",
        "admin, io.troth.coordinator.cli.CoordinatorMain",
        "agent, io.troth.agent.server.AgentMain",
        "demo, io.troth.chaos.demo.DemoMain",
        "simulate, io.troth.chaos.sim.SimulateMain",
        "explore, io.troth.chaos.explore.ExploreMain"
    })
    void startsTheMainOfACommandWithAllArguments(String command, String main) throws Exception {
        Path java = fakeJava("17.0.1");

        Run run = run(temp, javaHome(java), distribution.resolve("bin/troth").toString(), command, "two words", "-x");

        assertEquals(0, run.exit, run.err);
        List<String> lines = run.out.lines().toList();
        assertEquals(
                List.of(
                        "-XX:+ExitOnOutOfMemoryError",
                        "-Dlogback.configurationFile=troth-logback.xml",
                        "-cp",
                        real(distribution) + "/conf:" + real(distribution) + "/lib/*",
                        main,
                        command,
                        "two words",
                        "-x"),
                lines);
    }

    /** A coordinator in the process of an application's tests leaves how that logs to the application. */
    @Test
    void theLauncherAloneChoosesHowItsProcessesLog() {
        assertNotNull(getClass().getResource("/troth-logback.xml"), "what the launcher names");
        assertNull(getClass().getResource("/logback.xml"), "what Logback and Spring Boot look for by themselves");
    }

    @ParameterizedTest
    @ValueSource(strings = {"version", "--version"})
    void asksTheCoordinatorsMainForTheVersion(String command) throws Exception {
        Path java = fakeJava("17.0.1");

        Run run = run(temp, javaHome(java), distribution.resolve("bin/troth").toString(), command);

        assertTrue(run.out.endsWith("io.troth.coordinator.cli.CoordinatorMain\n--version\n"), run.out);
    }

    @Test
    void saysThatTheDistributionHasNoBenchmarks() throws Exception {
        Run run = run(
                temp,
                javaHome(fakeJava("17")),
                distribution.resolve("bin/troth").toString(),
                "bench");

        assertEquals(1, run.exit);
        assertTrue(run.err.contains("run them in a source checkout"), run.err);
    }

    @Test
    void worksThroughALinkAndGivesJavaTheUsersFlags() throws Exception {
        Path java = fakeJava("25.0.1");
        Path link = Files.createSymbolicLink(temp.resolve("link"), distribution.resolve("bin/troth"));

        Run run = run(
                temp,
                Map.of(
                        "JAVA_HOME",
                        java.toString(),
                        "TROTH_JAVA_OPTS",
                        "-Xmx64m -Da=b -Dlogback.configurationFile=mine.xml"),
                link.toString(),
                "admin");

        assertEquals(0, run.exit, run.err);
        List<String> lines = run.out.lines().toList();
        assertTrue(lines.contains("-Xmx64m") && lines.contains("-Da=b"), run.out);
        assertTrue(
                lines.indexOf("-Dlogback.configurationFile=mine.xml")
                        > lines.indexOf("-Dlogback.configurationFile=troth-logback.xml"),
                "the later one counts: " + run.out);
        assertTrue(lines.contains("--enable-native-access=ALL-UNNAMED"), run.out);
        assertTrue(lines.contains("--sun-misc-unsafe-memory-access=allow"), run.out);
    }

    @Test
    void handsTheExitCodeOfJavaOn() throws Exception {
        Path java = fakeJava("17.0.1");
        Files.writeString(java.resolve("bin/java"), "#!/bin/sh\nexit 70\n");

        assertEquals(
                70, run(temp, javaHome(java), distribution.resolve("bin/troth").toString(), "admin").exit);
    }

    @Test
    void becomesJavaItselfSoThatSignalsReachIt() throws Exception {
        Path java = fakeJava("17.0.1");
        Files.writeString(java.resolve("bin/java"), "#!/bin/sh\necho $$\n");
        Run run = run(
                temp,
                javaHome(java),
                "/bin/sh",
                "-c",
                "echo $$; exec \"$0\" admin",
                distribution.resolve("bin/troth").toString());

        List<String> pids = run.out.lines().toList();
        assertEquals(2, pids.size(), run.out);
        assertEquals(pids.get(0), pids.get(1), "java runs in the process that the script was started in");
    }

    @Test
    void refusesAJavaThatIsTooOld() throws Exception {
        Run run = run(
                temp,
                javaHome(fakeJava("11.0.2")),
                distribution.resolve("bin/troth").toString(),
                "admin");

        assertEquals(1, run.exit);
        assertTrue(run.err.contains("is Java 11.0.2. Troth needs 17 or newer"), run.err);
    }

    @Test
    void saysWhatToDoWhenThereIsNoJava() throws Exception {
        Path nothing = Files.createDirectories(temp.resolve("nothing"));
        Run home =
                run(temp, javaHome(nothing), distribution.resolve("bin/troth").toString(), "admin");
        assertEquals(1, home.exit);
        assertTrue(home.err.contains("there is no bin/java in it"), home.err);

        Path bin = Files.createDirectories(temp.resolve("path"));
        for (String tool : List.of("dirname", "readlink", "sed")) {
            Path stub = Files.writeString(bin.resolve(tool), "#!/bin/sh\nexec " + tool(tool) + " \"$@\"\n");
            assertTrue(stub.toFile().setExecutable(true));
        }
        Run path = run(
                temp,
                Map.of("JAVA_HOME", "", "PATH", bin.toString()),
                distribution.resolve("bin/troth").toString(),
                "admin");
        assertEquals(1, path.exit);
        assertTrue(path.err.contains("there is no java. Install a JDK 17"), path.err);
    }

    @Test
    void saysSoWhenItIsNeitherACheckoutNorADistribution() throws Exception {
        Path alone = Files.createDirectories(temp.resolve("a/b")).resolve("troth");
        Files.copy(checkout().resolve("troth"), alone);
        assertTrue(alone.toFile().setExecutable(true));

        Run run = run(temp, javaHome(fakeJava("17")), alone.toString(), "admin");

        assertEquals(1, run.exit);
        assertTrue(run.err.contains("neither a source checkout nor a distribution"), run.err);
    }

    private static Map<String, String> javaHome(Path java) {
        return Map.of("JAVA_HOME", java.toString());
    }

    private Path fakeJava(String version) throws IOException {
        Path home = Files.createDirectories(temp.resolve("java-" + version));
        Files.writeString(home.resolve("release"), "JAVA_VERSION=\"" + version + "\"\n");
        Path java = Files.createDirectories(home.resolve("bin")).resolve("java");
        Files.writeString(java, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n");
        assertTrue(java.toFile().setExecutable(true));
        return home;
    }

    private static Path tool(String name) {
        return List.of("/usr/bin/" + name, "/bin/" + name).stream()
                .map(Path::of)
                .filter(Files::exists)
                .findFirst()
                .orElseThrow();
    }

    /** The directory with the script, seen from this module's. */
    private static Path checkout() {
        return Path.of("..").toAbsolutePath().normalize();
    }

    private static String real(Path path) throws IOException {
        return path.toRealPath().toString();
    }

    private Run run(Path directory, Map<String, String> environment, String... command) throws Exception {
        File out = temp.resolve("out").toFile();
        File err = temp.resolve("err").toFile();
        ProcessBuilder builder = new ProcessBuilder(new ArrayList<>(List.of(command)))
                .directory(directory.toFile())
                .redirectOutput(out)
                .redirectError(err);
        builder.environment().putAll(environment);
        Process process = builder.start();
        process.getOutputStream().close();
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), "it hangs");
        return new Run(
                process.exitValue(), Files.readString(out.toPath(), UTF_8), Files.readString(err.toPath(), UTF_8));
    }
}
