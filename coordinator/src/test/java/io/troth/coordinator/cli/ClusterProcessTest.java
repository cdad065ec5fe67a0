package io.troth.coordinator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.troth.coordinator.grpc.WireAgent;
import io.troth.coordinator.log.raft.FreePorts;
import io.troth.coordinator.server.Http;
import io.troth.core.BranchList;
import io.troth.core.BranchWork;
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
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.ratis.util.FileUtils;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: coordinators as processes are one, also when one of them dies or comes. Method: real JVMs, SIGKILL and SIGTERM, and
 * agents on the wire that do not acknowledge, so that the next leader has something to finish.
 */
class ClusterProcessTest {

    private static final String CLUSTER = "0000000000c0ffee";
    private static final Duration LIMIT = Duration.ofSeconds(60);

    /** Less than Raft's log has already. */
    private static final int FILE_BYTES_MAX = 250;

    @TempDir
    Path temp;

    private final Map<String, String> addresses = new TreeMap<>();
    /** Where clients and agents connect to. */
    private final Map<String, String> endpoints = new TreeMap<>();

    private final Map<String, Process> processes = new ConcurrentHashMap<>();
    /** What each said, on both outputs, since it was started last. */
    private final Map<String, List<String>> said = new ConcurrentHashMap<>();

    private final List<ManagedChannel> channels = new ArrayList<>();

    @RegisterExtension
    final TestExecutionExceptionHandler tellsWhatMembersSaid = (test, failure) -> {
        failure.addSuppressed(new AssertionError("the members said " + said));
        throw failure;
    };

    @BeforeEach
    void make() {
        for (String node : List.of("a", "b", "c")) {
            addresses.put(node, "127.0.0.1:" + FreePorts.next());
            endpoints.put(node, "127.0.0.1:" + FreePorts.next());
        }
        for (String node : addresses.keySet()) {
            List<String> words = new ArrayList<>(List.of("cluster", "init"));
            words.addAll(settings(node));
            String out = run(words);
            assertTrue(out.startsWith("Made member " + node + " of cluster " + CLUSTER), out);
        }
    }

    @AfterEach
    void killWhatIsLeft() throws InterruptedException {
        channels.forEach(ManagedChannel::shutdownNow);
        for (Process process : processes.values()) {
            process.destroyForcibly().waitFor();
        }
    }

    private List<String> settings(String node) {
        return List.of(
                "--data-directory",
                temp.resolve(node).toString(),
                "--cluster-id",
                CLUSTER,
                "--cluster-node",
                node,
                "--cluster-nodes",
                list(addresses),
                "--cluster-endpoints",
                list(endpoints),
                "--grpc-port",
                portOf(endpoints.get(node)),
                "--http-port",
                "0");
    }

    private static String portOf(String endpoint) {
        return endpoint.substring(endpoint.lastIndexOf(':') + 1);
    }

    private static String list(Map<String, String> byNode) {
        return byNode.entrySet().stream().map(Map.Entry::toString).collect(Collectors.joining(","));
    }

    private static String run(List<String> words) {
        StringWriter out = new StringWriter();
        PrintWriter printer = new PrintWriter(out, true);
        CoordinatorMain.run(printer, printer, words.toArray(String[]::new));
        return out.toString();
    }

    private void start(String node) throws IOException {
        start(node, settings(node));
    }

