package io.troth.chaos.stack;

import io.troth.agent.TrothAgent;
import io.troth.chaos.bank.Transfer;
import io.troth.chaos.cluster.CoordinatorChild;
import io.troth.chaos.cluster.TrothProcess;
import io.troth.chaos.process.Children;
import io.troth.chaos.process.Ports;
import io.troth.chaos.process.WorkDirectory;
import io.troth.client.TrothClient;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * The whole of Troth with what a test of the coordinator kills in a process of its own: the coordinator is a child, two
 * banks' agents and the client live in this JVM, and the databases are shared ones.
 */
final class Stack implements AutoCloseable {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final WorkDirectory directory;
    private final Children children;
    private final Banks banks;
    private final TrothProcess coordinator;
    private final int port;
    private final String address;
    private final Map<String, TrothAgent> agents = new TreeMap<>();
    private final TrothClient client;

    private Stack(List<String> embedded, Supplier<Banks> newBanks, String... coordinatorSettings) throws Exception {
        directory = WorkDirectory.create("stack-");
        children = new Children(directory.directory("logs"));
        Random random = new Random();
        port = Ports.free(random);
        address = "localhost:" + port;
        coordinator = new TrothProcess(
                children,
                "coordinator",
                CoordinatorChild.class,
                CoordinatorChild.arguments(data(), port, Ports.free(random), coordinatorSettings));
        banks = newBanks.get();
        client = TrothClient.builder().endpoint(address).outcomeTimeout(LIMIT).build();
        for (String bank : embedded) {
            agents.put(
                    bank,
                    TrothAgent.builder()
                            .coordinator(address)
                            .resource(bank, banks.dataSource(bank))
                            .start());
        }
        awaitReady();
    }

    /**
     * Everything, ready.
     *
     * @param test names the databases
     * @param coordinatorSettings each {@code key=value}
     */
    static Stack start(String test, String... coordinatorSettings) throws Exception {
        return new Stack(List.of(Banks.A, Banks.B), () -> Banks.create(test), coordinatorSettings);
    }

    /** As {@link #start}, with a server of bank B that may be killed: {@link Banks#createWithServerToKill}. */
    static Stack startWithServerToKill(String test, String... coordinatorSettings) throws Exception {
        return new Stack(List.of(Banks.A, Banks.B), () -> Banks.createWithServerToKill(test), coordinatorSettings);
    }

    /** As {@link #start}, without any agent. */
    static Stack startAlone(String test) throws Exception {
        return new Stack(List.of(), () -> Banks.create(test));
    }

    /** As {@link #start}, but only bank A has an agent in this JVM. */
    static Stack startWithoutAgentOfB(String test, String... coordinatorSettings) throws Exception {
        return new Stack(List.of(Banks.A), () -> Banks.create(test), coordinatorSettings);
    }

    Banks banks() {
        return banks;
    }

    TrothProcess coordinator() {
        return coordinator;
    }

    /** The directory of the decision log. */
    Path data() {
        return directory.path().resolve("decisions");
    }

    int port() {
        return port;
    }

    /** {@code host:port} of the coordinator. */
    String address() {
        return address;
    }

    Children children() {
        return children;
    }

    TrothAgent agent(String bank) {
        return Objects.requireNonNull(agents.get(bank), bank);
    }

    TrothClient client() {
        return client;
    }

    /** Waits until the coordinator and the agents do. */
    void awaitReady() throws InterruptedException {
        coordinator.awaitReady();
        for (TrothAgent agent : agents.values()) {
            if (!agent.awaitReady(LIMIT)) {
                throw new IllegalStateException("an agent found no coordinator");
            }
        }
    }

    /** Both halves of a transfer, under the transaction of the calling thread. */
    void work(Transfer transfer) throws SQLException {
        work(transfer, Banks.A);
        work(transfer, Banks.B);
    }

    /** One half. */
    void work(Transfer transfer, String bank) throws SQLException {
        try (Connection connection = agent(bank).dataSource(bank).getConnection()) {
            Banks.apply(connection, transfer, bank);
        }
    }

    @Override
    public void close() {
        client.close();
        agents.values().forEach(TrothAgent::close);
        children.close();
        directory.close();
    }
}
