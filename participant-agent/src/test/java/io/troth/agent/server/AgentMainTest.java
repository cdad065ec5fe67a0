package io.troth.agent.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.config.AgentKey;
import io.troth.agent.database.PostgresExtension;
import io.troth.agent.engine.StepListener;
import io.troth.agent.grpc.SimulatedAgentService;
import io.troth.proto.v1.BranchId;
import io.troth.proto.v1.Enlist;
import io.troth.proto.v1.VoteEntry;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: the command line says what is wrong, and the process ends with the promised codes. Method: the main in this
 * process where it does not serve, and real processes with real signals where it does.
 */
class AgentMainTest {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    private static final long LIMIT_SECONDS = 60;

    @TempDir
    Path temp;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private int run(String... args) {
        return run(Map.of(), args);
    }

    private int run(Map<String, String> environment, String... args) {
        PrintStream toOut = new PrintStream(out, true, StandardCharsets.UTF_8);
        PrintStream toErr = new PrintStream(err, true, StandardCharsets.UTF_8);
        return new AgentMain(toOut, toErr, StepListener.NONE).run(List.of(args), environment);
    }

    private String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private String err() {
        return err.toString(StandardCharsets.UTF_8);
    }

    @Test
    void checksAndPrintsTheConfiguration() {
        assertEquals(0, run("agent", "--resource", "a=jdbc:postgresql://h/d?password=s3cret", "--check"));
        assertTrue(out().contains("good"));
        Map<String, String> environment = Map.of("TROTH_AGENT_RESOURCES_A_PASSWORD", "s3cret");
        assertEquals(0, run(environment, "-r", "a=jdbc:postgresql://h/d", "--coordinator", "[::1]:7", "--print"));
        assertTrue(out().contains("agent.coordinators = \"[::1]:7\"  # flag --coordinators"), out());
        assertTrue(out().contains("agent.resources.a.url = \"jdbc:postgresql://h/d\"  # flag --resource"), out());
        assertFalse(out().contains("s3cret"), out());
    }

    @Test
    void takesTheResourceOfTheCommandLineOverThatOfTheEnvironment() {
        Map<String, String> environment = Map.of("TROTH_AGENT_RESOURCES_A_URL", "jdbc:postgresql://other/d");
        assertEquals(0, run(environment, "-r", "a=jdbc:postgresql://h/d", "--print"));
        assertTrue(out().contains("jdbc:postgresql://h/d") && !out().contains("other"), out());
    }

    @Test
    void saysWhatIsWrongWithTheCommandLine() {
        assertEquals(2, run("agent", "--no-such-flag"));
        assertTrue(err().contains("--no-such-flag"), err());
        assertEquals(1, run("agent"));
        assertTrue(err().contains("no resource is configured"), err());
        assertEquals(1, run("-r", "a=jdbc:postgresql://h/d", "--coordinator", "far.example:7700"));
        assertTrue(err().contains("allow it with --insecure"), err());
        assertEquals(0, run("--help"));
        for (AgentKey<?> key : AgentKey.all()) {
            assertTrue(out().contains(key.option()), key.option());
        }
    }

    @Test
    void saysWhatIsWrongWithTheDatabase() {
        int code =
                run("-r", "a=jdbc:postgresql://localhost:" + POSTGRES.server().port() + "/none?user=postgres");
        assertEquals(1, code);
        assertTrue(err().contains("DATABASE_MISCONFIGURED: resource a: SQLState 3D000"), err());
        // Nobody waits for what no time heals: pgjdbc gives up by itself.
        String noTls = "/postgres?user=postgres&sslmode=require";
        assertEquals(
                1,
                run("-r", "a=jdbc:postgresql://localhost:" + POSTGRES.server().port() + noTls));
        assertTrue(err().contains("DATABASE_MISCONFIGURED: resource a: SQLState 08004"), err());
        assertEquals(1, run("-r", "a=jdbc:mysql://localhost/none"));
        assertTrue(err().contains("jdbc:postgresql:"), err());
    }

