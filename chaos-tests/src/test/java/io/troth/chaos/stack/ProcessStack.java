package io.troth.chaos.stack;

import io.troth.chaos.bank.Bank;
import io.troth.chaos.cluster.AgentChild;
import io.troth.chaos.cluster.ClientChild;
import io.troth.chaos.cluster.CoordinatorChild;
import io.troth.chaos.cluster.Teller;
import io.troth.chaos.cluster.TrothProcess;
import io.troth.chaos.process.Children;
import io.troth.chaos.process.Ports;
import io.troth.chaos.process.WorkDirectory;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;

/** The whole of Troth with everything in processes of its own: a coordinator, an agent for each bank, and a client. */
final class ProcessStack implements AutoCloseable {

    private final WorkDirectory directory = WorkDirectory.create("process-stack-");
    private final Children children = new Children(directory.directory("logs"));
    private final Random random = new Random();
    private final Banks banks;
    private final int port;
    private final String address;
    private final Map<String, Integer> sqlPorts = new HashMap<>();
    private final TrothProcess coordinator;
    private final List<TrothProcess> agents;
    private static final long NUMBERS_PER_CLIENT = 1_000_000;

    private int clients;
    private TrothProcess client;
    private Teller teller;

    ProcessStack(Supplier<Banks> newBanks, String... coordinatorSettings) {
        port = Ports.free(random);
        address = "localhost:" + port;
        coordinator = new TrothProcess(
                children,
                "coordinator",
                CoordinatorChild.class,
                CoordinatorChild.arguments(
                        directory.path().resolve("decisions"), port, Ports.free(random), coordinatorSettings));
        banks = newBanks.get();
        agents = List.of(startAgent(Banks.A), startAgent(Banks.B));
        coordinator.awaitReady();
        agents.forEach(TrothProcess::awaitReady);
        client = startClient();
        teller = new Teller(client);
    }

    /** The coordinator's. */
    int port() {
        return port;
    }

    /** That of the bank's SQL gateway. */
    int sqlPort(String bank) {
        return sqlPorts.computeIfAbsent(bank, key -> Ports.free(random));
    }

    Banks banks() {
        return banks;
    }

    TrothProcess coordinator() {
        return coordinator;
    }

    List<TrothProcess> agents() {
        return agents;
    }

    TrothProcess client() {
        return client;
    }

    Teller teller() {
        return teller;
    }

    /** What is wrong with the answers the client was given, in words. */
    List<String> falseAnswers() {
        return teller.ledger().compare(books(Banks.A), books(Banks.B));
    }

    Bank.Books books(String bank) {
        try (Connection connection = banks.server(bank).connect(banks.database())) {
            return Bank.books(connection);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Another client in the place of a killed one; its transfers get other numbers. */
    void replaceClient() {
        client = startClient();
        teller = new Teller(client);
    }

    @Override
    public void close() {
        children.close();
        directory.close();
    }

    private TrothProcess startAgent(String bank) {
        return new TrothProcess(
                children,
                "agent-of-" + bank,
                AgentChild.class,
                AgentChild.arguments(address, bank, banks.url(bank), sqlPort(bank)));
    }

    private TrothProcess startClient() {
        return new TrothProcess(
                        children,
                        "client",
                        ClientChild.class,
                        ClientChild.arguments(
                                address, Banks.A, Banks.B, Banks.ACCOUNTS, 1 + NUMBERS_PER_CLIENT * clients++))
                .awaitReady();
    }
}
