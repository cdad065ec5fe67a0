package io.troth.coordinator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.troth.coordinator.config.ConfigKey;
import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.engine.StepListener;
import io.troth.coordinator.grpc.WireAgent;
import io.troth.coordinator.log.raft.FreePorts;
import io.troth.coordinator.server.CoordinatorServer;
import io.troth.coordinator.server.MemberServer;
import io.troth.core.BranchList;
import io.troth.proto.v1.AgentOrder;
import io.troth.proto.v1.BeginRequest;
import io.troth.proto.v1.BeginResponse;
import io.troth.proto.v1.CommitRequest;
import io.troth.proto.v1.Outcome;
import io.troth.proto.v1.TransactionServiceGrpc;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.ratis.util.FileUtils;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: who follows docs/OPERATIONS.md step by step moves a log to three members and back, and on from a lost majority, and
 * loses no decision. Method: the commands are read from the page and run in their order, against coordinators in this JVM
 * behind real ports; a COMMIT that no agent has acknowledged goes all the way.
 */
class OperationsStepsTest {

    private static final String CLUSTER = "0000000000c0ffee";
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|\\S+");

    @TempDir
    Path temp;

    private final Map<String, String> addresses = new TreeMap<>();
    private final Map<String, String> endpoints = new TreeMap<>();
    /** By the name of the configuration file. */
    private final Map<String, AutoCloseable> running = new HashMap<>();

    private final Queue<String> ready = new ConcurrentLinkedQueue<>();
    private ManagedChannel channel;

    @BeforeEach
    void name() {
        for (String node : List.of("a", "b", "c")) {
            addresses.put(node, "127.0.0.1:" + FreePorts.next());
            endpoints.put(node, "127.0.0.1:" + FreePorts.next());
        }
    }

    @AfterEach
    void close() throws Exception {
        if (channel != null) {
            channel.shutdownNow();
        }
        for (AutoCloseable server : running.values()) {
            server.close();
        }
    }

    /** The steps of a section. */
    private static List<String> steps(String title) throws IOException {
        List<String> steps = new ArrayList<>();
        boolean inside = false;
        for (String line : Files.readAllLines(Path.of("..", "docs", "OPERATIONS.md"))) {
            inside = line.startsWith("#") ? line.equals("### " + title) : inside;
            if (inside && line.matches(" {7}troth .*")) {
                steps.add(line.strip());
            }
        }
        assertFalse(steps.isEmpty(), title);
        return steps;
    }

    /** Does as it says, also before it: a data directory that is to change is nobody's then. */
    private void follow(String step) throws Exception {
        List<String> words = new ArrayList<>();
        Matcher word = WORD.matcher(step.substring("troth ".length()));
        while (word.find()) {
            words.add(word.group(1) == null ? word.group() : word.group(1));
        }
        int file = words.indexOf("-c") + 1;
        if (file > 0) {
            String name = words.get(file);
            if (words.get(0).equals("coordinator")) {
                start(name);
                return;
            }
            stop(name);
            words.set(file, configuration(name).toString());
        } else {
            // What is asked of the leader.
            Awaitility.await().atMost(LIMIT).until(() -> !ready.isEmpty());
            words.replaceAll(each -> each.replaceAll("10\\.0\\.0\\..*", String.valueOf(addresses.get(words.get(2))))
                    .replaceAll(".*\\.example:7700", String.valueOf(endpoints.get(words.get(2)))));
            words.addAll(List.of("--endpoint", endpoints.get("a")));
        }
        StringWriter out = new StringWriter();
        PrintWriter printer = new PrintWriter(out, true);
        assertEquals(
                ExitCode.OK,
                CoordinatorMain.run(printer, printer, words.toArray(String[]::new)),
                () -> step + "\n" + out);
    }

    private static String node(String file) {
        return file.startsWith("node-") ? file.substring("node-".length(), "node-".length() + 1) : "a";
    }

    private Path data(String file) {
        return temp.resolve(node(file));
    }

    private Map<ConfigKey<?>, String> keys(String file) {
        Map<ConfigKey<?>, String> keys = new HashMap<>();
        keys.put(ConfigKey.DATA_DIRECTORY, data(file).toString());
        keys.put(ConfigKey.CLUSTER_ID, CLUSTER);
        keys.put(ConfigKey.GRPC_PORT, endpoints.get(node(file)).replaceAll(".*:", ""));
        if (file.startsWith("node-")) {
            keys.put(ConfigKey.CLUSTER_NODE, node(file));
            keys.put(ConfigKey.CLUSTER_NODES, list(addresses));
            keys.put(ConfigKey.CLUSTER_ENDPOINTS, list(endpoints));
            keys.put(ConfigKey.CLUSTER_ELECTION_TIMEOUT, "10s");
        }
        return keys;
    }

