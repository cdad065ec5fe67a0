package io.troth.chaos.demo;

import io.troth.chaos.bank.Bank;
import io.troth.chaos.db.PostgresBinaries;
import io.troth.chaos.db.PostgresServer;
import io.troth.chaos.db.PreparedTransaction;
import io.troth.chaos.process.Children;
import io.troth.core.GlobalTxId;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** The two databases of a demo, and what they hold. Thread-safe. */
final class DemoBanks implements AutoCloseable {

    static final String BANK_A = "bank-a";
    static final String BANK_B = "bank-b";

    /** A prepared branch with the bank that lists it. */
    record InDoubt(String bank, PreparedTransaction prepared, String tx) {}

    private final List<PostgresServer> banks;

    /**
     * Starts both at once and returns when they serve.
     *
     * @param directory below which they write
     * @param binaries where the database programs are unpacked, once; may be outside of the directory
     */
    DemoBanks(Path directory, Children children, Path binaries, int accounts) {
        PostgresBinaries programs = PostgresBinaries.in(binaries);
        CompletableFuture<PostgresServer> first =
                CompletableFuture.supplyAsync(() -> open(programs, BANK_A, directory, children, accounts));
        CompletableFuture<PostgresServer> second =
                CompletableFuture.supplyAsync(() -> open(programs, BANK_B, directory, children, accounts));
        banks = List.of(first.join(), second.join());
    }

    private static PostgresServer open(
            PostgresBinaries programs, String name, Path directory, Children children, int accounts) {
        PostgresServer server = PostgresServer.start(name, children, programs, directory.resolve(name));
        try (Connection connection = server.connect()) {
            Bank.create(connection, accounts);
        } catch (SQLException e) {
            throw new IllegalStateException("cannot open " + name + ": " + e.getMessage(), e);
        }
        return server;
    }

    PostgresServer a() {
        return banks.get(0);
    }

    PostgresServer b() {
        return banks.get(1);
    }

    /** Every branch of Troth that a bank lists as prepared, bank A first. */
    List<InDoubt> inDoubt() {
        List<InDoubt> found = new ArrayList<>();
        for (PostgresServer bank : banks) {
            for (PreparedTransaction prepared : bank.prepared()) {
                GlobalTxId tx = prepared.tx();
                if (tx != null) {
                    found.add(new InDoubt(bank.name(), prepared, tx.toString()));
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

    /** Ends them, with their backends. */
    @Override
    public void close() {
        banks.forEach(PostgresServer::close);
    }
}