    private static List<String> command(Class<?> main, String... args) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                main.getName(),
                "agent",
                "--resource",
                "a=jdbc:postgresql://localhost:" + POSTGRES.server().port() + "/postgres?user=postgres",
                "--sql-port=0",
                "--http-port=0"));
        command.addAll(List.of(args));
        return command;
    }

    private static String awaitLine(BufferedReader lines, String start) throws IOException {
        String line = lines.readLine();
        while (line != null && !line.startsWith(start)) {
            line = lines.readLine();
        }
        return String.valueOf(line);
    }

    @Test
    void runsUntilItIsToldToStop() throws Exception {
        try (SimulatedAgentService coordinator = SimulatedAgentService.start()) {
            Path errors = temp.resolve("errors");
            Process process = new ProcessBuilder(command(AgentMain.class, "--coordinator", coordinator.endpoint()))
                    .redirectError(errors.toFile())
                    .start();
            try (BufferedReader lines =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                String ready = awaitLine(lines, "READY");
                assertTrue(
                        ready.matches("READY sql=127.0.0.1:\\d+ http=127.0.0.1:\\d+ resources=a instance=.{16}"),
                        ready);
                coordinator.awaitHello();
                speakHttp1(Integer.parseInt(ready.replaceAll("READY sql=127.0.0.1:(\\d+) .*", "$1")));
                process.toHandle().destroy();
                assertTrue(awaitLine(lines, "STOPPING").contains("30000 ms"));
                assertEquals("STOPPED", awaitLine(lines, "STOPPED"));
                assertTrue(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS));
                assertEquals(0, process.exitValue());
                assertFalse(Files.readString(errors).contains("HTTP/1"), () -> "a stack trace for a stranger");
            } finally {
                process.destroyForcibly();
            }
        }
    }

    /** As a load balancer or somebody curious does; until it is cut off. */
    private static void speakHttp1(int port) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            assertTrue(socket.getInputStream().readAllBytes().length > 0);
        }
    }

    @Test
    void saysOnceForWhichDatabaseItWaitsAndStopsWhenItIsToldTo() throws Exception {
        try (ServerSocket hangsUp = new ServerSocket(0, 1, InetAddress.getByAddress(new byte[] {127, 0, 0, 1}))) {
            String url = "jdbc:postgresql://127.0.0.1:" + hangsUp.getLocalPort() + "/x?user=u";
            List<String> command = command(AgentMain.class, "--resource", "b=" + url);
            command.add(1, "-Dlogback.configurationFile=logback-child.xml");
            Process process = new ProcessBuilder(command)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try (BufferedReader lines =
                    new BufferedReader(new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8))) {
                for (int attempts = 0; attempts < 4; attempts++) {
                    hangsUp.accept().close();
                }
                process.toHandle().destroy();
                assertTrue(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS));
                assertEquals(0, process.exitValue());
                List<String> waits = lines.lines()
                        .filter(line -> line.contains("waits up to"))
                        .toList();
                assertEquals(1, waits.size(), waits::toString);
                assertTrue(
                        waits.get(0).contains("s more for a database: DATABASE_UNAVAILABLE: resource b: "),
                        waits::toString);
            } finally {
                process.destroyForcibly();
            }
        }
    }

    /** An agent in which something impossible happens as soon as it is to finish a branch. */
    static final class BrokenAgentMain {
        public static void main(String[] args) {
            StepListener broken = (point, tx, branch) -> {
                throw new IllegalStateException("impossible");
            };
            System.exit(new AgentMain(System.out, System.err, broken).run(List.of(args), Map.of()));
        }
    }

    @Test
    void endsWithItsOwnCodeWhenSomethingImpossibleHappens() throws Exception {
        try (SimulatedAgentService coordinator = SimulatedAgentService.start()) {
            Process process = new ProcessBuilder(command(
                            BrokenAgentMain.class, "--coordinator", coordinator.endpoint(), "--sql-enabled=off"))
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try (BufferedReader lines =
                    new BufferedReader(new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8))) {
                coordinator.awaitHello();
                coordinator.commit(
                        Enlist.newBuilder()
                                .setTx(SimulatedAgentService.wire(coordinator.transaction(1)))
                                .setBranch(BranchId.newBuilder().setInstance(1).setCounter(1))
                                .setResource("a")
                                .build(),
                        VoteEntry.getDefaultInstance());
                assertTrue(awaitLine(lines, "troth agent: stopped by itself").contains("impossible"));
                assertTrue(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS));
                assertEquals(70, process.exitValue());
            } finally {
                process.destroyForcibly();
            }
        }
    }
}
