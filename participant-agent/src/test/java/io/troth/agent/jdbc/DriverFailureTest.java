package io.troth.agent.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.database.Branches;
import io.troth.agent.database.PostgresExtension;
import io.troth.agent.database.TestPostgres;
import io.troth.agent.xa.PostgresDriver;
import io.troth.client.context.CallScope;
import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Vote;
import io.troth.core.participant.CoordinatorMessage.BranchVote;
import java.io.IOException;
import java.io.InputStream;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Types;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.jdbc.AutoSave;
import org.postgresql.jdbc.PreferQueryMode;

/**
 * Goal: a statement that has thrown is not committed with the rest, also when PostgreSQL has run it and the driver alone
 * failed, and what the driver refuses before anything runs harms nothing. Method: real agent and PostgreSQL; the test
 * swallows what is thrown, works on, and asks for the vote.
 */
@SuppressWarnings("try") // A binding is there to be closed.
class DriverFailureTest {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    private static final String ADD = "UPDATE account SET balance = balance + 10 WHERE id = 1";

    private TestPostgres server;
    private TestAgent agent;
    private GlobalTxId tx;
    private CallScope scope;

    @BeforeEach
    void open() throws Exception {
        server = POSTGRES.server();
        server.rollbackEverythingPrepared();
        server.execute(
                "DROP TABLE IF EXISTS account CASCADE",
                "CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL, picture bytea)",
                "INSERT INTO account VALUES (1, 100), (2, 100)",
                "CREATE OR REPLACE FUNCTION deposit(amount int) RETURNS int LANGUAGE sql AS"
                        + " 'UPDATE account SET balance = balance + amount WHERE id = 1 RETURNING balance'");
        start(server.dataSource());
    }

    private void start(PGSimpleDataSource source) throws Exception {
        agent = new TestAgent(new PostgresDriver(source, 10_000), PoolSettings.ofSize(4));
        tx = Branches.nextTx();
        scope = TestAgent.call(tx);
    }

    @AfterEach
    void close() throws Exception {
        agent.close();
        server.rollbackEverythingPrepared();
        assertTrue(agent.failures.isEmpty(), () -> agent.failures.toString());
    }

    private interface Work {
        void on(Connection connection) throws SQLException;
    }

    private BranchVote voteOn(Work work) throws SQLException {
        try (CallScope.Binding bound = scope.attach();
                Connection connection = agent.dataSource.getConnection()) {
            work.on(connection);
        }
        BranchId branch = TestAgent.branchOf(scope);
        var unused = scope.close();
        return agent.prepare(tx, branch, 1);
    }

