package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.troth.chaos.bank.Bank;
import io.troth.chaos.bank.Transfer;
import io.troth.chaos.db.PostgresServer;
import io.troth.chaos.db.PreparedTransaction;
import io.troth.core.Outcome;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;
import org.awaitility.Awaitility;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * Two banks, each a fresh database on a shared server of its own, and what tests ask about them. Every transfer has a
 * number that no other has, so that its row tells how its transaction ended.
 */
final class Banks {

    /** The first bank's resource name. */
    static final String A = "bank-a";

    /** The second bank's resource name. */
    static final String B = "bank-b";

    static final int ACCOUNTS = 20;

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final AtomicLong NUMBERS = new AtomicLong();

    private final List<PostgresServer> servers;
    private final String database;

    private Banks(List<PostgresServer> servers, String database) {
        this.servers = servers;
        this.database = database;
    }

    /** New databases, named after the test. */
    static Banks create(String test) {
        return create(SharedServers.running(), test);
    }

    /** As {@link #create}, but bank B's server may be killed: by one class at a time, which holds {@link SharedServers#TO_KILL}. */
    static Banks createWithServerToKill(String test) {
        return create(SharedServers.withOneToKill(), test);
    }

    private static Banks create(List<PostgresServer> servers, String test) {
        Banks banks = new Banks(servers, test.toLowerCase(java.util.Locale.ROOT) + "_" + NUMBERS.incrementAndGet());
        for (PostgresServer server : banks.servers) {
            server.execute("CREATE DATABASE " + banks.database);
            try (Connection connection = server.connect(banks.database)) {
                Bank.create(connection, ACCOUNTS);
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
            server.execute(banks.database, new String[] {
                "CREATE TABLE checked_late (account int REFERENCES account DEFERRABLE INITIALLY DEFERRED)"
            });
        }
        return banks;
    }

    PostgresServer server(String bank) {
        return servers.get(bank.equals(A) ? 0 : 1);
    }

    String database() {
        return database;
    }

    String url(String bank) {
        return server(bank).url(database);
    }

    /** Physical connections to a bank, for an agent or for looking. */
    DataSource dataSource(String bank) {
        return dataSource(bank, server(bank).port());
    }

    /** As {@link #dataSource(String)} through another port, such as a proxy's. */
    DataSource dataSource(String bank, int port) {
        PGSimpleDataSource source = new PGSimpleDataSource();
        source.setUrl(PostgresServer.url(database, port));
        return source;
    }

    /** A transfer with a number of its own. */
    static Transfer transfer() {
        long number = NUMBERS.incrementAndGet();
        int account = 1 + (int) (number % ACCOUNTS);
        return new Transfer(number, account, account, 1);
    }

    /** This bank's half of a transfer, on a connection of whatever kind. */
    static void apply(Connection connection, Transfer transfer, String bank) throws SQLException {
        boolean first = bank.equals(A);
        int account = first ? transfer.fromAccount() : transfer.toAccount();
        long amount = first ? -transfer.amount() : transfer.amount();
        try (PreparedStatement row = connection.prepareStatement(Transfer.INSERT_ROW);
                PreparedStatement money = connection.prepareStatement(Transfer.MOVE_MONEY)) {
            row.setLong(1, transfer.number());
            row.setInt(2, account);
            row.setLong(3, amount);
            row.executeUpdate();
            money.setLong(1, amount);
            money.setInt(2, account);
            money.executeUpdate();
        }
    }

    /** What the database says to one of two transactions that cannot have run one after the other. */
    static void failToSerialize(DataSource source) throws SQLException {
        try (Connection connection = source.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("DO 'BEGIN RAISE SQLSTATE ''40001''; END'");
        }
    }

    /** Work whose flaw the database finds only when it is to prepare. */
    static void applyWhatCannotBePrepared(Connection connection) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO checked_late VALUES (-1)")) {
            insert.executeUpdate();
        }
    }

    /** Whether the transfer's row is in the bank. */
    boolean has(String bank, Transfer transfer) {
        return numbers(bank).contains(transfer.number());
    }

    /** The numbers of all transfers whose rows are in the bank. */
    Set<Long> numbers(String bank) {
        try (Connection connection = server(bank).connect(database)) {
            return Bank.books(connection).amounts().keySet();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What is prepared in these databases, whoever prepared it. */
    List<PreparedTransaction> prepared(String bank) {
        return server(bank).prepared().stream()
                .filter(prepared -> prepared.database().equals(database))
                .toList();
    }

    void awaitPrepared(String bank, int count) {
        Awaitility.await(count + " prepared in " + bank)
                .atMost(LIMIT)
                .pollInterval(Duration.ofMillis(50))
                .until(() -> prepared(bank).size() == count);
    }

    void awaitNothingPrepared() {
        awaitPrepared(A, 0);
        awaitPrepared(B, 0);
    }

    /** How the transfer ended, by what one bank holds. */
    Outcome endingAt(String bank, Transfer transfer) {
        return has(bank, transfer) ? Outcome.COMMITTED : Outcome.ROLLED_BACK;
    }

    /** How the transfer ended, by what the banks hold: the same in both, or the test fails. */
    Outcome ending(Transfer transfer) {
        boolean inA = has(A, transfer);
        assertEquals(inA, has(B, transfer), "transfer " + transfer.number() + " ended differently in the two banks");
        return inA ? Outcome.COMMITTED : Outcome.ROLLED_BACK;
    }

    /** The sum over both banks is what it was. */
    void assertNoMoneyLost() {
        long total = 0;
        for (PostgresServer server : servers) {
            try (Connection connection = server.connect(database)) {
                total += Bank.books(connection).total();
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }
        assertEquals(2 * ACCOUNTS * Bank.OPENING_BALANCE, total);
    }
}
