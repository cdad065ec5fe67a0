package io.troth.agent.jdbc;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.database.PostgresExtension;
import io.troth.core.participant.PrepareResult;
import io.troth.core.participant.StatementEnd;
import java.io.StringReader;
import java.math.BigDecimal;
import java.sql.Date;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Time;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Goal: a prepared statement that waits for its first execution does what JDBC and PostgreSQL's driver say, as one does
 * that was prepared at once. Method: the first execution of each statement begins the branch, the second is the driver's
 * own; both must be alike, and the round trips tell which way was taken.
 */
class FirstStatementJdbcTest extends BranchThroughProxy {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    @Override
    PostgresExtension postgres() {
        return POSTGRES;
    }

    private void preparesWell() {
        assertEquals(PrepareResult.Kind.PREPARED, prepare().kind());
    }

    /** Makes ready for the next. */
    private void endBranch() {
        assertTrue(rollback());
        nextBranch();
        proxy.takeRoundTripsInTransactions();
    }

    // Values.

    private interface Setters {
        void on(PreparedStatement statement) throws SQLException;
    }

    /** Texts and types of the parameters, as the server got them. */
    private static List<String> seen(PreparedStatement statement) throws SQLException {
        List<String> seen = new ArrayList<>();
        try (ResultSet row = statement.executeQuery()) {
            assertTrue(row.next());
            for (int i = 1; i <= row.getMetaData().getColumnCount(); i++) {
                seen.add(row.getMetaData().getColumnTypeName(i) + " " + row.getString(i));
            }
        }
        return seen;
    }

