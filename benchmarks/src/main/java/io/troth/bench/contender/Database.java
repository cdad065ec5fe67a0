package io.troth.bench.contender;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/**
 * One PostgreSQL database with the table {@code account(id int primary key, balance bigint)}.
 *
 * @param name what transactions call the resource, such as {@code bank-a}
 * @param server which of the servers it is on, from 0
 * @param port the server's, on the loopback address
 * @param database its name there
 * @param user its owner, who needs no password
 * @param application the contender's name, by which the server tells its connections from those of others
 */
public record Database(String name, int server, int port, String database, String user, String application) {

    /** The host of every server. */
    public static final String HOST = "127.0.0.1";

    private static final String WRITE = "UPDATE account SET balance = balance + ? WHERE id = ?";
    private static final String READ = "SELECT balance FROM account WHERE id = ?";

    /** The JDBC address, with user and application name in it. Every connection is to be made with this one. */
    public String url() {
        return "jdbc:postgresql://" + HOST + ":" + port + "/" + database + "?user=" + user + "&ApplicationName="
                + application;
    }

    /** A new connection, outside of any pool. */
    public Connection connect() throws SQLException {
        return DriverManager.getConnection(url());
    }

    /**
     * Runs the step's statement, the same for every contender, in whatever transaction the connection is in.
     *
     * @throws SQLException also when the account is not there
     */
    public static void run(Step step, Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(step.isRead() ? READ : WRITE)) {
            if (step.isRead()) {
                statement.setInt(1, step.account());
                try (ResultSet row = statement.executeQuery()) {
                    check(row.next(), step);
                }
            } else {
                statement.setLong(1, step.amount());
                statement.setInt(2, step.account());
                check(statement.executeUpdate() == 1, step);
            }
        }
    }

    private static void check(boolean found, Step step) throws SQLException {
        if (!found) {
            throw new SQLException("there is no account " + step.account(), "02000");
        }
    }
}
