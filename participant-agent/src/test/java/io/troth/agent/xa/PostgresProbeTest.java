package io.troth.agent.xa;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.troth.agent.database.PostgresExtension;
import io.troth.agent.database.TestPostgres;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.participant.PrepareResult;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.PGConnection;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * Goal: nobody inside a branch gets around the probe, and where it is gone the vote is NO (protocol 10.1). Method: SQL that
 * tries, on a real server.
 */
class PostgresProbeTest extends OneBranchOnPostgres {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    @Override
    PostgresExtension postgres() {
        return POSTGRES;
    }

    private String marker() throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT current_setting('troth.branch')")) {
            row.next();
            return row.getString(1);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void votesNoForANewTransactionWithAForgedMarker(boolean onePhase) throws Exception {
        BranchTransaction branch = begin();
        run("UPDATE account SET balance = 1 WHERE id = 1");
        String marker = marker();
        run(
                "COMMIT",
                "BEGIN",
                "SET LOCAL troth.branch = '" + marker + "'",
                "UPDATE account SET balance = 2 WHERE id = 2");

        ErrorCode code = onePhase ? branch.commitOnePhase(proof -> {}).reason().code() : codeOf(branch.prepare(true));

        assertEquals(ErrorCode.TRANSACTION_CONTROL_BYPASSED, code);
        assertEquals("100", server.ask("SELECT balance FROM account WHERE id = 2"));
        assertEquals(List.of(), server.prepared());
    }

    @ParameterizedTest
    @ValueSource(strings = {"another", ""})
    void votesNoWhenTheMarkerIsNotThatOfTheBranch(String marker) throws Exception {
        BranchTransaction branch = begin();
        run("UPDATE account SET balance = 1 WHERE id = 1", "SET LOCAL troth.branch = '" + marker + "'");

        assertEquals(ErrorCode.TRANSACTION_CONTROL_BYPASSED, codeOf(branch.prepare(true)));
        assertEquals("100", balance());
        assertEquals(List.of(), server.prepared());
    }

    @Test
    void noMarkerIsLeftBehindInTheSession() throws Exception {
        BranchTransaction branch = begin();
        run("UPDATE account SET balance = 1 WHERE id = 1");
        assertEquals(PrepareResult.Kind.PREPARED, branch.prepare(true).kind());
        assertEquals("", marker());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void votesNoWhenTheUserIsAnotherOne(boolean mayHaveWritten) throws Exception {
        server.execute("DO $$ BEGIN CREATE ROLE clerk; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
        BranchTransaction branch = begin();
        run("UPDATE account SET balance = 1 WHERE id = 1", "SET ROLE clerk");

        assertEquals(ErrorCode.TRANSACTION_CONTROL_BYPASSED, codeOf(branch.prepare(mayHaveWritten)));
        assertEquals("100", balance());
        assertEquals(List.of(), server.prepared());
        assertEquals("postgres", TestPostgres.ask(server.dataSource(), "SELECT current_user"));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void votesNoWhenTheProbeIsGoneAndClosesTheSessionThatLacksIt(boolean onePhase) throws Exception {
        BranchTransaction branch = begin();
        run("UPDATE account SET balance = 1 WHERE id = 1", "DEALLOCATE ALL");

        Reason reason = onePhase
                ? branch.commitOnePhase(proof -> {}).reason()
                : branch.prepare(true).reason();

        assertEquals(ErrorCode.PREPARE_REFUSED, reason.code());
        assertTrue(reason.detail().contains("DEALLOCATE ALL"), reason.detail());
        assertTrue(connection.isClosed());
        assertEquals("100", balance());
        assertEquals(List.of(), server.prepared());
    }

    @Test
    void aShadowedFunctionDoesNotDeceiveTheProbe() throws Exception {
        server.execute(
                "CREATE SCHEMA IF NOT EXISTS evil",
                "CREATE OR REPLACE FUNCTION evil.current_setting(text, boolean) RETURNS text LANGUAGE sql"
                        + " AS $$ SELECT '" + xid.branch() + "' $$");
        BranchTransaction branch = begin();
        run("SET LOCAL search_path = evil, pg_catalog, public", "UPDATE account SET balance = 1 WHERE id = 1");
        run("COMMIT AND CHAIN", "SET LOCAL search_path = evil, pg_catalog, public");

        assertEquals(ErrorCode.TRANSACTION_CONTROL_BYPASSED, codeOf(branch.prepare(true)));
    }

    /** Who hears that the transaction's time is over would raise its timeout, in vain. */
    @ParameterizedTest
    @ValueSource(strings = {"idle_in_transaction_session_timeout", "transaction_timeout"})
    void aTimeoutThatAnAdministratorHasSetIsNotTheTransactionsOwn(String timeout) throws Exception {
        assumeTrue(server.knows(timeout));
        connection.close();
        PGSimpleDataSource source = server.dataSource();
        source.setOptions("-c " + timeout + "=20ms");
        driver = new PostgresDriver(source, 10_000);
        connection = driver.physicalConnections().getConnection();
        int backend = connection.unwrap(PGConnection.class).getBackendPID();
        BranchTransaction branch = begin();
        await().until(() -> server.ask("SELECT count(*) FROM pg_stat_activity WHERE pid = " + backend)
                .equals("0"));

        Reason reason = branch.reasonOf(
                assertThrows(SQLException.class, () -> run("UPDATE account SET balance = 1 WHERE id = 1")));

        assertEquals(ErrorCode.CONNECTION_LOST, reason.code());
        assertTrue(reason.detail().startsWith("SQLState 25P0"), reason::detail);
    }
}