    private void isSentAlike(String sql, int firstRoundTrips, Setters setters) throws Exception {
        work(connection -> {
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                setters.on(statement);
                List<String> first = seen(statement);
                roundTrips(firstRoundTrips);
                assertEquals(seen(statement), first);
                roundTrips(1);
            }
        });
        endBranch();
    }

    @Test
    void everyKindOfValueArrivesAsItWouldOtherwise() throws Exception {
        isSentAlike(
                "SELECT ? AS a, ? AS b, ? AS c, ? AS d, ? AS e, ? AS f, ? AS g, ? AS h, ? AS i, ? AS j, ?::date AS k,"
                        + " ?::time AS l, ?::timestamp AS m, ?::int AS n",
                1,
                statement -> {
                    statement.setBoolean(1, true);
                    statement.setByte(2, (byte) 2);
                    statement.setShort(3, (short) 3);
                    statement.setInt(4, 4);
                    statement.setLong(5, 5L);
                    statement.setFloat(6, 6.5f);
                    statement.setDouble(7, 7.25);
                    statement.setBigDecimal(8, new BigDecimal("8.125"));
                    statement.setString(9, "nine ? ; '$1'");
                    statement.setBytes(10, new byte[] {0, 1, -1});
                    statement.setDate(11, Date.valueOf("2024-02-29"));
                    statement.setTime(12, Time.valueOf("12:34:56"));
                    statement.setTimestamp(13, Timestamp.valueOf("2024-02-29 12:34:56.789"));
                    statement.setNull(14, Types.INTEGER);
                });
    }

    @Test
    void everyKindOfObjectArrivesAsItWouldOtherwise() throws Exception {
        isSentAlike(
                "SELECT ? AS a, ? AS b, ? AS c, ? AS d, ? AS e, ?::time AS f, ? AS g, ? AS h, ? AS i, ? AS j, ? AS k",
                1,
                statement -> {
                    statement.setObject(1, 1);
                    statement.setObject(2, "two");
                    statement.setObject(3, new BigDecimal("3.14159"), Types.NUMERIC, 2);
                    statement.setObject(4, UUID.fromString("00112233-4455-6677-8899-aabbccddeeff"));
                    statement.setObject(5, LocalDate.of(2024, 2, 29));
                    statement.setObject(6, LocalTime.of(1, 2, 3));
                    statement.setObject(7, LocalDateTime.of(2024, 2, 29, 1, 2, 3));
                    statement.setObject(8, OffsetDateTime.parse("2024-02-29T01:02:03Z"));
                    statement.setObject(9, 9, Types.BIGINT);
                    statement.setObject(10, null, Types.VARCHAR);
                    statement.setObject(11, new byte[] {1, 2}, Types.BINARY);
                });
    }

    @Test
    void valuesAreThoseOfTheMomentWhenTheyWereSet() throws Exception {
        byte[] bytes = {1, 2, 3};
        Timestamp timestamp = Timestamp.valueOf("2024-02-29 12:34:56");
        work(connection -> {
            try (PreparedStatement statement = connection.prepareStatement("SELECT ?, ?::timestamp")) {
                statement.setBytes(1, bytes);
                statement.setTimestamp(2, timestamp);
                bytes[0] = 9;
                timestamp.setTime(0);
                try (ResultSet row = statement.executeQuery()) {
                    roundTrips(1);
                    assertTrue(row.next());
                    assertArrayEquals(new byte[] {1, 2, 3}, row.getBytes(1));
                    assertEquals(Timestamp.valueOf("2024-02-29 12:34:56"), row.getTimestamp(2));
                }
            }
        });
    }

    @Test
    void aValueThatIsSetAgainCounts() throws Exception {
        work(connection -> {
            try (PreparedStatement statement = withdraw(connection, 1)) {
                statement.setInt(1, 30);
                assertEquals(1, statement.executeUpdate());
                roundTrips(1);
            }
        });
        preparesWell();
        commitPrepared();
        assertEquals("70", balance());
    }

    private void commitPrepared() throws SQLException {
        server.execute("COMMIT PREPARED '" + server.prepared().get(0) + "'");
    }

    /** Question marks that are no parameters, and values that the driver may have to ask about. */
    @Test
    void whatCannotWaitGoesTheOrdinaryWay() throws Exception {
        isSentAlike("SELECT '?' || ? AS a -- why?", 2, statement -> statement.setString(1, "!"));
        isSentAlike("SELECT '{\"a\": 1}'::jsonb ?? ? AS a", 2, statement -> statement.setString(1, "a"));
        isSentAlike("SELECT ?::text AS a", 2, statement -> statement.setObject(1, 'x'));
        work(connection -> {
            try (PreparedStatement statement = connection.prepareStatement("SELECT ?::text, ?::int")) {
                statement.setInt(2, 7);
                statement.setCharacterStream(1, new StringReader("stream"), 6);
                roundTrips(1);
                try (ResultSet row = statement.executeQuery()) {
                    assertTrue(row.next());
                    assertEquals("stream", row.getString(1));
                    assertEquals(7, row.getInt(2), "set before");
                }
                roundTrips(1);
            }
        });
    }

    // Results.

    @Test
    void executeGivesTheApplicationsResultsOnly() throws Exception {
        work(connection -> {
            try (PreparedStatement statement = connection.prepareStatement("SELECT id FROM account ORDER BY id")) {
                assertTrue(statement.execute());
                roundTrips(1);
                ResultSet rows = statement.getResultSet();
                assertSame(statement, rows.getStatement());
                assertSame(connection, statement.getConnection());
                assertEquals(-1, statement.getUpdateCount());
                assertTrue(rows.next());
                assertEquals(1, rows.getInt("id"));
                assertEquals(1, rows.getMetaData().getColumnCount());
                assertFalse(statement.getMoreResults());
                assertEquals(-1, statement.getUpdateCount());
                assertTrue(rows.isClosed());
                assertNull(statement.getWarnings());
            }
        });
        endBranch();
        work(connection -> {
            try (PreparedStatement statement = withdraw(connection, 1)) {
                assertFalse(statement.execute());
                assertEquals(1, statement.getUpdateCount());
                assertEquals(1L, statement.getLargeUpdateCount());
                assertNull(statement.getResultSet());
                assertFalse(statement.getMoreResults());
                assertEquals(-1, statement.getUpdateCount());
                roundTrips(1);
            }
        });
        preparesWell();
    }

    @Test
    void closingAndExecutingAgainEndTheResultsOfTheFirstTime() throws Exception {
        work(connection -> {
            PreparedStatement statement = connection.prepareStatement("SELECT id FROM account");
            ResultSet first = statement.executeQuery();
            assertFalse(first.isClosed());
            statement.setQueryTimeout(9);
            ResultSet second = statement.executeQuery();
            assertTrue(first.isClosed());
            assertFalse(second.isClosed());
            assertSame(statement, second.getStatement());
            assertEquals(9, statement.getQueryTimeout());
            statement.close();
            assertTrue(second.isClosed());
            assertTrue(statement.isClosed());

            try (PreparedStatement other = connection.prepareStatement("SELECT id FROM account")) {
                assertNotNull(other.executeQuery());
            }
        });
        endBranch();
        work(connection -> {
            PreparedStatement statement = connection.prepareStatement("SELECT id FROM account");
            ResultSet rows = statement.executeQuery();
            statement.close();
            assertTrue(rows.isClosed());
            assertTrue(statement.isClosed());
            assertThrows(SQLException.class, statement::executeQuery);
        });
        endBranch();
        work(connection -> {
            PreparedStatement statement = connection.prepareStatement("SELECT id FROM account");
            ResultSet rows = statement.executeQuery();
            statement.closeOnCompletion();
            assertTrue(statement.isCloseOnCompletion());
            rows.close();
            assertTrue(statement.isClosed());
        });
    }

    /** Calls twice, the first time with the begin of a branch, and compares. */
    private void failsAlike(StatementEnd.Kind end, String sql, Function<PreparedStatement, Executable> call)
            throws Exception {
        work(connection -> {
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                SQLException first = assertThrows(SQLException.class, call.apply(statement));
                assertEquals(end, workspace.lastEnd());
                roundTrips(1);
                rollback();
                nextBranch();
                work(other -> {
                    try (Statement begins = other.createStatement();
                            PreparedStatement ordinary = other.prepareStatement(sql)) {
                        begins.execute("SELECT 1");
                        SQLException second = assertThrows(SQLException.class, call.apply(ordinary));
                        assertEquals(second.getSQLState(), first.getSQLState());
                        assertEquals(second.getMessage(), first.getMessage());
                        assertEquals(end, workspace.lastEnd());
                    }
                });
            }
        });
        endBranch();
    }

    @Test
    void whatIsNoQueryOrNoUpdateFailsAlike() throws Exception {
        failsAlike(
                StatementEnd.Kind.FAILED,
                "UPDATE account SET balance = 1 WHERE id = 1",
                statement -> statement::executeQuery);
        failsAlike(StatementEnd.Kind.FAILED, "SELECT 1", statement -> statement::executeUpdate);
        failsAlike(StatementEnd.Kind.FAILED, "SELECT 1", statement -> statement::executeLargeUpdate);
        failsAlike(StatementEnd.Kind.FAILED, "SELECT 1 / 0", statement -> statement::execute);
        // With its position in the application's own text.
        failsAlike(StatementEnd.Kind.FAILED, "SELECT nothing FROM account", statement -> statement::execute);
    }

    // What is the application's fault before anything is sent leaves the branch as it is.

    private void isRefusedUnharmed(String message, Work wrong) throws Exception {
        work(connection -> {
            SQLException failure = assertThrows(SQLException.class, () -> wrong.on(connection));
            assertTrue(String.valueOf(failure.getMessage()).contains(message), failure::getMessage);
            assertFalse(String.valueOf(failure.getMessage()).contains("set_config"), failure::getMessage);
            assertEquals(StatementEnd.Kind.COMPLETED, workspace.lastEnd());
            try (PreparedStatement right = withdraw(connection, 10)) {
                assertEquals(1, right.executeUpdate());
            }
        });
        preparesWell();
        server.rollbackEverythingPrepared();
        nextBranch();
    }

    @Test
    void aMissingOrWrongParameterIsToldByTheDriverAndLeavesTheBranchWhole() throws Exception {
        isRefusedUnharmed("No value specified for parameter 2", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(WITHDRAW)) {
                statement.setInt(1, 1);
                statement.executeUpdate();
            }
        });
        isRefusedUnharmed("No value specified for parameter 1", connection -> {
            try (PreparedStatement statement = withdraw(connection, 1)) {
                statement.clearParameters();
                statement.executeUpdate();
            }
        });
        isRefusedUnharmed("out of range: 3, number of columns: 2", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(WITHDRAW)) {
                statement.setInt(3, 1);
            }
        });
        isRefusedUnharmed("out of range: 2, number of columns: 1", connection -> {
            try (PreparedStatement statement = connection.prepareStatement("SELECT ?, '?'")) {
                statement.setInt(1, 1);
                statement.setInt(2, 1);
                statement.executeQuery();
            }
        });
        isRefusedUnharmed("convert", connection -> {
            try (PreparedStatement statement = withdraw(connection, 1)) {
                statement.setObject(1, "many", Types.INTEGER);
                statement.executeUpdate();
            }
        });
        isRefusedUnharmed("Unterminated string literal", connection -> {
            try (PreparedStatement statement = connection.prepareStatement("SELECT 'x")) {
                statement.executeQuery();
            }
        });
    }

    // The ordinary way.

    @Test
    void severalStatementsOfOneTextKeepAllTheirResults() throws Exception {
        work(connection -> {
            try (PreparedStatement statement =
                    connection.prepareStatement("SELECT 1; UPDATE account SET balance = ? WHERE id = 1; SELECT 2")) {
                statement.setInt(1, 5);
                assertTrue(statement.execute());
                assertFalse(statement.getMoreResults());
                assertEquals(1, statement.getUpdateCount());
                assertTrue(statement.getMoreResults());
                try (ResultSet row = statement.getResultSet()) {
                    assertTrue(row.next());
                    assertEquals(2, row.getInt(1));
                }
                roundTrips(2);
            }
        });
        preparesWell();
    }

    @Test
    void aBatchWorks() throws Exception {
        work(connection -> {
            try (PreparedStatement statement = withdraw(connection, 1)) {
                statement.addBatch();
                statement.setInt(2, 2);
                statement.addBatch();
                assertArrayEquals(new int[] {1, 1}, statement.executeBatch());
                roundTrips(2);
            }
        });
        preparesWell();
        commitPrepared();
        assertEquals("198", server.ask("SELECT sum(balance) FROM account"));
    }

    @Test
    void generatedKeysAreGiven() throws Exception {
        work(connection -> {
            try (PreparedStatement statement = connection.prepareStatement(
                    "INSERT INTO account (balance) VALUES (?)", Statement.RETURN_GENERATED_KEYS)) {
                statement.setInt(1, 7);
                assertEquals(1, statement.executeUpdate());
                try (ResultSet keys = statement.getGeneratedKeys()) {
                    assertTrue(keys.next());
                    assertEquals(3, keys.getInt("id"));
                }
                roundTrips(2);
            }
            try (PreparedStatement none = connection.prepareStatement("SELECT 1")) {
                none.execute();
                assertFalse(none.getGeneratedKeys().next());
            }
        });
        preparesWell();
    }

    @Test
    void metadataIsThatOfTheApplicationsStatement() throws Exception {
        work(connection -> {
            try (PreparedStatement statement = connection.prepareStatement(BALANCE)) {
                assertEquals(1, statement.getParameterMetaData().getParameterCount());
                assertEquals("balance", statement.getMetaData().getColumnName(1));
                assertEquals(100, balanceBy(statement));
            }
        });
        endBranch();
        work(connection -> {
            try (PreparedStatement statement = connection.prepareStatement(BALANCE)) {
                assertEquals(100, balanceBy(statement));
                roundTrips(1);
                assertEquals(1, statement.getParameterMetaData().getParameterCount());
                assertEquals("balance", statement.getMetaData().getColumnName(1));
                assertEquals(100, balanceBy(statement));
            }
        });
    }

    /** The rows come in pieces, as the statement has asked, and other statements run in between. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 10})
    void aFetchSizeIsKept(int fetchSize) throws Exception {
        int rowCount = 3 * fetchSize;
        for (int i = 0; i < 8; i++) {
            work(connection -> {
                try (PreparedStatement statement = connection.prepareStatement("SELECT generate_series(1, ?)");
                        PreparedStatement other = connection.prepareStatement(BALANCE)) {
                    statement.setFetchSize(fetchSize);
                    statement.setInt(1, rowCount);
                    try (ResultSet rows = statement.executeQuery()) {
                        roundTrips(fetchSize == 1 ? 2 : 1);
                        int count = 0;
                        while (rows.next()) {
                            count++;
                            assertEquals(count, rows.getInt(1));
                            assertEquals(100, balanceBy(other));
                        }
                        assertEquals(rowCount, count);
                        roundTrips(rowCount + 3);
                    }
                    assertEquals(fetchSize, statement.getFetchSize());
                    assertEquals(List.of("int4 1"), seen(statement));
                }
            });
            endBranch();
        }
    }
}
