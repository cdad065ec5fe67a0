package io.troth.agent.xa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.TrothAgent;
import io.troth.agent.database.Branches;
import io.troth.agent.database.PostgresExtension;
import io.troth.agent.database.TestPostgres;
import io.troth.core.ErrorCode;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import io.troth.core.coordinator.Fate;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.participant.OnePhaseCompletion;
import io.troth.core.participant.PrepareResult;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.PGConnection;

/**
 * Goal: a pooler that hands sessions from client to client is refused, and makes nobody say what is false where it begins
 * to do so later (protocol 5.3, 7.1). Method: sessions of a real server, handed out as such a pooler does it; what PgBouncer
 * itself does is in docs/DATABASES.md.
 */
class PostgresPoolerTest {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    private TestPostgres server;

    @BeforeEach
    void tables() throws Exception {
        server = POSTGRES.server();
        server.rollbackEverythingPrepared();
        server.execute(
                "DROP TABLE IF EXISTS account CASCADE",
                "CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)",
                "INSERT INTO account VALUES (1, 100)");
    }

    private static void refusesToStart(SharingPooler pooler, String because) {
        TrothException refused = assertThrows(
                TrothException.class,
                () -> TrothAgent.builder()
                        .coordinator("localhost:1")
                        .resource("stock", pooler)
                        .start());
        assertEquals(ErrorCode.DATABASE_MISCONFIGURED, refused.code());
        String said = String.valueOf(refused.getMessage());
        assertTrue(said.contains(because) && said.contains("pool by session"), said);
    }

    /** With many sessions a new connection finds one that no agent has used. */
    @Test
    void aPoolerByTransactionIsRefused() throws Exception {
        try (SharingPooler pooler = new SharingPooler(server, 40)) {
            pooler.byTransaction = true;
            refusesToStart(pooler, "transactions of one connection are not in one session");
        }
    }

    /** As by a pooler by transaction with few sessions, and by one by session that does not reset them. */
    @Test
    void aNewConnectionInAUsedSessionIsRefused() throws Exception {
        try (SharingPooler pooler = new SharingPooler(server, 1)) {
            refusesToStart(pooler, "has used the session of this new connection before");
        }
    }

    /** Else a name means one text to the driver and another one, another client's, to the session. */
    @Test
    void theDriverPreparesNothingByItselfWhereThereIsAPooler() throws Exception {
        try (SharingPooler pooler = new SharingPooler(server, 1)) {
            assertEquals(0, thresholdOf(new PostgresDriver(pooler, 10_000)));
        }
        assertEquals(5, thresholdOf(new PostgresDriver(server.dataSource(), 10_000)));
    }

    private static int thresholdOf(PostgresDriver driver) throws SQLException {
        try (Connection connection = driver.physicalConnections().getConnection()) {
            return connection.unwrap(PGConnection.class).getPrepareThreshold();
        }
    }

    /** A proof says which life of which server the branch is in; that was read in the session of the login. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aBranchInAnotherSessionThanItsLoginsIsRolledBack(boolean onePhase) throws Exception {
        try (SharingPooler pooler = new SharingPooler(server, 2)) {
            PostgresDriver driver = new PostgresDriver(pooler, 10_000);
            Connection connection = loginsInBoth(driver);
            pooler.byTransaction = true;
            BranchTransaction branch = begin(driver, connection);
            try (Statement statement = connection.createStatement()) {
                statement.execute("UPDATE account SET balance = balance + 1 WHERE id = 1");
            }

            List<Proof> proofs = new ArrayList<>();
            Reason reason = onePhase ? rolledBack(branch.commitOnePhase(proofs::add)) : refused(branch.prepare(true));

            assertEquals(ErrorCode.PREPARE_REFUSED, reason.code());
            assertTrue(reason.detail().contains("pool by session"), reason::detail);
            assertEquals(List.of(), proofs);
            assertEquals("100", server.ask("SELECT balance FROM account"));
            assertEquals(List.of(), server.prepared());
        }
    }

    /** The life that it is compared with may be over. */
    @Test
    void aFateIsToldInTheSessionOfTheLoginOnly() throws Exception {
        Proof proof = committed();
        try (SharingPooler pooler = new SharingPooler(server, 2)) {
            PostgresDriver driver = new PostgresDriver(pooler, 10_000);
            Connection connection = loginsInBoth(driver);
            assertEquals(Fate.COMMITTED, driver.fate(connection, proof));
            pooler.byTransaction = true;

            SQLException refused = assertThrows(SQLException.class, () -> driver.fate(connection, proof));

            assertTrue(String.valueOf(refused.getMessage()).contains("pool by session"), refused::getMessage);
            assertTrue(driver.isConnectionLost(refused));
        }
    }

    private Proof committed() throws SQLException {
        PostgresDriver driver = new PostgresDriver(server.dataSource(), 10_000);
        List<Proof> proofs = new ArrayList<>();
        try (Connection connection = driver.physicalConnections().getConnection()) {
            BranchTransaction branch = begin(driver, connection);
            try (Statement statement = connection.createStatement()) {
                statement.execute("UPDATE account SET balance = balance + 1 WHERE id = 1");
            }
            assertEquals(
                    OnePhaseFate.COMMITTED, branch.commitOnePhase(proofs::add).fate());
        }
        return proofs.get(0);
    }

    /** Both sessions know a probe then. The connection's own is the second; the next transaction will be in the first. */
    private static Connection loginsInBoth(PostgresDriver driver) throws SQLException {
        driver.physicalConnections().getConnection().close();
        return driver.physicalConnections().getConnection();
    }

    private static BranchTransaction begin(PostgresDriver driver, Connection connection) throws SQLException {
        TrothXid xid = new TrothXid(Branches.CLUSTER, Branches.nextTx(), Branches.nextBranch());
        return driver.begin(connection, xid, new BranchStart(60_000, BranchStart.DEFAULT_ISOLATION));
    }

    private static Reason refused(PrepareResult result) {
        assertEquals(PrepareResult.Kind.REFUSED, result.kind(), () -> "was " + result);
        return result.reason();
    }

    private static Reason rolledBack(OnePhaseCompletion completion) {
        assertEquals(OnePhaseFate.ROLLED_BACK, completion.fate(), () -> "was " + completion);
        return completion.reason();
    }
}
