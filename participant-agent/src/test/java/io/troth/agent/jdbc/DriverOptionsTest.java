package io.troth.agent.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.database.PostgresExtension;
import io.troth.core.participant.PrepareResult;
import io.troth.core.participant.StatementEnd;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.jdbc.AutoSave;

/**
 * Goal: what a user asks of pgjdbc in a URL makes no vote false (protocol 10.1). Method: the real pool and handles on a real
 * PostgreSQL, with such a source.
 */
@SuppressWarnings("try") // A binding is there to be closed.
class DriverOptionsTest extends BranchThroughProxy {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    @Override
    PostgresExtension postgres() {
        return POSTGRES;
    }

    /**
     * The driver sets no savepoint before it fetches rows. When that fails, it goes back to one that is older at the next
     * statement, and undoes what had succeeded since.
     */
    @Test
    void workThatTheDriversOwnSavepointsHaveUndoneIsNotPrepared() throws Exception {
        PGSimpleDataSource source = source();
        source.setAutosave(AutoSave.ALWAYS);
        reopen(source);
        work(connection -> {
            try (PreparedStatement fails =
                            connection.prepareStatement("SELECT 1 / (5 - n) FROM generate_series(1, 9) n");
                    Statement statement = connection.createStatement()) {
                fails.setFetchSize(2);
                ResultSet rows = fails.executeQuery();
                assertTrue(rows.next());
                String deposit = "UPDATE account SET balance = balance + 10 WHERE id = 1";
                assertEquals(1, statement.executeUpdate(deposit));
                assertThrows(SQLException.class, () -> {
                    while (rows.next()) {}
                });
                assertThrows(SQLException.class, () -> statement.executeUpdate(deposit));
                assertEquals(StatementEnd.Kind.CONNECTION_LOST, workspace.lastEnd());
            }
        });
        assertEquals(PrepareResult.Kind.REFUSED, prepare().kind());
        assertEquals("100", balance());
    }

    /** What a connection reads of its server at its login, it reads before anybody's operators. */
    @Test
    void anOperatorOfTheSearchPathDoesNotDeceiveTheAgent() throws Exception {
        server.execute(
                "CREATE SCHEMA rigged",
                "CREATE FUNCTION rigged.no(text, text) RETURNS bool LANGUAGE sql AS 'SELECT false'",
                "CREATE OPERATOR rigged.= (LEFTARG = text, RIGHTARG = text, FUNCTION = rigged.no)",
                "CREATE FUNCTION rigged.timeline(text, text) RETURNS text LANGUAGE sql AS $$ SELECT 'x00000000' $$",
                "CREATE OPERATOR rigged.|| (LEFTARG = text, RIGHTARG = text, FUNCTION = rigged.timeline)");
        try {
            PGSimpleDataSource source = source();
            source.setOptions("-c search_path=rigged,pg_catalog,public");
            reopen(source);
            work(connection -> {
                try (PreparedStatement statement = withdraw(connection, 10)) {
                    assertEquals(1, statement.executeUpdate());
                }
            });
            assertEquals(PrepareResult.Kind.PREPARED, prepare().kind());
        } finally {
            server.rollbackEverythingPrepared();
            server.execute("DROP SCHEMA rigged CASCADE");
        }
    }
}
