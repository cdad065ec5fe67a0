package io.troth.coordinator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.troth.coordinator.grpc.WireAgent;
import io.troth.coordinator.log.rocksdb.Logs;
import io.troth.coordinator.server.Http;
import io.troth.core.BranchList;
import io.troth.core.BranchWork;
import io.troth.core.GlobalTxId;
import io.troth.proto.v1.AgentOrder;
import io.troth.proto.v1.BeginRequest;
import io.troth.proto.v1.BeginResponse;
import io.troth.proto.v1.CommitRequest;
import io.troth.proto.v1.CommitResponse;
import io.troth.proto.v1.Outcome;
import io.troth.proto.v1.TransactionServiceGrpc;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Goal: a coordinator as a process starts, dies and stops as docs/OPERATIONS.md says. Method: real JVMs and signals. */
class CoordinatorProcessTest {

    private static final int EXIT_KILLED = 137;

    /** Enough for what the log holds, and too little for one record more. */
    private static final int FILE_BYTES_MAX = 250;

    /** The cluster of the agents on the wire. */
    private static final String WIRE_CLUSTER = "0000000000c0ffee";

    private static final Duration LIMIT = Duration.ofSeconds(60);

    @TempDir
    Path temp;

    private final List<Process> children = new ArrayList<>();

    @AfterEach
    void killWhatIsLeft() throws InterruptedException {
        for (Process child : children) {
            child.destroyForcibly().waitFor();
        }
    }

    private Process start() throws IOException {
        Path errors = temp.resolve("err" + children.size());
        return started(command().redirectError(errors.toFile()));
    }

    private Process start(ProcessBuilder merged) throws IOException {
        return started(merged.redirectErrorStream(true));
    }

    private Process started(ProcessBuilder builder) throws IOException {
        Process child = builder.start();
        children.add(child);
        return child;
    }

