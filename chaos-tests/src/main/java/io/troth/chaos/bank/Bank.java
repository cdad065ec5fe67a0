package io.troth.chaos.bank;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.TreeMap;

/** The tables of one bank: accounts whose balance never becomes negative, and one row per transfer. */
public final class Bank {

    /** What every account starts with. */
    public static final long OPENING_BALANCE = 1_000;

    /**
     * What one bank's database holds.
     *
     * @param total the sum of all balances
     * @param amounts the amount of every transfer that happened here, by its number
     */
    public record Books(long total, Map<Long, Long> amounts) {}

    private Bank() {}

    /** Makes the tables, with accounts 1 to {@code accounts}. */
    public static void create(Connection connection, int accounts) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(
                    "CREATE TABLE account (number int PRIMARY KEY," + " balance bigint NOT NULL CHECK (balance >= 0))");
            statement.execute("CREATE TABLE transfer (number bigint PRIMARY KEY, account int NOT NULL,"
                    + " amount bigint NOT NULL)");
        }
        try (PreparedStatement insert =
                connection.prepareStatement("INSERT INTO account SELECT n, ? FROM generate_series(1, ?) AS n")) {
            insert.setLong(1, OPENING_BALANCE);
            insert.setInt(2, accounts);
            insert.executeUpdate();
        }
    }

    /** Reads the balances and the transfers in one snapshot. */
    public static Books books(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        try (Statement statement = connection.createStatement()) {
            long total;
            try (ResultSet sum = statement.executeQuery("SELECT sum(balance) FROM account")) {
                sum.next();
                total = sum.getLong(1);
            }
            Map<Long, Long> amounts = new TreeMap<>();
            try (ResultSet rows = statement.executeQuery("SELECT number, amount FROM transfer")) {
                while (rows.next()) {
                    amounts.put(rows.getLong(1), rows.getLong(2));
                }
            }
            return new Books(total, amounts);
        } finally {
            connection.rollback();
        }
    }
}