    private static String list(Map<String, String> byNode) {
        return byNode.toString().replaceAll("[{} ]", "");
    }

    private Path configuration(String file) throws IOException {
        List<String> lines = new ArrayList<>();
        keys(file).forEach((key, value) -> lines.add(key + " = \"" + value + "\""));
        return Files.write(temp.resolve(file), lines);
    }

    private void start(String file) {
        CoordinatorConfig config = CoordinatorConfig.onFreePorts(data(file), keys(file));
        if (file.startsWith("node-")) {
            running.put(file, MemberServer.start(config, StepListener.NONE, ready::add));
        } else {
            CoordinatorServer server = CoordinatorServer.start(config);
            ready.add(server.readyLine());
            running.put(file, server);
        }
    }

    private void stop(String file) throws Exception {
        AutoCloseable server = running.remove(file);
        if (server != null) {
            ready.clear();
            server.close();
        }
    }

    private String awaitReady() {
        Awaitility.await().atMost(LIMIT).until(() -> !ready.isEmpty());
        return ready.element();
    }

    private static long epochOf(String line) {
        return Long.parseLong(line.replaceAll(".* epoch=([0-9]+) .*", "$1"));
    }

    private void connect() {
        if (channel != null) {
            channel.shutdownNow();
        }
        channel = NettyChannelBuilder.forTarget(endpoints.get("a"), InsecureChannelCredentials.create())
                .build();
    }

    /** Whoever runs at node a decides a COMMIT that no agent acknowledges. */
    private void leaveUnended() throws Exception {
        connect();
        List<WireAgent> agents = List.of(new WireAgent(channel, 0xa, "accounts"), new WireAgent(channel, 0xb, "stock"));
        agents.forEach(WireAgent::goesSilentAfterItsVote);
        BeginResponse begun = TransactionServiceGrpc.newBlockingStub(channel).begin(BeginRequest.getDefaultInstance());
        CommitRequest commit = CommitRequest.newBuilder()
                .setTx(begun.getTx())
                .setKey(begun.getKey())
                .addBranches(new BranchList(
                                false,
                                agents.stream()
                                        .map(agent -> agent.enlist(begun))
                                        .toList())
                        .encode())
                .build();
        assertEquals(
                Outcome.OUTCOME_COMMITTED,
                TransactionServiceGrpc.newFutureStub(channel)
                        .commit(commit)
                        .get(LIMIT.toSeconds(), TimeUnit.SECONDS)
                        .getOutcome());
    }

    private void assertIsFinished() {
        connect();
        for (WireAgent agent :
                List.of(new WireAgent(channel, 0x1a, "accounts"), new WireAgent(channel, 0x1b, "stock"))) {
            Awaitility.await().atMost(LIMIT).until(() -> agent.orders().stream().anyMatch(AgentOrder::hasCommitBranch));
        }
    }

    @Test
    void aDecisionGoesToThreeCoordinatorsAndBackAndOnFromALostMajority() throws Exception {
        start("troth.conf");
        leaveUnended();
        stop("troth.conf");
        long epoch = 1;
        List<String> moves = steps("From one coordinator to three, and back");
        for (String step : moves) {
            follow(step);
            epoch = checked(step, epoch);
        }
        assertTrue(epoch < 100, "epoch " + epoch);

        // A member whose others are lost; what is left of them from before is deleted, as the page says.
        stop("troth.conf");
        follow("troth cluster found -c node-a.conf");
        start("node-a.conf");
        awaitReady();
        for (String lost : List.of("b", "c")) {
            stop("node-" + lost + ".conf");
            FileUtils.deleteFully(temp.resolve(lost));
        }
        for (String step : steps("Losing a majority")) {
            follow(step);
            epoch = checked(step, epoch);
        }
        assertTrue(epoch > 1_000_000, "epoch " + epoch);
        assertIsFinished();
        // A leader that stops looks for somebody to take over.
        for (String step : moves) {
            if (step.contains(" remove ")) {
                follow(step);
            }
        }
    }

    /** Whoever leads now has the decision still to finish. */
    private long checked(String step, long epoch) {
        if (!step.matches("troth coordinator -c (node-a|troth).conf")) {
            return epoch;
        }
        String line = awaitReady();
        assertTrue(line.contains(" unended=1 "), line);
        assertTrue(epochOf(line) > epoch, line);
        return epochOf(line);
    }
}