    private ProcessBuilder command(String... more) {
        List<String> words = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx192m",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                ChildMain.class.getName(),
                "coordinator",
                "--data-directory",
                temp.resolve("data").toString(),
                "--grpc-port",
                "0",
                "--http-port",
                "0"));
        words.addAll(List.of(more));
        return new ProcessBuilder(words);
    }

    private String errors(Process child) throws IOException {
        return Files.readString(temp.resolve("err" + children.indexOf(child)));
    }

    private static BufferedReader outputOf(Process child) {
        return child.inputReader(StandardCharsets.UTF_8);
    }

    private static int exitOf(Process child) throws InterruptedException {
        assertTrue(child.waitFor(120, TimeUnit.SECONDS), "still runs");
        return child.exitValue();
    }

    private static int grpcPort(String readyLine) {
        return Integer.parseInt(readyLine.replaceAll(".* ?grpc=127\\.0\\.0\\.1:([0-9]+) .*", "$1"));
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
        String again = output.readLine();
        assertTrue(again.contains(" epoch=2 "), again);
        speakHttp1(grpcPort(again));
        stopped.toHandle().destroy();
        assertTrue(output.readLine().startsWith("STOPPING"));
        assertEquals("STOPPED", output.readLine());
        assertEquals(ExitCode.OK, exitOf(stopped), errors(stopped));
        assertFalse(errors(stopped).contains("HTTP/1"), errors(stopped));
    }

    @Test
    void namesTheDirectoryForTemporaryFilesThatItCannotUse() throws Exception {
        Path nowhere = temp.resolve("nowhere");
        ProcessBuilder coordinator = command();
        coordinator.command().add(1, "-Djava.io.tmpdir=" + nowhere);
        Process child = start(coordinator);
        String said = outputOf(child).lines().collect(Collectors.joining("\n"));
        assertEquals(ExitCode.FAILED, exitOf(child), said);
        assertTrue(said.contains("native code cannot be unpacked into " + nowhere), said);

        ProcessBuilder verify = command();
        List<String> words = verify.command();
        int first = words.indexOf("coordinator");
        words.subList(first, words.size()).clear();
        words.addAll(List.of("log", "verify", temp.resolve("data").toString()));
        words.add(1, "-Djava.io.tmpdir=" + nowhere);
        child = start(verify);
        said = outputOf(child).lines().collect(Collectors.joining("\n"));
        assertEquals(ExitCode.FAILED, exitOf(child), said);
        // A newer JVM says itself, first, that there is no such directory.
        assertTrue(said.contains("troth: UNUSABLE: " + nowhere + ": no temporary directory"), said);
    }

    /** As a load balancer or somebody curious does; until it is cut off. */
    private static void speakHttp1(int port) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            assertTrue(socket.getInputStream().readAllBytes().length > 0);
        }
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

    /** The limit on the size of files is what a real disk without space is to the log: the write itself fails. */
    @Test
    void endsWith1AndSaysWhatToDoWhenTheDiskTakesNoMore() throws Exception {
        GlobalTxId unended = Logs.leaveUnended(temp.resolve("data"));
        Process child = start(command());
        BufferedReader output = outputOf(child);
        String ready = readyLine(output);
        assertTrue(ready.contains(" unended=1 "), ready);
        String[] limit = {"prlimit", "--pid", Long.toString(child.pid()), "--fsize=" + FILE_BYTES_MAX};
        assertEquals(0, new ProcessBuilder(limit).inheritIO().start().waitFor());
        // What an operator forces is logged before it is carried out: this record does not fit any more.
        String endpoint = "127.0.0.1:" + grpcPort(ready);
        PrintWriter nowhere = new PrintWriter(new StringWriter());
        String reason = "x".repeat(FILE_BYTES_MAX);
        CoordinatorMain.run(
                nowhere, nowhere, "admin", "close", "--endpoint", endpoint, "--reason", reason, unended.toString());
        String rest = output.lines().collect(Collectors.joining("\n"));
        assertEquals(ExitCode.FAILED, exitOf(child), rest);
        assertTrue(rest.contains("troth: the decision log in "), rest);
        assertTrue(rest.contains("Check the disk"), rest);

        // The next process reads the truth, and has the decision still to finish.
        String again = readyLine(outputOf(start(command())));
        assertTrue(again.contains(" unended=1 "), again);
    }

    private static String readyLine(BufferedReader merged) {
        return line(merged, "READY");
    }

    /** The next line that starts so; what is logged may stand between. */
    private static String line(BufferedReader merged, String start) {
        return merged.lines().filter(line -> line.startsWith(start)).findFirst().orElseThrow();
    }

    /** What it says after the ready line until its end. */
    private static List<String> rest(BufferedReader merged) {
        return merged.lines()
                .filter(line -> line.startsWith("STOPP") || line.startsWith("troth: "))
                .toList();
    }

    @Test
    void aRunningTransactionEndsAfterSigtermAndNoNewOneBegins() throws Exception {
        Process child = start(command("--cluster-id", WIRE_CLUSTER));
        BufferedReader output = outputOf(child);
        String ready = readyLine(output);
        ManagedChannel channel = channel(ready);
        try {
            Running running = new Running(channel);
            child.toHandle().destroy();
            assertTrue(line(output, "STOPPING").startsWith("STOPPING: no new transactions; waiting up to 30000 ms"));
            var facade = TransactionServiceGrpc.newBlockingStub(channel);
            // The notice is printed a moment before the engine hears of it.
            Awaitility.await().atMost(LIMIT).untilAsserted(() -> {
                StatusRuntimeException refused = assertThrows(
                        StatusRuntimeException.class, () -> facade.begin(BeginRequest.getDefaultInstance()));
                assertEquals(Status.Code.UNAVAILABLE, refused.getStatus().getCode());
                assertTrue(String.valueOf(refused.getMessage()).contains("DRAINING"), refused.getMessage());
            });
            assertTrue(child.isAlive());
            assertFalse(running.answer.isDone());
            assertTrue(Http.get(httpPort(ready), "/readyz").startsWith("503 DRAINING"));
            assertEquals("200 alive", Http.get(httpPort(ready), "/livez"));

            running.agents.forEach(WireAgent::vote);
            assertEquals(
                    Outcome.OUTCOME_COMMITTED,
                    running.answer.get(LIMIT.toSeconds(), TimeUnit.SECONDS).getOutcome());
            assertEquals(List.of("STOPPED"), rest(output));
            assertEquals(ExitCode.OK, exitOf(child));
        } finally {
            channel.shutdownNow();
        }
    }

    @Test
    void aTransactionThatDoesNotEndIsLeftToTheNextStart() throws Exception {
        Process child = start(command("--cluster-id", WIRE_CLUSTER, "--shutdown-drain-limit", "200ms"));
        BufferedReader output = outputOf(child);
        ManagedChannel channel = channel(readyLine(output));
        try {
            Running running = new Running(channel);
            child.toHandle().destroy();
            assertEquals(
                    List.of(
                            "STOPPING: no new transactions; waiting up to 200 ms for the running ones",
                            "STOPPED with transactions running; the next start finishes them"),
                    rest(output));
            assertEquals(ExitCode.OK, exitOf(child));
            // Nothing was decided, and nobody was told that it was.
            for (WireAgent agent : running.agents) {
                assertTrue(agent.orders().stream()
                        .noneMatch(order -> order.hasCommitBranch() || order.hasRollbackBranch()));
            }
            String told;
            try {
                told = running.answer
                        .get(LIMIT.toSeconds(), TimeUnit.SECONDS)
                        .getOutcome()
                        .name();
            } catch (ExecutionException e) {
                told = Status.fromThrowable(e).getCode().name();
            }
            assertTrue(List.of("OUTCOME_NOT_LEADER", "UNAVAILABLE").contains(told), told);
        } finally {
            channel.shutdownNow();
        }
    }

    private static ManagedChannel channel(String readyLine) {
        return NettyChannelBuilder.forAddress("localhost", grpcPort(readyLine), InsecureChannelCredentials.create())
                .build();
    }

    /** A transaction whose commit was asked for, and whose agents hesitate to vote. */
    private static final class Running {
        final List<WireAgent> agents;
        final Future<CommitResponse> answer;

        Running(ManagedChannel channel) {
            agents = List.of(new WireAgent(channel, 0xa, "accounts"), new WireAgent(channel, 0xb, "stock"));
            agents.forEach(WireAgent::hesitate);
            BeginResponse begun =
                    TransactionServiceGrpc.newBlockingStub(channel).begin(BeginRequest.getDefaultInstance());
            List<BranchWork> works =
                    agents.stream().map(agent -> agent.enlist(begun)).toList();
            answer = TransactionServiceGrpc.newFutureStub(channel)
                    .commit(CommitRequest.newBuilder()
                            .setTx(begun.getTx())
                            .setKey(begun.getKey())
                            .addBranches(new BranchList(false, works).encode())
                            .build());
            Awaitility.await()
                    .atMost(LIMIT)
                    .until(() -> agents.stream()
                            .allMatch(agent -> agent.orders().stream().anyMatch(AgentOrder::hasPrepare)));
        }
    }
}