    private void start(String node, List<String> settings) throws IOException {
        List<String> words = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx192m",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                ChildMain.class.getName(),
                "coordinator"));
        words.addAll(settings);
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        processes.put(node, process);
        List<String> lines = new CopyOnWriteArrayList<>();
        said.put(node, lines);
        BufferedReader output = process.inputReader(StandardCharsets.UTF_8);
        Thread reader = new Thread(() -> output.lines().forEach(lines::add));
        reader.setDaemon(true);
        reader.start();
    }

    /** A line that says that some member leads an epoch above this one. */
    private String awaitReadyAbove(long epoch) {
        Awaitility.await().pollInterval(Duration.ofMillis(20)).atMost(LIMIT).until(() -> readyAbove(epoch) != null);
        return readyAbove(epoch);
    }

    private String readyAbove(long epoch) {
        for (List<String> lines : said.values()) {
            for (String line : lines) {
                if (line.startsWith("READY ") && epochOf(line) > epoch) {
                    return line;
                }
            }
        }
        return null;
    }

    /** Somebody else leads in a later epoch than any in which {@code gone} did: that may have led more than once. */
    private String awaitReadyAfter(String gone) {
        Awaitility.await().pollInterval(Duration.ofMillis(20)).atMost(LIMIT).until(() -> readyAfter(gone) != null);
        return readyAfter(gone);
    }

    private String readyAfter(String gone) {
        long last = said.get(gone).stream()
                .filter(line -> line.startsWith("READY "))
                .mapToLong(ClusterProcessTest::epochOf)
                .max()
                .orElseThrow();
        return readyAbove(last);
    }

    private static long epochOf(String ready) {
        return Long.parseLong(ready.replaceAll(".* epoch=([0-9]+) .*", "$1"));
    }

    private String whoSaid(String line) {
        return said.entrySet().stream()
                .filter(each -> each.getValue().contains(line))
                .findFirst()
                .orElseThrow()
                .getKey();
    }

    private ManagedChannel channel(String ready) {
        int port = Integer.parseInt(ready.replaceAll(".* grpc=127\\.0\\.0\\.1:([0-9]+) .*", "$1"));
        ManagedChannel channel = NettyChannelBuilder.forAddress("localhost", port, InsecureChannelCredentials.create())
                .build();
        channels.add(channel);
        return channel;
    }

    private List<WireAgent> agents(ManagedChannel channel, long first) {
        return List.of(new WireAgent(channel, first, "accounts"), new WireAgent(channel, first + 1, "stock"));
    }

    private CommitResponse commit(ManagedChannel channel, List<WireAgent> agents) throws Exception {
        BeginResponse begun = TransactionServiceGrpc.newBlockingStub(channel).begin(BeginRequest.getDefaultInstance());
        List<BranchWork> works =
                agents.stream().map(agent -> agent.enlist(begun)).toList();
        return TransactionServiceGrpc.newFutureStub(channel)
                .commit(CommitRequest.newBuilder()
                        .setTx(begun.getTx())
                        .setKey(begun.getKey())
                        .addBranches(new BranchList(false, works).encode())
                        .build())
                .get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    }

    @Test
    void theNextLeaderFinishesWhatAKilledOneHasDecided() throws Exception {
        for (String node : addresses.keySet()) {
            start(node);
        }
        String first = awaitReadyAbove(0);
        ManagedChannel channel = channel(first);
        List<WireAgent> agents = agents(channel, 0xa);
        agents.forEach(WireAgent::goesSilentAfterItsVote);
        assertEquals(Outcome.OUTCOME_COMMITTED, commit(channel, agents).getOutcome());

        String killed = whoSaid(first);
        processes.get(killed).toHandle().destroyForcibly();
        String second = awaitReadyAfter(killed);
        assertTrue(second.contains(" unended=1 "), second);
        channel = channel(second);
        List<WireAgent> others = agents(channel, 0x1a);
        for (WireAgent agent : others) {
            Awaitility.await().atMost(LIMIT).until(() -> agent.orders().stream().anyMatch(AgentOrder::hasCommitBranch));
        }
        assertEquals(Outcome.OUTCOME_COMMITTED, commit(channel, others).getOutcome());

        start(killed);
        String member = awaitLine(killed, "MEMBER node=" + killed + " nodes=[a, b, c] ");
        String leader = whoSaid(second);
        String where = leader + " leads, at " + endpoints.get(leader);
        Awaitility.await().atMost(LIMIT).until(() -> readyz(member).equals("503 NOT_LEADER " + where));
        Awaitility.await().atMost(LIMIT).until(() -> memberz(member).equals("200 does its part"));
        assertEquals("200 does its part", memberz(second));

        // What is said to HTTP is said to gRPC a moment later.
        Awaitility.await()
                .atMost(LIMIT)
                .untilAsserted(() -> assertEquals(endpoints.get(leader), leaderNamedBy(killed)));

        processes.get(leader).toHandle().destroy();
        awaitLine(leader, "STOPPED");
        String third = awaitReadyAfter(leader);
        assertTrue(third.contains(" unended=0 "), third);
        assertEquals(ExitCode.OK, processes.get(leader).waitFor());
        channel = channel(third);
        agents = agents(channel, 0x2a);
        agents.forEach(WireAgent::goesSilentAfterItsVote);
        assertEquals(Outcome.OUTCOME_COMMITTED, commit(channel, agents).getOutcome());
        start(leader);
        awaitLine(leader, "MEMBER node=" + leader);
        theDiskOfTheLeaderIsFull(third);
    }

    /** Its next record does not fit: it stops, and another one leads with what it has decided. */
    private void theDiskOfTheLeaderIsFull(String ready) throws Exception {
        String full = whoSaid(ready);
        Process process = processes.get(full);
        String[] limit = {"prlimit", "--pid", Long.toString(process.pid()), "--fsize=" + FILE_BYTES_MAX};
        assertEquals(0, new ProcessBuilder(limit).inheritIO().start().waitFor());
        // The empty entry of each second is enough.
        assertTrue(process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS), "it still runs");
        assertEquals(ExitCode.FAILED, process.exitValue());
        awaitLine(full, "troth: the replicated log in ");
        String next = awaitReadyAfter(full);
        assertTrue(next.contains(" unended=1 "), next);
        theMajorityIsLost(full, whoSaid(next));
    }

    /** The leader says who is away; and who is left knows nobody who leads, whatever it heard last. */
    private void theMajorityIsLost(String away, String leader) throws Exception {
        String address = addresses.get(away);
        Awaitility.await()
                .atMost(LIMIT)
                .until(() -> said.get(leader).stream()
                        .anyMatch(line -> line.contains(
                                "member " + away + " at " + address + " does not answer; 2 of 3 members are left")));
        processes.get(leader).toHandle().destroyForcibly();
        String last = addresses.keySet().stream()
                .filter(node -> !node.equals(away) && !node.equals(leader))
                .findFirst()
                .orElseThrow();
        String member = awaitLine(last, "MEMBER node=" + last);
        Awaitility.await().atMost(LIMIT).until(() -> readyz(member).equals("503 NOT_LEADER nobody is known to lead"));
        assertEquals("503 NOT_LEADER nobody is known to lead", memberz(member));
    }

    @Test
    void aNewMemberGetsACopyOfWhatIsInNoLogAndLeadsWithIt() throws Exception {
        FileUtils.deleteFully(temp.resolve("a"));
        start(
                "a",
                List.of(
                        "--data-directory",
                        temp.resolve("a").toString(),
                        "--cluster-id",
                        CLUSTER,
                        "--grpc-port",
                        portOf(endpoints.get("a")),
                        "--http-port",
                        "0"));
        String single = awaitReadyAbove(0);
        ManagedChannel channel = channel(single);
        List<WireAgent> agents = agents(channel, 0xa);
        agents.forEach(WireAgent::goesSilentAfterItsVote);
        assertEquals(Outcome.OUTCOME_COMMITTED, commit(channel, agents).getOutcome());
        processes.get("a").toHandle().destroyForcibly();
        processes.get("a").waitFor();

        List<String> words = new ArrayList<>(List.of("cluster", "found"));
        words.addAll(settings("a"));
        String out = run(words);
        assertTrue(out.startsWith("Founded cluster " + CLUSTER), out);
        start("a");
        String founded = awaitReadyAbove(epochOf(single));
        assertTrue(founded.contains(" unended=1 "), founded);
        start("b");
        awaitLine("b", "MEMBER node=b");
        assertFalse(hasCheckpoint("b"));
        assertEquals("added b\n", change("add", "b", addresses.get("b"), "--client-endpoint", endpoints.get("b")));
        // Raft may be tidying up.
        Awaitility.await().atMost(LIMIT).ignoreExceptions().until(() -> hasCheckpoint("b"));
        assertEquals("the leader is b\n", change("transfer-leader", "b"));
        String next = awaitReadyAbove(epochOf(founded));
        assertEquals("b", whoSaid(next));
        assertTrue(next.contains(" unended=1 "), next);
        channel = channel(next);
        List<WireAgent> others = agents(channel, 0x1a);
        for (WireAgent agent : others) {
            Awaitility.await().atMost(LIMIT).until(() -> agent.orders().stream().anyMatch(AgentOrder::hasCommitBranch));
        }
        assertEquals(Outcome.OUTCOME_COMMITTED, commit(channel, others).getOutcome());

        // What happens when this JVM is killed.
        processes.get("a").getOutputStream().close();
        assertEquals(ChildMain.EXIT_PARENT_GONE, processes.get("a").waitFor());
    }

    /** What the first member, which leads, says to an operator. */
    private String change(String... change) {
        List<String> words = new ArrayList<>(List.of("cluster"));
        words.addAll(List.of(change));
        words.addAll(List.of("--endpoint", endpoints.get("a"), "--reason", "test"));
        return run(words);
    }

    private boolean hasCheckpoint(String node) throws IOException {
        try (Stream<Path> files = Files.walk(temp.resolve(node).resolve("raft"))) {
            return files.anyMatch(file -> file.getFileName().toString().startsWith("checkpoint."));
        }
    }

    /** What a member that does not lead says to whoever wants something of it. */
    private String leaderNamedBy(String node) {
        ManagedChannel channel = NettyChannelBuilder.forTarget(endpoints.get(node), InsecureChannelCredentials.create())
                .build();
        channels.add(channel);
        StatusRuntimeException refused = assertThrows(
                StatusRuntimeException.class,
                () -> TransactionServiceGrpc.newBlockingStub(channel).begin(BeginRequest.getDefaultInstance()));
        Metadata trailers = Objects.requireNonNull(refused.getTrailers());
        assertEquals("NOT_LEADER", trailers.get(Metadata.Key.of("troth-reason", Metadata.ASCII_STRING_MARSHALLER)));
        return trailers.get(Metadata.Key.of("troth-leader", Metadata.ASCII_STRING_MARSHALLER));
    }

    private String awaitLine(String node, String start) {
        Awaitility.await().atMost(LIMIT).until(() -> said.get(node).stream().anyMatch(line -> line.startsWith(start)));
        return said.get(node).stream()
                .filter(line -> line.startsWith(start))
                .findFirst()
                .orElseThrow();
    }

    private static String readyz(String line) throws Exception {
        return page(line, "/readyz");
    }

    /** What orchestrators look at before they restart the next one. */
    private static String memberz(String line) throws Exception {
        return page(line, "/memberz");
    }

    private static String page(String line, String path) throws Exception {
        return Http.get(Integer.parseInt(line.replaceAll(".* http=127\\.0\\.0\\.1:([0-9]+) .*", "$1")), path);
    }
}