    private static void works(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            assertEquals(1, statement.executeUpdate("UPDATE account SET balance = 7 WHERE id = 2"));
        }
    }

    private static InputStream torn() {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("torn");
            }

            @Override
            public int read(byte[] buffer, int offset, int length) throws IOException {
                throw new IOException("torn");
            }
        };
    }

    private static void picture(PreparedStatement statement, int id, InputStream picture) throws SQLException {
        statement.setBinaryStream(1, picture, 100);
        statement.setInt(2, id);
    }

    /** Statements that PostgreSQL runs, at least in part, and that throw. */
    enum Failing {
        UPDATE_WITH_ROWS("0100E", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(ADD + " RETURNING id")) {
                statement.executeUpdate();
            }
        }),
        QUERY_WITHOUT_ROWS("02000", connection -> {
            try (PreparedStatement statement = connection.prepareStatement(ADD)) {
                statement.executeQuery();
            }
        }),
        OUT_PARAMETER_OF_ANOTHER_TYPE("42821", connection -> {
            try (CallableStatement statement = connection.prepareCall("{? = call deposit(?)}")) {
                statement.registerOutParameter(1, Types.VARCHAR);
                statement.setInt(2, 10);
                statement.execute();
            }
        }),
        OUT_PARAMETER_TOO_MANY("42601", connection -> {
            try (CallableStatement statement = connection.prepareCall("{? = call deposit(?)}")) {
                statement.registerOutParameter(1, Types.INTEGER);
                statement.registerOutParameter(2, Types.INTEGER);
                statement.setInt(2, 10);
                statement.execute();
            }
        }),
        SECOND_OF_A_TEXT_NOT_SENT("22023", connection -> {
            try (PreparedStatement statement =
                    connection.prepareStatement(ADD + "; UPDATE account SET picture = ? WHERE id = ?")) {
                picture(statement, 1, torn());
                statement.execute();
            }
        }),
        COPY_BEHIND_ANOTHER("0A000", connection -> {
            try (Statement statement = connection.createStatement()) {
                statement.execute(ADD + "; COPY account TO STDOUT");
            }
        });

        private final String state;

        @SuppressWarnings("ImmutableEnumChecker")
        private final Work work;

        Failing(String state, Work work) {
            this.state = state;
            this.work = work;
        }

        void on(Connection connection) {
            SQLException failure = assertThrows(SQLException.class, () -> work.on(connection));
            assertEquals(state, failure.getSQLState(), failure::getMessage);
        }
    }

    private void isNotCommitted(BranchVote vote) throws SQLException {
        assertEquals(Vote.NO, vote.vote());
        assertEquals(ErrorCode.STATEMENT_FAILED, vote.reason().code());
        agent.awaitIdle();
        assertEquals("100", server.ask("SELECT balance FROM account WHERE id = 1"));
        assertEquals("0", server.ask("SELECT count(*) FROM pg_prepared_xacts"));
    }

    @ParameterizedTest
    @EnumSource
    void aStatementThatRanAndThrewIsNotCommitted(Failing failing) throws Exception {
        isNotCommitted(voteOn(connection -> {
            failing.on(connection);
            works(connection);
        }));
    }

    @ParameterizedTest
    @EnumSource
    void aSavepointOfTheConnectionUndoesIt(Failing failing) throws Exception {
        BranchVote vote = voteOn(connection -> {
            Savepoint savepoint = connection.setSavepoint();
            failing.on(connection);
            connection.rollback(savepoint);
            try (Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery("SELECT balance FROM account WHERE id = 1")) {
                assertTrue(row.next());
                assertEquals(100, row.getInt(1));
            }
            works(connection);
            // Whatever the database knows of can be undone in SQL text, as ever.
            try (Statement statement = connection.createStatement()) {
                statement.execute("SAVEPOINT here");
                assertThrows(SQLException.class, () -> statement.execute("SELECT 1 / 0"));
                statement.execute("ROLLBACK TO SAVEPOINT here");
            }
        });
        assertEquals(Vote.YES, vote.vote());
    }

    /** It may be older, and the database has no failed statement by which to tell. */
    @Test
    void aSavepointInSqlTextDoesNot() throws Exception {
        isNotCommitted(voteOn(connection -> {
            Failing.QUERY_WITHOUT_ROWS.on(connection);
            try (Statement statement = connection.createStatement()) {
                statement.execute("SAVEPOINT here");
                assertThrows(SQLException.class, () -> statement.execute("SELECT 1 / 0"));
                statement.execute("ROLLBACK TO SAVEPOINT here");
            }
        }));
    }

    /** The driver makes the texts itself there, entry after entry. */
    @Test
    void aBatchOfWhichTheDriverSentAPartIsNotCommitted() throws Exception {
        agent.close();
        PGSimpleDataSource source = server.dataSource();
        source.setPreferQueryMode(PreferQueryMode.SIMPLE);
        start(source);
        isNotCommitted(voteOn(connection -> {
            try (PreparedStatement statement = connection.prepareStatement(
                    "UPDATE account SET picture = ?, balance = balance + 10 WHERE id = ?")) {
                statement.setBytes(1, new byte[1]);
                statement.setInt(2, 1);
                statement.addBatch();
                picture(statement, 2, torn());
                statement.addBatch();
                SQLException failure = assertThrows(SQLException.class, statement::executeBatch);
                assertEquals("22023", failure.getSQLState(), failure::getMessage);
            }
            works(connection);
        }));
    }

    @Test
    void aRefusalOfTheDriverHarmsNothing() throws Exception {
        BranchVote vote = voteOn(connection -> {
            works(connection);
            try (PreparedStatement statement = connection.prepareStatement("SELECT id FROM account WHERE id = ?")) {
                assertThrows(SQLException.class, statement::executeQuery, "a value is missing");
                assertThrows(SQLException.class, () -> statement.executeQuery("SELECT 1"), "a text of its own");
                statement.setInt(1, 1);
                ResultSet rows = statement.executeQuery();
                assertThrows(SQLException.class, rows::previous, "goes forward only");
                assertThrows(SQLException.class, rows::deleteRow, "is not updatable");
                rows.close();
                assertThrows(SQLException.class, rows::next, "is closed");
            }
            Savepoint released = connection.setSavepoint();
            connection.releaseSavepoint(released);
            assertThrows(SQLException.class, () -> connection.rollback(released), "is released");
            try (CallableStatement statement = connection.prepareCall("SELECT 1")) {
                assertThrows(SQLException.class, () -> {
                    statement.registerOutParameter(1, Types.INTEGER);
                    statement.execute();
                });
            }
        });
        assertEquals(Vote.YES, vote.vote());
    }

    @Test
    void aFailureThatTheDriversOwnSavepointHasUndoneHarmsNothing() throws Exception {
        agent.close();
        PGSimpleDataSource source = server.dataSource();
        source.setAutosave(AutoSave.ALWAYS);
        start(source);
        BranchVote vote = voteOn(connection -> {
            works(connection);
            try (Statement statement = connection.createStatement();
                    PreparedStatement batch = connection.prepareStatement("INSERT INTO account VALUES (?, 1)")) {
                assertThrows(SQLException.class, () -> statement.execute("SELECT 1 / 0"));
                for (int id : new int[] {3, 1}) {
                    batch.setInt(1, id);
                    batch.addBatch();
                }
                assertThrows(SQLException.class, batch::executeBatch);
            }
        });
        assertEquals(Vote.YES, vote.vote());
    }
}
