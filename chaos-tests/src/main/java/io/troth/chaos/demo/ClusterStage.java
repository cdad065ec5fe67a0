package io.troth.chaos.demo;

import io.troth.chaos.cluster.AgentChild;
import io.troth.chaos.cluster.ClientChild;
import io.troth.chaos.cluster.CoordinatorChild;
import io.troth.chaos.cluster.CoordinatorCluster;
import io.troth.chaos.cluster.TrothProcess;
import io.troth.chaos.process.Children;
import io.troth.chaos.process.Ports;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Everything that runs in one demo of a cluster: two databases, three coordinators that reach each other through
 * proxies, two agents and a client, each its own process, with all they write below one directory.
 */
final class ClusterStage implements Show.Setting {

    private static final List<String> NODES = List.of("node-a", "node-b", "node-c");

    private final CoordinatorCluster members;
    private final DemoBanks banks;
    private final List<TrothProcess> agents;
    private final TrothProcess client;

    /**
     * Starts all of them and returns when they serve.
     *
     * @param directory below which everything is written
     * @param binaries where the database programs are unpacked, once; may be outside of the directory
     */
    ClusterStage(Path directory, Children children, Path binaries, int accounts) {
        this(directory, children, binaries, accounts, Map.of());
    }

    /** As the other one; {@code settings} of the coordinators that are not the defaults, by key. */
    ClusterStage(Path directory, Children children, Path binaries, int accounts, Map<String, String> settings) {
        // The members start while the databases do.
        members = new CoordinatorCluster(
                directory.resolve("members"),
                NODES,
                settings,
                true,
                (node, all) -> children.startJava(node, CoordinatorChild.class, CoordinatorChild.arguments(all)));
        banks = new DemoBanks(directory, children, binaries, accounts);
        String endpoints = String.join(",", members.endpoints());
        Random random = new Random();
        agents = List.of(
                agent(children, endpoints, DemoBanks.BANK_A, banks.a().url(), random),
                agent(children, endpoints, DemoBanks.BANK_B, banks.b().url(), random));
        client = new TrothProcess(
                children,
                "client",
                ClientChild.class,
                ClientChild.arguments(endpoints, DemoBanks.BANK_A, DemoBanks.BANK_B, accounts, 1));
        CoordinatorCluster.Lead unused = members.awaitLeadAbove(0);
        agents.forEach(TrothProcess::awaitReady);
        client.awaitReady();
    }

    private static TrothProcess agent(Children children, String endpoints, String resource, String url, Random random) {
        return new TrothProcess(
                children,
                "agent-of-" + resource,
                AgentChild.class,
                AgentChild.arguments(endpoints, resource, url, Ports.free(random)));
    }

    CoordinatorCluster members() {
        return members;
    }

    DemoBanks banks() {
        return banks;
    }

    /** That of bank A, and that of bank B. */
    List<TrothProcess> agents() {
        return agents;
    }

    TrothProcess client() {
        return client;
    }

    @Override
    public List<List<String>> addresses() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("what", "process", "address"));
        rows.add(List.of("bank A", Long.toString(banks.a().pid()), banks.a().url()));
        rows.add(List.of("bank B", Long.toString(banks.b().pid()), banks.b().url()));
        for (int i = 0; i < NODES.size(); i++) {
            String node = NODES.get(i);
            String pid = Long.toString(members.process(node).child().pid());
            rows.add(List.of(node, pid, members.endpoints().get(i) + " (gRPC)"));
            rows.add(List.of("", "", "http://" + members.http(node) + "/metrics"));
        }
        return rows;
    }

    @Override
    public void close() {
        members.close();
        banks.close();
    }
}
