package io.troth.agent.xa;

import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Whether a PostgreSQL server is fit to take part (protocol 10.3): its settings, and a try with a harmless transaction. */
final class PostgresSelfTest {

    /** "TROC": the canary's own format id, so that nothing of it is ever taken for a branch. */
    static final int CANARY_FORMAT_ID = 0x54524F43;

    /** Slots beyond one for each pooled connection: for the canary and for branches that await their decision. */
    static final int SLOTS_HEADROOM = 2;

    private static final Logger LOG = LoggerFactory.getLogger(PostgresSelfTest.class);

    /** What is younger may be the canary of an agent that starts just now. */
    static final Duration LEFT_OVER_AGE = Duration.ofMinutes(10);

    private static final int VERSION_MIN = 140_000;

    private static final String SETTINGS = "SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4,"
            + " pg_catalog.current_setting('max_prepared_transactions')::pg_catalog.int4,"
            + " pg_catalog.current_setting('fsync'), pg_catalog.current_setting('full_page_writes'),"
            + " pg_catalog.current_setting('transaction_read_only')";

    private static final String LEFT_OVERS = "SELECT gid FROM pg_catalog.pg_prepared_xacts"
            + " WHERE database OPERATOR(pg_catalog.=) pg_catalog.current_database()"
            + " AND owner OPERATOR(pg_catalog.=) current_user"
            + " AND gid OPERATOR(pg_catalog.~~) '" + CANARY_FORMAT_ID + "\\_%'"
            + " AND prepared OPERATOR(pg_catalog.<)"
            + " (pg_catalog.now() OPERATOR(pg_catalog.-) pg_catalog.make_interval(secs => ";

    private PostgresSelfTest() {}

    static void checkSettings(Connection connection, int poolSize) throws SQLException, ResourceUnsuitableException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(SETTINGS)) {
            row.next();
            if (row.getInt(1) < VERSION_MIN) {
                throw new ResourceUnsuitableException(
                        "PostgreSQL 14 or later is needed, server_version_num is " + row.getInt(1));
            }
            // All of them at once: one of them wants a restart of the server.
            List<String> unfit = new ArrayList<>();
            int slots = row.getInt(2);
            int wanted = poolSize + SLOTS_HEADROOM;
            if (slots < wanted) {
                unfit.add("max_prepared_transactions is " + slots
                        + (slots == 0 ? " (prepared transactions are disabled)" : "") + "; set it to at least " + wanted
                        + " (pool size " + poolSize + " + " + SLOTS_HEADROOM + ") and restart the server");
            }
            if (!"on".equals(row.getString(3))) {
                unfit.add("fsync is off: the server forgets prepared and committed branches at a crash; set it to on");
            }
            if (!unfit.isEmpty()) {
                throw new ResourceUnsuitableException(String.join("; and ", unfit));
            }
            if (!"on".equals(row.getString(4))) {
                LOG.warn("full_page_writes is off: safe only on a file system that never tears a page");
            }
            if ("on".equals(row.getString(5))) {
                // Not refused: the agent must start, to finish what is prepared, and that is allowed all the same.
                LOG.warn("default_transaction_read_only is on: prepared branches are finished, new ones cannot write");
            }
        }
    }

    /**
     * Prepares on one connection, closes it, commits from another, and asks for the fate.
     *
     * @param answerMillis how long it waits for each answer
     */
    static void canary(DataSource source, int answerMillis) throws SQLException, ResourceUnsuitableException {
        String gid = PostgresGid.of(CANARY_FORMAT_ID, randomBytes(), randomBytes());
        String transactionId;
        try (Connection first = source.getConnection()) {
            setUp(first, answerMillis);
            try {
                removeLeftOvers(first, LEFT_OVER_AGE);
            } catch (SQLException e) {
                throw unsuitable("prepared transactions cannot be listed", e);
            }
            transactionId = prepare(first, gid);
        } catch (SQLException e) {
            if (PostgresErrors.isOutOfSlots(e)) {
                // Prepared branches fill every slot, perhaps ours: the agent must start, to finish them.
                LOG.warn("no canary: {}", PostgresErrors.describe(e));
                return;
            }
            throw unsuitable("a test transaction cannot be prepared", e);
        }
        try (Connection second = source.getConnection()) {
            setUp(second, answerMillis);
            if (!isListed(second, gid)) {
                throw new ResourceUnsuitableException("a prepared test transaction vanished with its connection");
            }
            execute(second, "COMMIT PREPARED '" + gid + "'");
            String status = statusOf(second, transactionId);
            if (!"committed".equals(status)) {
                throw new ResourceUnsuitableException(
                        "a committed test transaction is " + status + " by pg_xact_status");
            }
        } catch (SQLException e) {
            throw unsuitable("a test transaction cannot be finished from another connection", e);
        }
    }

    /** It waits for no synchronous standby: while that is down, each try to start would leave one prepared behind. */
    private static void setUp(Connection connection, int answerMillis) throws SQLException {
        connection.setNetworkTimeout(Runnable::run, answerMillis);
        execute(connection, "SET synchronous_commit = local");
    }

    /** A connection failure is the moment's; anything else says that the database is not fit. */
    private static ResourceUnsuitableException unsuitable(String what, SQLException e) throws SQLException {
        if (PostgresErrors.isConnectionLost(e)) {
            throw e;
        }
        return new ResourceUnsuitableException(what + ", " + PostgresErrors.describe(e), e);
    }

    private static String prepare(Connection connection, String gid) throws SQLException {
        connection.setAutoCommit(false);
        String transactionId;
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT pg_catalog.pg_current_xact_id()::pg_catalog.text")) {
            row.next();
            transactionId = row.getString(1);
        }
        execute(connection, "PREPARE TRANSACTION '" + gid + "'");
        return transactionId;
    }

    /** Rolls back canaries whose agent or server died on the way: prepared, they would hold vacuum back for ever. */
    static void removeLeftOvers(Connection connection, Duration age) throws SQLException {
        List<String> gids = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(LEFT_OVERS + age.toSeconds() + "))")) {
            while (rows.next()) {
                gids.add(rows.getString(1));
            }
        }
        for (String gid : gids) {
            try {
                execute(connection, "ROLLBACK PREPARED '" + gid.replace("'", "''") + "'");
            } catch (SQLException e) {
                // Another instance's canary may be faster; what stays is found by the next one.
                LOG.info("left-over of an earlier canary not removed: {}", PostgresErrors.describe(e));
            }
        }
    }

    private static boolean isListed(Connection connection, String gid) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(PostgresDriver.IS_LISTED)) {
            statement.setString(1, gid);
            try (ResultSet rows = statement.executeQuery()) {
                return rows.next();
            }
        }
    }

    private static String statusOf(Connection connection, String transactionId) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("SELECT pg_catalog.pg_xact_status(CAST(? AS pg_catalog.xid8))")) {
            statement.setString(1, transactionId);
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? String.valueOf(row.getString(1)) : "unknown";
            }
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static byte[] randomBytes() {
        return ByteBuffer.allocate(Long.BYTES)
                .putLong(new SecureRandom().nextLong())
                .array();
    }
}
