package io.troth.agent.xa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.troth.agent.database.PostgresExtension;
import io.troth.core.ErrorCode;
import io.troth.core.Proof;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.participant.OnePhaseCompletion;
import io.troth.core.participant.PrepareResult;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Goal: a vote of a PostgreSQL branch is true, whatever SQL ran inside it (protocol 7.1, 10.1, 10.3). Method: one branch
 * on one connection of a real server; the server's own list of prepared transactions and the table are the judges.
 */
class PostgresDriverTest extends OneBranchOnPostgres {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    /** A table whose rows are refused by the commit. */
    private static final String[] PAIR = {
        "DROP TABLE IF EXISTS pair", "CREATE TABLE pair (id int REFERENCES account DEFERRABLE INITIALLY DEFERRED)"
    };

    @Override
    PostgresExtension postgres() {
        return POSTGRES;
    }

    @Test
    void preparesWhatWasWrittenAndFreesTheConnection() throws Exception {
        BranchTransaction branch = begin();
        run("UPDATE account SET balance = balance - 10 WHERE id = 1");

        PrepareResult result = branch.prepare(true);

        assertEquals(PrepareResult.Kind.PREPARED, result.kind());
        assertNotNull(result.proof());
        assertEquals(List.of(PostgresGid.of(xid)), server.prepared());
        assertTrue(driver.isClean(connection));
        assertEquals("100", balance());
    }

    @Test
    void writesTheGidAsTheDriversOwnXaResourceReadsIt() throws Exception {
        begin();
        run(
                "UPDATE account SET balance = balance - 10 WHERE id = 1",
                "PREPARE TRANSACTION '" + PostgresGid.of(xid) + "'");
        org.postgresql.xa.PGXADataSource xa = new org.postgresql.xa.PGXADataSource();
        xa.setUrl(server.dataSource().getUrl());
        xa.setUser("postgres");
        javax.sql.XAConnection xaConnection = xa.getXAConnection();
        try {
            javax.transaction.xa.Xid[] found = xaConnection
                    .getXAResource()
                    .recover(javax.transaction.xa.XAResource.TMSTARTRSCAN | javax.transaction.xa.XAResource.TMENDRSCAN);
            assertEquals(1, found.length);
            assertEquals(
                    xid,
                    TrothXid.read(
                            found[0].getFormatId(), found[0].getGlobalTransactionId(), found[0].getBranchQualifier()));
        } finally {
            xaConnection.close();
        }
    }

    @Test
    void preparesAfterQueriesOnlyWhenTheyWroteAfterAll() throws Exception {
        server.execute("CREATE OR REPLACE FUNCTION take() RETURNS int LANGUAGE sql"
                + " AS 'UPDATE account SET balance = 7 WHERE id = 1 RETURNING 1'");
        BranchTransaction branch = begin();
        run("SELECT take()");

        assertEquals(PrepareResult.Kind.PREPARED, branch.prepare(false).kind());
        assertEquals(List.of(PostgresGid.of(xid)), server.prepared());
    }

    @Test
    void votesReadOnlyAndLeavesNothingWhenNothingWasWritten() throws Exception {
        BranchTransaction branch = begin();
        run("SELECT * FROM account");

        assertEquals(PrepareResult.Kind.READ_ONLY, branch.prepare(false).kind());
        assertEquals(List.of(), server.prepared());
        assertTrue(driver.isClean(connection));
    }

    @Test
    void votesReadOnlyWhenAStatementOnlyLookedLikeAWrite() throws Exception {
        BranchTransaction branch = begin();
        run("UPDATE account SET balance = 0 WHERE id = 999");

        assertEquals(PrepareResult.Kind.READ_ONLY, branch.prepare(true).kind());
        assertEquals(List.of(), server.prepared());
        assertTrue(driver.isClean(connection));
    }

