package io.troth.chaos.stack;

import io.troth.agent.TrothAgent;
import io.troth.chaos.bank.Transfer;
import io.troth.chaos.cluster.CoordinatorChild;
import io.troth.chaos.cluster.TrothProcess;
import io.troth.chaos.process.Children;
import io.troth.chaos.process.Ports;
import io.troth.chaos.process.WorkDirectory;
import io.troth.client.TrothClient;
import io.troth.client.TrothClientBuilder;
import io.troth.coordinator.config.ConfigKey;
import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.log.LogObserver;
import io.troth.coordinator.log.raft.RaftMember;
import io.troth.coordinator.server.ProcessEnvironment;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;

/** Three coordinators in processes of their own, two banks' agents and a client in this JVM. */
final class ClusterStack implements AutoCloseable {

    /** A member that leads an epoch. */
    record Lead(String node, long epoch) {}

    private static final List<String> NODES = List.of("a", "b", "c");
    private static final Duration LIMIT = Duration.ofSeconds(90);

    private final WorkDirectory directory = WorkDirectory.create("cluster-");
    private final Children children = new Children(directory.directory("logs"));
    private final Map<String, String> members = new TreeMap<>();
    private final Map<String, Integer> ports = new TreeMap<>();
    private final Map<String, Integer> httpPorts = new TreeMap<>();
    private final Map<String, TrothProcess> processes = new TreeMap<>();
    /** The highest epoch that each has said it leads. */
    private final Map<String, Long> led = new ConcurrentHashMap<>();

    private final Banks banks;
    private final TrothClient client;
    private final Map<String, TrothAgent> agents = new TreeMap<>();

    ClusterStack(String test) throws Exception {
        Random random = new Random();
        for (String node : NODES) {
            members.put(node, "127.0.0.1:" + Ports.free(random));
            ports.put(node, Ports.free(random));
            httpPorts.put(node, Ports.free(random));
        }
        for (String node : NODES) {
            RaftMember.create(config(node).member(), ProcessEnvironment.log(LogObserver.NONE));
            processes.put(
                    node,
                    new TrothProcess(
                            children,
                            "coordinator-" + node,
                            CoordinatorChild.class,
                            CoordinatorChild.arguments(
                                    data(node), ports.get(node), httpPorts.get(node), settings(node))));
            hear(node);
        }
        banks = Banks.create(test);
        TrothClientBuilder builder = TrothClient.builder().outcomeTimeout(LIMIT);
        endpoints().forEach(builder::endpoint);
        client = builder.build();
        awaitLeadAbove(0);
        for (String bank : List.of(Banks.A, Banks.B)) {
            var agent = TrothAgent.builder().resource(bank, banks.dataSource(bank));
            endpoints().forEach(agent::coordinator);
            agents.put(bank, agent.start());
        }
        for (TrothAgent agent : agents.values()) {
            if (!agent.awaitReady(LIMIT)) {
                throw new IllegalStateException("an agent found no leader");
            }
        }
    }

    private List<String> endpoints() {
        return ports.values().stream().map(port -> "127.0.0.1:" + port).toList();
    }

    private CoordinatorConfig config(String node) {
        Map<ConfigKey<?>, String> texts = new HashMap<>();
        texts.put(ConfigKey.CLUSTER_ID, "0000000000c0ffee");
        texts.put(ConfigKey.CLUSTER_NODE, node);
        texts.put(ConfigKey.CLUSTER_NODES, list(members));
        return CoordinatorConfig.onFreePorts(data(node), texts);
    }

    private String[] settings(String node) {
        Map<String, String> endpoints = new TreeMap<>();
        ports.forEach((each, port) -> endpoints.put(each, "127.0.0.1:" + port));
        return new String[] {
            ConfigKey.CLUSTER_ID + "=0000000000c0ffee",
            ConfigKey.CLUSTER_NODE + "=" + node,
            ConfigKey.CLUSTER_NODES + "=" + list(members),
            ConfigKey.CLUSTER_ENDPOINTS + "=" + list(endpoints)
        };
    }

    private static String list(Map<String, String> byNode) {
        return byNode.entrySet().stream().map(Map.Entry::toString).collect(Collectors.joining(","));
    }

    private void hear(String node) {
        processes.get(node).child().onLine(line -> {
            if (line.startsWith(TrothProcess.READY + " ")) {
                led.merge(node, Long.parseLong(line.replaceAll(".* epoch=([0-9]+) .*", "$1")), Math::max);
            }
        });
    }

    /** The data directory of a member. */
    Path data(String node) {
        return directory.path().resolve("member-" + node);
    }

    Banks banks() {
        return banks;
    }

    TrothClient client() {
        return client;
    }

    TrothProcess process(String node) {
        return processes.get(node);
    }

    /** All but this one. */
    List<String> others(String node) {
        return NODES.stream().filter(each -> !each.equals(node)).toList();
    }

    /** Starts a killed member again, and does not wait. */
    void restart(String node) {
        processes.get(node).restart();
        hear(node);
    }

    /** Who leads, as far as anybody has said so. */
    Lead lead() {
        return led.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(each -> new Lead(each.getKey(), each.getValue()))
                .orElse(new Lead("", 0));
    }

    /** Waits until somebody leads a later epoch. */
    Lead awaitLeadAbove(long epoch) {
        Awaitility.await("a leader after epoch " + epoch)
                .atMost(LIMIT)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> lead().epoch() > epoch);
        return lead();
    }

    /** What {@code /readyz} says: the status and the text. */
    String readyz(String node) throws IOException {
        HttpURLConnection connection =
                (HttpURLConnection) URI.create("http://127.0.0.1:" + httpPorts.get(node) + "/readyz")
                        .toURL()
                        .openConnection();
        connection.setConnectTimeout(5_000);
        connection.setReadTimeout(5_000);
        int status = connection.getResponseCode();
        try (var in = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
            return status + " " + new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
        }
    }

    /** Waits until a member says that another one leads, or nobody. */
    void awaitNotLeading(String node) {
        Awaitility.await(node + " does not lead")
                .atMost(LIMIT)
                .pollInterval(Duration.ofMillis(50))
                .ignoreExceptions()
                .until(() -> readyz(node).startsWith("503 NOT_LEADER"));
    }

    /** Both halves of a transfer, under the transaction of the calling thread. */
    void work(Transfer transfer) throws SQLException {
        for (Map.Entry<String, TrothAgent> agent : agents.entrySet()) {
            try (Connection connection =
                    agent.getValue().dataSource(agent.getKey()).getConnection()) {
                Banks.apply(connection, transfer, agent.getKey());
            }
        }
    }

    @Override
    public void close() {
        // Whoever stands still could not be closed in order.
        List<TrothProcess> all = new ArrayList<>(processes.values());
        all.forEach(TrothProcess::close);
        client.close();
        agents.values().forEach(TrothAgent::close);
        children.close();
        directory.close();
    }
}
