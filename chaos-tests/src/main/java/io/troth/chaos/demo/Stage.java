package io.troth.chaos.demo;

import io.troth.chaos.bank.Bank;
import io.troth.chaos.cluster.AgentChild;
import io.troth.chaos.cluster.ClientChild;
import io.troth.chaos.cluster.CoordinatorChild;
import io.troth.chaos.cluster.TrothProcess;
import io.troth.chaos.db.PostgresBinaries;
import io.troth.chaos.db.PostgresServer;
import io.troth.chaos.db.PreparedTransaction;
import io.troth.chaos.process.Children;
import io.troth.chaos.process.Ports;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/**
 * Everything that runs in one demo: two databases, a coordinator, two agents and a client, each its own process, with
 * all they write below one directory. Thread-safe.
 */
final class Stage implements AutoCloseable {

    static final String BANK_A = "bank-a";
    static final String BANK_B = "bank-b";

    /** A prepared branch with the bank that lists it. */
    record InDoubt(String bank, PreparedTransaction prepared, String tx) {}

    private final Path directory;
    private final Children children;
    private final Random random = new Random();
    private final List<PostgresServer> banks;
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
        this.directory = directory;
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
        PostgresBinaries programs = PostgresBinaries.in(binaries);
        CompletableFuture<PostgresServer> first =
                CompletableFuture.supplyAsync(() -> openBank(programs, BANK_A, accounts));
        CompletableFuture<PostgresServer> second =
                CompletableFuture.supplyAsync(() -> openBank(programs, BANK_B, accounts));
        this.banks = List.of(first.join(), second.join());
        this.agentA = startAgent("agent-a", BANK_A, banks.get(0));
        this.agentB = startAgent("agent-b", BANK_B, banks.get(1));
        coordinator.awaitReady();
        agentA.awaitReady();
        agentB.awaitReady();
        this.client = new TrothProcess(
                children,
                "client",
                ClientChild.class,
                ClientChild.arguments(coordinatorAddress, BANK_A, BANK_B, accounts, 1));
        client.awaitReady();
    }

    TrothProcess coordinator() {
        return coordinator;
    }

    TrothProcess client() {
        return client;
    }

    TrothProcess victim(Act act) {
        return switch (act.victim()) {
            case COORDINATOR -> coordinator;
            case SECOND_AGENT -> agentB;
        };
    }

    PostgresServer bankA() {
        return banks.get(0);
    }

    PostgresServer bankB() {
        return banks.get(1);
    }

    Path logDirectory() {
        return children.logDirectory();
    }

    /** What is where, for somebody who wants to look. */
    List<List<String>> addresses() {
        return List.of(
                List.of("what", "process", "address"),
                List.of("bank A", Long.toString(bankA().pid()), bankA().url()),
                List.of("bank B", Long.toString(bankB().pid()), bankB().url()),
                List.of("coordinator", pid(coordinator), coordinatorAddress + " (gRPC)"),
                List.of("", "", "http://" + coordinatorHttpAddress + "/metrics"),
                List.of("agent of bank A", pid(agentA), ""),
                List.of("agent of bank B", pid(agentB), ""),
                List.of("client", pid(client), ""));
    }

    /** Every branch of Troth that a bank lists as prepared, bank A first. */
    List<InDoubt> inDoubt() {
        List<InDoubt> found = new ArrayList<>();
        for (PostgresServer bank : banks) {
            for (PreparedTransaction prepared : bank.prepared()) {
                PreparedTransaction.Decoded decoded = prepared.decoded();
                if (decoded != null) {
                    found.add(new InDoubt(bank.name(), prepared, decoded.tx().toString()));
                }
            }
        }
        return found;
    }

    /** How many transactions the banks list as prepared, whoever's they are. */
    int prepared() {
        return banks.stream().mapToInt(bank -> bank.prepared().size()).sum();
    }

    Bank.Books books(PostgresServer bank) {
        try (Connection connection = bank.connect()) {
            return Bank.books(connection);
        } catch (SQLException e) {
            throw new IllegalStateException("cannot read the books of " + bank.name() + ": " + e.getMessage(), e);
        }
    }

    /** The sum of all balances in both banks. */
    long money() {
        return banks.stream().mapToLong(bank -> books(bank).total()).sum();
    }

    /** Ends every process, the databases' backends included. Leaves the directory. */
    @Override
    public void close() {
        children.close();
        banks.forEach(PostgresServer::kill);
    }

    private PostgresServer openBank(PostgresBinaries programs, String name, int accounts) {
        PostgresServer server = PostgresServer.start(name, children, programs, directory.resolve(name));
        try (Connection connection = server.connect()) {
            Bank.create(connection, accounts);
        } catch (SQLException e) {
            throw new IllegalStateException("cannot open " + name + ": " + e.getMessage(), e);
        }
        return server;
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