    @Test
    void preparesABranchThatOnlyLockedRowsAndKeepsTheLocks() throws Exception {
        BranchTransaction branch = begin();
        run("SELECT * FROM account WHERE id = 1 FOR UPDATE");

        assertEquals(PrepareResult.Kind.PREPARED, branch.prepare(false).kind());
        SQLException refused = assertThrows(
                SQLException.class,
                () -> server.execute("SET lock_timeout = 50", "UPDATE account SET balance = 0 WHERE id = 1"));
        assertEquals("55P03", refused.getSQLState());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void votesNoForAFailedTransaction(boolean mayHaveWritten) throws Exception {
        BranchTransaction branch = begin();
        run("UPDATE account SET balance = 0 WHERE id = 1");
        SQLException failure = assertThrows(SQLException.class, () -> run("INSERT INTO account VALUES (1, 5)"));
        assertEquals(StatementVerdict.FAILED, branch.afterFailure(failure));

        assertEquals(ErrorCode.STATEMENT_FAILED, codeOf(branch.prepare(mayHaveWritten)));
        assertEquals(List.of(), server.prepared());
        assertEquals("100", balance());
        assertTrue(driver.isClean(connection));
    }

    @Test
    void theProbeAloneRefusesAFailedTransactionThatTheDriverDoesNotSee() throws Exception {
        // A transaction that fails inside the message of the prepare itself: the driver's state is still OPEN.
        begin();
        run("UPDATE account SET balance = 0 WHERE id = 1");
        SQLException failure = assertThrows(
                SQLException.class, () -> run("SELECT 1/0; PREPARE TRANSACTION '" + PostgresGid.of(xid) + "'"));
        assertEquals("22012", failure.getSQLState());
        assertEquals(List.of(), server.prepared());
    }

    @Test
    void prepareFollowsWhenASavepointUndidTheFailure() throws Exception {
        BranchTransaction branch = begin();
        run("UPDATE account SET balance = 42 WHERE id = 1");
        Savepoint savepoint = connection.setSavepoint();
        assertThrows(SQLException.class, () -> run("INSERT INTO account VALUES (1, 5)"));
        connection.rollback(savepoint);

        assertEquals(PrepareResult.Kind.PREPARED, branch.prepare(true).kind());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "COMMIT",
                "COMMIT; UPDATE account SET balance = 2 WHERE id = 2",
                "COMMIT AND CHAIN",
                "COMMIT; BEGIN",
                "ROLLBACK",
                "ROLLBACK AND CHAIN",
                "END",
                "ABORT AND CHAIN",
            })
    void votesNoAndAlarmsWhenSqlEndedTheTransaction(String stray) throws Exception {
        for (boolean mayHaveWritten : new boolean[] {true, false}) {
            BranchTransaction branch = begin();
            run("UPDATE account SET balance = 1 WHERE id = 1");
            for (String part : stray.split(";", -1)) {
                run(part);
            }

            PrepareResult result = branch.prepare(mayHaveWritten);

            assertEquals(ErrorCode.TRANSACTION_CONTROL_BYPASSED, codeOf(result), result.toString());
            assertEquals(List.of(), server.prepared());
            // The probe alone cannot tell a new transaction from another role, which would stay with the session.
            assertEquals(!stray.contains(";") && !stray.contains("CHAIN"), driver.isClean(connection));
            connection.close();
            connection = driver.physicalConnections().getConnection();
        }
    }

    @Test
    void aBranchCanOnlyBeRolledBackWhileNobodyHasReadWhenItBegan() throws Exception {
        for (boolean mayHaveWritten : new boolean[] {true, false}) {
            BranchPrologue prologue =
                    driver.prologue(connection, xid, new BranchStart(60_000, BranchStart.DEFAULT_ISOLATION));
            try (PreparedStatement statement =
                    connection.prepareStatement(prologue.sql() + "UPDATE account SET balance = 1 WHERE id = 1")) {
                prologue.bind(statement);
                statement.execute();
            }
            BranchTransaction branch = prologue.transaction();
            assertEquals(StatementVerdict.FAILED, branch.afterFailure(new SQLException("in the driver", "22023")));

            PrepareResult result = branch.prepare(mayHaveWritten);

            assertEquals(ErrorCode.TRANSACTION_CONTROL_BYPASSED, codeOf(result), result.toString());
            assertEquals(List.of(), server.prepared());
            assertEquals("100", balance());
            connection.close();
            connection = driver.physicalConnections().getConnection();
        }
    }

