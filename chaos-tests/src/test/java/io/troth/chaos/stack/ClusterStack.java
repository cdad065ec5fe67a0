package io.troth.chaos.stack;

import io.troth.agent.TrothAgent;
import io.troth.chaos.bank.Transfer;
import io.troth.chaos.cluster.CoordinatorChild;
import io.troth.chaos.cluster.CoordinatorCluster;
import io.troth.chaos.cluster.CoordinatorCluster.Lead;
import io.troth.chaos.cluster.TrothProcess;
import io.troth.chaos.process.ChildProcess;
import io.troth.chaos.process.Children;
import io.troth.chaos.process.WorkDirectory;
import io.troth.client.TrothClient;
import io.troth.client.TrothClientBuilder;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Three coordinators in processes of their own, two banks' agents and a client in this JVM. */
final class ClusterStack implements AutoCloseable {

    private static final List<String> NODES = List.of("a", "b", "c");
    private static final Duration LIMIT = Duration.ofSeconds(90);

    private final WorkDirectory directory = WorkDirectory.create("cluster-");
    private final Children children = new Children(directory.directory("logs"));
    private final CoordinatorCluster members;
    private final Banks banks;
    private final TrothClient client;
    private final Map<String, TrothAgent> agents = new TreeMap<>();

    ClusterStack(String test) throws Exception {
        this(test, false);
    }

    /** {@code proxied}: whether members can be cut off. */
    ClusterStack(String test, boolean proxied) throws Exception {
        members = new CoordinatorCluster(directory.path(), NODES, Map.of(), proxied, this::start);
        banks = Banks.create(test);
        TrothClientBuilder builder = TrothClient.builder().outcomeTimeout(LIMIT);
        members.endpoints().forEach(builder::endpoint);
        client = builder.build();
        for (String bank : List.of(Banks.A, Banks.B)) {
            var agent = TrothAgent.builder().resource(bank, banks.dataSource(bank));
            members.endpoints().forEach(agent::coordinator);
            agents.put(bank, agent.start());
        }
        members.awaitLeadAbove(0);
        for (TrothAgent agent : agents.values()) {
            if (!agent.awaitReady(LIMIT)) {
                throw new IllegalStateException("an agent found no leader");
            }
        }
    }

    private ChildProcess start(String node, Map<String, String> settings) {
        return children.startJava("coordinator-" + node, CoordinatorChild.class, CoordinatorChild.arguments(settings));
    }

    CoordinatorCluster members() {
        return members;
    }

    /** The data directory of a member. */
    Path data(String node) {
        return members.data(node);
    }

    Banks banks() {
        return banks;
    }

    TrothClient client() {
        return client;
    }

    TrothProcess process(String node) {
        return members.process(node);
    }

    /** All but this one. */
    List<String> others(String node) {
        return members.others(node);
    }

    /** Starts a killed member again, and does not wait. */
    void restart(String node) {
        members.restart(node);
    }

    /** Who leads, as far as anybody has said so. */
    Lead lead() {
        return members.lead();
    }

    /** Waits until somebody leads a later epoch. */
    Lead awaitLeadAbove(long epoch) {
        return members.awaitLeadAbove(epoch);
    }

    /** Waits until a member says that another one leads, or nobody. */
    void awaitNotLeading(String node) {
        members.awaitNotLeading(node);
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
        members.close();
        client.close();
        agents.values().forEach(TrothAgent::close);
        children.close();
        directory.close();
    }
}
