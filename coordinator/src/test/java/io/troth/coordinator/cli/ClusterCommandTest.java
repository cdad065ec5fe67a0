package io.troth.coordinator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.troth.coordinator.config.ConfigKey;
import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.engine.StepListener;
import io.troth.coordinator.grpc.LiveCoordinator;
import io.troth.coordinator.log.raft.FreePorts;
import io.troth.coordinator.server.Ending;
import io.troth.coordinator.server.MemberServer;
import io.troth.core.Build;
import io.troth.proto.v1.BeginRequest;
import io.troth.proto.v1.BeginResponse;
import io.troth.proto.v1.TransactionServiceGrpc;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: what an operator asks of a cluster is done or refused with a stable code. Method: three members in this JVM behind
 * real ports, shared by all tests, and the commands as they are typed.
 */
class ClusterCommandTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    /** Whoever leads keeps the lead while this JVM stands still. */
    private static final String ELECTION_TIMEOUT = "10s";

    /** A member that is removed waits for its leader up to four times as long before it finds out. */
    private static final String BRIEF = "1s";

    @TempDir
    static Path temp;

    private static final Map<String, String> ADDRESSES = new TreeMap<>();
    private static final Map<String, String> ENDPOINTS = new TreeMap<>();
    private static final Map<String, MemberServer> SERVERS = new ConcurrentHashMap<>();

    private String err = "";

    @BeforeAll
    static void startThree() {
        List.of("a", "b", "c").forEach(ClusterCommandTest::name);
        List<CompletableFuture<Void>> started = new ArrayList<>();
        for (String node : List.copyOf(ADDRESSES.keySet())) {
            // A new member waits for the others to be there.
            started.add(CompletableFuture.runAsync(
                    () -> start(node, ELECTION_TIMEOUT), task -> new Thread(task, "start-" + node).start()));
        }
        started.forEach(CompletableFuture::join);
    }

    @AfterAll
    static void stopAll() {
        SERVERS.values().forEach(MemberServer::close);
    }

    private static void name(String node) {
        ADDRESSES.put(node, "127.0.0.1:" + FreePorts.next());
        ENDPOINTS.put(node, "127.0.0.1:" + FreePorts.next());
    }

    private static String list(Map<String, String> byNode) {
        return byNode.entrySet().stream().map(Map.Entry::toString).collect(Collectors.joining(","));
    }

    private static Map<ConfigKey<?>, String> settings(String node, String electionTimeout) {
        return Map.of(
                ConfigKey.DATA_DIRECTORY,
                temp.resolve(node).toString(),
                ConfigKey.CLUSTER_ID,
                "0000000000c0ffee",
                ConfigKey.CLUSTER_NODE,
                node,
                ConfigKey.CLUSTER_NODES,
                list(ADDRESSES),
                ConfigKey.CLUSTER_ENDPOINTS,
                list(ENDPOINTS),
                ConfigKey.CLUSTER_ELECTION_TIMEOUT,
                electionTimeout,
                ConfigKey.GRPC_PORT,
                ENDPOINTS.get(node).replaceAll(".*:", ""));
    }

    private static void start(String node, String electionTimeout) {
        Map<ConfigKey<?>, String> settings = settings(node, electionTimeout);
        List<String> words = new ArrayList<>(List.of("cluster", "init"));
        settings.forEach((key, value) -> words.addAll(List.of(key.option(), value)));
        StringWriter out = new StringWriter();
        PrintWriter printer = new PrintWriter(out, true);
        assertEquals(ExitCode.OK, CoordinatorMain.run(printer, printer, words.toArray(String[]::new)), out::toString);
        CoordinatorConfig config = CoordinatorConfig.onFreePorts(temp.resolve(node), settings);
        SERVERS.put(node, MemberServer.start(config, StepListener.NONE, line -> {}));
    }

    /** Runs a command at a member. */
    private String run(int exitCode, String node, String... arguments) {
        return runAt(exitCode, ENDPOINTS.get(node), arguments);
    }

    private String runAt(int exitCode, String endpoint, String... arguments) {
        List<String> all = new ArrayList<>(List.of("cluster"));
        all.addAll(List.of(arguments));
        all.addAll(List.of("--endpoint", endpoint));
        StringWriter out = new StringWriter();
        StringWriter errors = new StringWriter();
        int code = CoordinatorMain.run(
                new PrintWriter(out, true), new PrintWriter(errors, true), all.toArray(String[]::new));
        err = errors.toString();
        assertEquals(exitCode, code, out + err);
        return out.toString();
    }

    /** The member that leads, when it is ready. */
    private String leader() {
        Awaitility.await().atMost(LIMIT).until(() -> readyOne() != null);
        return readyOne();
    }

    private String readyOne() {
        for (String node : SERVERS.keySet()) {
            List<String> lines =
                    run(ExitCode.OK, node, "status", "--json").lines().toList();
            String own = lines.stream()
                    .filter(line -> line.contains("\"node\":\"" + node + "\""))
                    .findFirst()
                    .orElse("");
            if (own.contains("\"role\":\"LEADER\"") && SERVERS.get(node).isReady()) {
                return node;
            }
        }
        return null;
    }

    private String followerOf(String leader) {
        return SERVERS.keySet().stream()
                .filter(node -> !node.equals(leader))
                .findFirst()
                .orElseThrow();
    }

    private void refused(String code, String node, String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--reason", "test"));
        run(ExitCode.FAILED, node, all.toArray(String[]::new));
        assertTrue(err.startsWith("troth: " + code + ": "), err);
    }

    @Test
    void statusShowsEveryMember() {
        String leader = leader();
        List<String> lines =
                run(ExitCode.OK, followerOf(leader), "status").lines().toList();
        assertEquals("cluster 0000000000c0ffee, leader " + leader, lines.get(0));
        assertTrue(
                lines.get(2).matches("NODE +ROLE +TERM +APPLIED +LAG +REACHABLE +VERSION +ADDRESS +ENDPOINT"),
                lines.get(2));
        for (String node : List.of("a", "b", "c")) {
            String role = node.equals(leader) ? "LEADER" : "FOLLOWER";
            String line = lines.stream()
                    .filter(each -> each.startsWith(node + " "))
                    .findFirst()
                    .orElseThrow();
            assertTrue(
                    line.matches(node + " +" + role + " +[0-9]+ +[0-9]+ +[0-9]+ +yes +" + Pattern.quote(Build.VERSION)
                            + " +" + ADDRESSES.get(node) + " +" + ENDPOINTS.get(node)),
                    line);
        }
    }

    @Test
    void theLeadershipGoesToWhomTheOperatorWants() {
        String leader = leader();
        String next = followerOf(leader);
        refused("NOT_LEADER", next, "transfer-leader", next);
        assertTrue(err.startsWith("troth: NOT_LEADER: " + leader + " leads, at " + ENDPOINTS.get(leader) + "\n"), err);
        StringWriter errors = new StringWriter();
        PrintWriter printer = new PrintWriter(errors, true);
        assertEquals(
                ExitCode.FAILED,
                CoordinatorMain.run(printer, printer, "admin", "status", "--endpoint", ENDPOINTS.get(next)));
        assertTrue(errors.toString().startsWith(err.lines().findFirst().orElseThrow()), errors::toString);
        refused("INVALID_ARGUMENT", leader, "transfer-leader", leader);
        refused("UNKNOWN_MEMBER", leader, "transfer-leader", "nobody");
        assertEquals(
                "the leader is " + next,
                run(ExitCode.OK, leader, "transfer-leader", next, "--reason", "test")
                        .strip());
        assertEquals(next, leader());
        Awaitility.await().atMost(LIMIT).until(() -> ENDPOINTS.get(next).equals(leaderNamedBy(leader)));
    }

    /** Where a member sends those who want to begin a transaction; null when it does not refuse, or names nobody. */
    private static String leaderNamedBy(String node) {
        ManagedChannel channel = NettyChannelBuilder.forTarget(ENDPOINTS.get(node), InsecureChannelCredentials.create())
                .build();
        try {
            BeginResponse unused = TransactionServiceGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(1, TimeUnit.SECONDS)
                    .begin(BeginRequest.getDefaultInstance());
            return null;
        } catch (StatusRuntimeException e) {
            Metadata trailers = e.getTrailers();
            return trailers == null
                    ? null
                    : trailers.get(Metadata.Key.of("troth-leader", Metadata.ASCII_STRING_MARSHALLER));
        } finally {
            channel.shutdownNow();
        }
    }

    @Test
    void aMemberComesAndGoes() {
        String leader = leader();
        refused("MEMBER_EXISTS", leader, "add", followerOf(leader), "127.0.0.1:1");
        refused("MEMBER_EXISTS", leader, "add", "z", ADDRESSES.get(leader));
        refused("MEMBER_UNREACHABLE", leader, "add", "z", "127.0.0.1:" + FreePorts.next());
        refused("INVALID_ARGUMENT", leader, "add", "z", "nowhere");
        refused("UNKNOWN_MEMBER", leader, "remove", "z");
        refused("INVALID_ARGUMENT", leader, "remove", leader);
        comes("d", ELECTION_TIMEOUT, leader);
        SERVERS.remove("d").close();
        Awaitility.await()
                .atMost(LIMIT)
                .until(() ->
                        run(ExitCode.OK, leader, "status").lines().anyMatch(line -> line.matches("d +- .* no .*")));
        assertEquals(
                "removed d",
                run(ExitCode.OK, leader, "remove", "d", "--reason", "test").strip());
        assertEquals(3, run(ExitCode.OK, leader, "status", "--json").lines().count());
    }

    private void comes(String node, String electionTimeout, String leader) {
        name(node);
        start(node, electionTimeout);
        assertTrue(run(ExitCode.OK, node, "status").contains("OUTSIDE"));
        run(
                ExitCode.OK,
                leader,
                "add",
                node,
                ADDRESSES.get(node),
                "--client-endpoint",
                ENDPOINTS.get(node),
                "--reason",
                "test");
        Awaitility.await()
                .atMost(LIMIT)
                .until(() -> run(ExitCode.OK, leader, "status").contains(node + "     FOLLOWER"));
    }

    /** It ends, and sends nobody to look at a disk. */
    @Test
    void aMemberThatIsRemovedWhileItRunsSaysWhatMayBeBehindItsEnd() throws Exception {
        String leader = leader();
        comes("e", BRIEF, leader);
        run(ExitCode.OK, leader, "remove", "e", "--reason", "test");
        try (MemberServer removed = SERVERS.remove("e")) {
            Ending ending = CompletableFuture.supplyAsync(
                            removed::awaitTermination, task -> new Thread(task, "awaits").start())
                    .get(LIMIT.toSeconds(), TimeUnit.SECONDS);
            assertEquals(Ending.Cause.LOG_FAILED, ending.cause());
            assertTrue(ending.message().startsWith("Raft has stopped: this member was removed"), ending::message);
            assertTrue(ending.message().contains("Unless it was removed"), ending::message);
            assertFalse(ending.message().contains("disk"), ending::message);
        }
    }

    @Test
    void aSingleCoordinatorIsNoCluster() throws Exception {
        try (LiveCoordinator single = new LiveCoordinator()) {
            runAt(ExitCode.FAILED, "127.0.0.1:" + single.port(), "status");
            assertTrue(err.startsWith("troth: NOT_A_CLUSTER"), err);
        }
    }
}