    @Test
    void namesATemporaryTableAsTheReasonOfARefusedPrepare() throws Exception {
        BranchTransaction branch = begin();
        run("CREATE TEMPORARY TABLE scratch (id int)", "UPDATE account SET balance = 1 WHERE id = 1");

        PrepareResult result = branch.prepare(true);

        assertEquals(ErrorCode.PREPARE_REFUSED, codeOf(result));
        assertTrue(result.reason().detail().contains("temporary"), result.toString());
        assertEquals("100", balance());
        assertTrue(driver.isClean(connection));
    }

    @Test
    void namesNotifyAsTheReasonOfARefusedPrepare() throws Exception {
        BranchTransaction branch = begin();
        run("NOTIFY somebody", "UPDATE account SET balance = 1 WHERE id = 1");

        PrepareResult result = branch.prepare(true);

        assertEquals(ErrorCode.PREPARE_REFUSED, codeOf(result));
        assertTrue(result.reason().detail().contains("NOTIFY"), result.toString());
    }

    /** PostgreSQL gives a transaction no id for what it writes at another server, and ends that by its own commit. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatWasWrittenToAForeignTableIsRefusedAtPrepareUnlessOnlyQueriesRan(boolean mayHaveWritten) throws Exception {
        farTable("account", "id int, balance int");
        BranchTransaction branch = begin();
        run("UPDATE far_account SET balance = 5 WHERE id = 1 RETURNING balance");

        PrepareResult result = branch.prepare(mayHaveWritten);

        if (mayHaveWritten) {
            assertEquals(ErrorCode.PREPARE_REFUSED, codeOf(result));
            assertTrue(result.reason().detail().contains("foreign tables"), result.toString());
            assertEquals("100", balance());
        } else {
            assertEquals(PrepareResult.Kind.READ_ONLY, result.kind());
            assertEquals("5", balance(), "durable at the vote, whatever becomes of the transaction");
        }
    }

    private void farTable(String table, String columns) throws SQLException {
        server.execute(
                "CREATE EXTENSION IF NOT EXISTS postgres_fdw",
                "DROP SERVER IF EXISTS far CASCADE",
                "CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'localhost', port '" + server.port()
                        + "', dbname 'postgres')",
                "CREATE USER MAPPING FOR postgres SERVER far OPTIONS (user 'postgres', password 'none')",
                "CREATE FOREIGN TABLE far_" + table + " (" + columns + ") SERVER far OPTIONS (table_name '" + table
                        + "')");
    }

    /** Without a transaction id only what is committed elsewhere can fail now, and that is what it was for. */
    @Test
    void votesNoWhenTheCommitOfABranchThatHasWrittenNothingHereFails() throws Exception {
        server.execute(PAIR);
        farTable("pair", "id int");
        BranchTransaction branch = begin();
        run("INSERT INTO far_pair VALUES (77) RETURNING id");

        PrepareResult result = branch.prepare(false);

        assertEquals(ErrorCode.COMMIT_REFUSED, codeOf(result));
        assertEquals("0", server.ask("SELECT count(*) FROM pair"));
        assertTrue(driver.isClean(connection));
    }

    @Test
    void votesNoWhenADeferredConstraintFailsAtPrepare() throws Exception {
        server.execute(PAIR);
        BranchTransaction branch = begin();
        run("INSERT INTO pair VALUES (77)");

        PrepareResult result = branch.prepare(true);

        assertEquals(ErrorCode.PREPARE_REFUSED, codeOf(result));
        assertTrue(result.reason().detail().startsWith("SQLState 23503"), result.toString());
        assertEquals("0", server.ask("SELECT count(*) FROM pair"));
        assertTrue(driver.isClean(connection));
    }

