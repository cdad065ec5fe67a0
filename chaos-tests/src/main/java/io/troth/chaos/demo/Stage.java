package io.troth.chaos.demo;

import io.troth.chaos.cluster.AgentChild;
import io.troth.chaos.cluster.ClientChild;
import io.troth.chaos.cluster.CoordinatorChild;
import io.troth.chaos.cluster.TrothProcess;
import io.troth.chaos.db.PostgresServer;
import io.troth.chaos.process.Children;
import io.troth.chaos.process.Ports;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/**
 * Everything that runs in one demo: two databases, a coordinator, two agents and a client, each its own process, with
 * all they write below one directory. Thread-safe.
 */
final class Stage implements Show.Setting {

    private final Children children;
    private final Random random = new Random();
    private final DemoBanks banks;
    private final TrothProcess coordinator;
    private final TrothProcess agentA;
    private final TrothProcess agentB;
    private final TrothProcess client;
    private final String coordinatorAddress;
    private final String coordinatorHttpAddress;

    /**
     * Starts the databases, then the rest, and returns when all of them serve.
     *
     * @param directory below which everything is written
     * @param binaries where the database programs are unpacked, once; may be outside of the directory
     */
    Stage(Path directory, Children children, Path binaries, int accounts) {
        this.children = children;
        // The coordinator starts while the databases do.
        int port = Ports.free(random);
        int httpPort = Ports.free(random);
        this.coordinatorAddress = "localhost:" + port;
        this.coordinatorHttpAddress = "localhost:" + httpPort;
        this.coordinator = new TrothProcess(
                children,
                "coordinator",
                CoordinatorChild.class,
                CoordinatorChild.arguments(directory.resolve("decisions"), port, httpPort));
        this.banks = new DemoBanks(directory, children, binaries, accounts);
        this.agentA = startAgent("agent-a", DemoBanks.BANK_A, banks.a());
        this.agentB = startAgent("agent-b", DemoBanks.BANK_B, banks.b());
        coordinator.awaitReady();
        agentA.awaitReady();
        agentB.awaitReady();
        this.client = new TrothProcess(
                children,
                "client",
                ClientChild.class,
                ClientChild.arguments(coordinatorAddress, DemoBanks.BANK_A, DemoBanks.BANK_B, accounts, 1));
        client.awaitReady();
    }

    TrothProcess client() {
        return client;
    }

    TrothProcess victim(Act act) {
        return switch (act.victim()) {
            case COORDINATOR -> coordinator;
            case SECOND_AGENT -> secondAgent();
        };
    }

    TrothProcess secondAgent() {
        return agentB;
    }

    DemoBanks banks() {
        return banks;
    }

    @Override
    public List<List<String>> addresses() {
        return List.of(
                List.of("what", "process", "address"),
                List.of("bank A", Long.toString(banks.a().pid()), banks.a().url()),
                List.of("bank B", Long.toString(banks.b().pid()), banks.b().url()),
                List.of("coordinator", pid(coordinator), coordinatorAddress + " (gRPC)"),
                List.of("", "", "http://" + coordinatorHttpAddress + "/metrics"),
                List.of("agent of bank A", pid(agentA), ""),
                List.of("agent of bank B", pid(agentB), ""),
                List.of("client", pid(client), ""));
    }

    @Override
    public void close() {
        children.close();
        banks.close();
    }

    private TrothProcess startAgent(String name, String resource, PostgresServer bank) {
        return new TrothProcess(
                children,
                name,
                AgentChild.class,
                AgentChild.arguments(coordinatorAddress, resource, bank.url(), Ports.free(random)));
    }

    private static String pid(TrothProcess process) {
        return Long.toString(process.child().pid());
    }
}