    @Test
    void leavesAPreparedBranchOfTheSameNameAloneWhenASecondPrepareIsRefused() throws Exception {
        BranchTransaction first = begin();
        run("UPDATE account SET balance = 1 WHERE id = 1");
        assertEquals(PrepareResult.Kind.PREPARED, first.prepare(true).kind());
        BranchTransaction second = begin();
        run("UPDATE account SET balance = 2 WHERE id = 2");

        assertEquals(ErrorCode.PREPARE_REFUSED, codeOf(second.prepare(true)));
        assertEquals(List.of(PostgresGid.of(xid)), server.prepared());
    }

    @Test
    void tellsDeadlockAndSerializationFailureByName() throws Exception {
        BranchTransaction branch = begin();
        assertEquals(
                ErrorCode.DEADLOCK,
                branch.reasonOf(new SQLException("deadlock detected", "40P01")).code());
        assertEquals(
                ErrorCode.SERIALIZATION_FAILURE,
                branch.reasonOf(new SQLException("could not serialize", "40001"))
                        .code());
        assertTrue(branch.rollback());
    }

    @Test
    void aSerializableBranchThatLosesIsRefusedAsSerializationFailure() throws Exception {
        BranchTransaction branch =
                driver.begin(connection, xid, new BranchStart(60_000, Connection.TRANSACTION_SERIALIZABLE));
        run("SELECT sum(balance) FROM account");
        try (Connection rival = server.dataSource().getConnection();
                Statement statement = rival.createStatement()) {
            statement.execute("BEGIN ISOLATION LEVEL SERIALIZABLE");
            statement.execute("SELECT sum(balance) FROM account");
            statement.execute("UPDATE account SET balance = 5 WHERE id = 2");
            statement.execute("COMMIT");
        }
        SQLException atStatement = null;
        try {
            run("UPDATE account SET balance = 5 WHERE id = 1");
        } catch (SQLException e) {
            atStatement = e;
        }
        ErrorCode code = atStatement != null ? branch.reasonOf(atStatement).code() : codeOf(branch.prepare(true));
        assertEquals(ErrorCode.SERIALIZATION_FAILURE, code);
        branch.rollback();
        assertEquals(List.of(), server.prepared());
    }

    @Test
    void setsTheBackstopTimeoutsInTheBranchOnly() throws Exception {
        String before = setting("idle_in_transaction_session_timeout") + setting("lock_timeout");
        BranchTransaction branch =
                driver.begin(connection, xid, new BranchStart(20_000, BranchStart.DEFAULT_ISOLATION));
        assertEquals("25s", setting("idle_in_transaction_session_timeout"));
        assertEquals(server.knows("transaction_timeout") ? "25s" : null, setting("transaction_timeout"));
        assertEquals("20s", setting("lock_timeout"));
        run("UPDATE account SET balance = 1 WHERE id = 1");
        branch.prepare(true);
        assertEquals(before, setting("idle_in_transaction_session_timeout") + setting("lock_timeout"));
        assertEquals(server.knows("transaction_timeout") ? "0" : null, setting("transaction_timeout"));
    }

    /** What an administrator has bounded by the minute, a branch does not unbind by the hour. */
    @ParameterizedTest
    @CsvSource({
        "lock_timeout, 2s, 2s",
        "lock_timeout, 1500ms, 1500ms",
        "lock_timeout, 2min, 20s",
        "lock_timeout, 0, 20s",
        "idle_in_transaction_session_timeout, 7s, 7s",
        "idle_in_transaction_session_timeout, 1d, 25s",
        "transaction_timeout, 24s, 24s",
        "transaction_timeout, 1h, 25s"
    })
    void whatTheRoleHasStricterStaysInTheBranch(String timeout, String set, String expected) throws Exception {
        assumeTrue(server.knows(timeout));
        server.execute("ALTER ROLE CURRENT_USER SET " + timeout + " = '" + set + "'");
        try {
            connection.close();
            connection = driver.physicalConnections().getConnection();
        } finally {
            server.execute("ALTER ROLE CURRENT_USER RESET " + timeout);
        }
        assertEquals(
                server.ask("SELECT '" + set + "'::interval"),
                server.ask("SELECT '" + setting(timeout) + "'::interval"));
        driver.begin(connection, xid, new BranchStart(20_000, BranchStart.DEFAULT_ISOLATION));
        assertEquals(expected, setting(timeout));
    }

    @Test
    void aWeakSynchronousCommitOfTheRoleIsOverriddenAndAStrongOneIsKept() throws Exception {
        run("SET synchronous_commit = off");
        BranchTransaction weak = begin();
        assertEquals("on", setting("synchronous_commit"));
        weak.rollback();
        run("SET synchronous_commit = remote_apply");
        BranchTransaction strong = begin();
        assertEquals("remote_apply", setting("synchronous_commit"));
        strong.rollback();
    }

    @ParameterizedTest
    @ValueSource(strings = {"off", "local", "remote_write"})
    void oneChangedInsideTheBranchIsSetRightBeforeAOnePhaseCommit(String weak) throws Exception {
        server.execute(
                "CREATE TABLE IF NOT EXISTS seen (value text)",
                "DELETE FROM seen",
                "CREATE OR REPLACE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS"
                        + " $$ BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$",
                "CREATE CONSTRAINT TRIGGER note AFTER UPDATE ON account DEFERRABLE INITIALLY DEFERRED"
                        + " FOR EACH ROW EXECUTE FUNCTION note()");
        BranchTransaction branch = begin();
        run("SET LOCAL synchronous_commit = " + weak, "UPDATE account SET balance = 1 WHERE id = 1");

        assertEquals(OnePhaseFate.COMMITTED, branch.commitOnePhase(proof -> {}).fate());
        assertEquals("on", server.ask("SELECT value FROM seen"));
    }

    @Test
    void commitsInOnePhaseAfterTheProofIsOut() throws Exception {
        BranchTransaction branch = begin();
        run("UPDATE account SET balance = 1 WHERE id = 1");
        AtomicReference<Proof> proof = new AtomicReference<>();

        OnePhaseCompletion completion = branch.commitOnePhase(told -> {
            proof.set(told);
            assertEquals("100", assertAsk());
        });

        assertEquals(OnePhaseFate.COMMITTED, completion.fate());
        assertEquals("1", balance());
        assertEquals(io.troth.core.coordinator.Fate.COMMITTED, driver.fate(connection, proof.get()));
        assertTrue(driver.isClean(connection));
    }

    private String assertAsk() {
        try {
            return balance();
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aOnePhaseCommitThatTheDatabaseRefusesIsRolledBackForSure() throws Exception {
        server.execute(PAIR);
        BranchTransaction branch = begin();
        run("INSERT INTO pair VALUES (77)");

        OnePhaseCompletion completion = branch.commitOnePhase(proof -> {});

        assertEquals(OnePhaseFate.ROLLED_BACK, completion.fate());
        assertEquals(ErrorCode.COMMIT_REFUSED, completion.reason().code());
        assertTrue(driver.isClean(connection));
    }

    @Test
    void aFailedTransactionIsNotCommittedInOnePhase() throws Exception {
        BranchTransaction branch = begin();
        run("UPDATE account SET balance = 1 WHERE id = 1");
        assertThrows(SQLException.class, () -> run("SELECT 1/0"));

        assertEquals(
                OnePhaseFate.ROLLED_BACK, branch.commitOnePhase(proof -> {}).fate());
        assertEquals("100", balance());
    }

    @Test
    void aReadOnlyBranchInOnePhaseHasNoProof() throws Exception {
        BranchTransaction branch = begin();
        run("SELECT 1");
        AtomicReference<Proof> proof = new AtomicReference<>();

        assertEquals(OnePhaseFate.READ_ONLY, branch.commitOnePhase(proof::set).fate());
        assertNull(proof.get());
    }

    @Test
    void aConnectionWithAnOpenTransactionIsNotClean() throws Exception {
        begin();
        assertFalse(driver.isClean(connection));
        run("COMMIT");
        assertFalse(driver.isClean(connection), "auto-commit is still off");
    }
}
