package io.troth.agent.xa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.troth.agent.AbstractDataSource;
import io.troth.agent.database.Branches;
import io.troth.agent.database.PostgresExtension;
import io.troth.agent.database.TestPostgres;
import io.troth.core.ErrorCode;
import io.troth.core.Proof;
import io.troth.core.coordinator.Fate;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PrepareResult;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.postgresql.core.BaseConnection;
import org.postgresql.ds.PGSimpleDataSource;
import org.slf4j.LoggerFactory;

/**
 * Goal: phase 2 says done only when it is, whoever else has a hand in the database (protocol 8.2, 9.3, 10.2). Method:
 * branches prepared on one connection and finished on another, with a person's COMMIT PREPARED or ROLLBACK PREPARED, a
 * wrong role, a wrong database or a stranger's xid in between.
 */
class PostgresPhaseTwoTest {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    private TestPostgres server;
    private PostgresDriver driver;
    private Connection other;
    private TrothXid xid;
    private Proof proof;

    @BeforeEach
    void prepareOne() throws Exception {
        server = POSTGRES.server();
        server.rollbackEverythingPrepared();
        server.execute(
                "DROP TABLE IF EXISTS account CASCADE",
                "CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)",
                "INSERT INTO account VALUES (1, 100)");
        driver = new PostgresDriver(server.dataSource(), 10_000);
        other = driver.physicalConnections().getConnection();
        xid = new TrothXid(Branches.CLUSTER, Branches.nextTx(), Branches.nextBranch());
        proof = prepare(xid).proof();
    }

    @AfterEach
    void close() throws Exception {
        other.close();
        server.rollbackEverythingPrepared();
    }

    private PrepareResult prepare(TrothXid branchXid) throws SQLException {
        try (Connection connection = driver.physicalConnections().getConnection()) {
            BranchTransaction branch =
                    driver.begin(connection, branchXid, new BranchStart(60_000, BranchStart.DEFAULT_ISOLATION));
            try (Statement statement = connection.createStatement()) {
                statement.execute("UPDATE account SET balance = balance + 1 WHERE id = 1");
            }
            return branch.prepare(true);
        }
    }

    private PhaseTwoCompletion.Kind commit(boolean withProof, boolean firstAttempt) {
        return driver.commitPrepared(other, xid, withProof ? proof : null, firstAttempt)
                .kind();
    }

    private void byHand(String verb) throws SQLException {
        server.execute(verb + " PREPARED '" + PostgresGid.of(xid) + "'");
    }

    @Test
    void commitsFromAnotherConnectionAfterTheFirstIsClosed() throws Exception {
        assertEquals(PhaseTwoCompletion.Kind.DONE, commit(true, true));
        assertEquals("101", server.ask("SELECT balance FROM account"));
        assertEquals(List.of(), server.prepared());
    }

    @Test
    void rollsBackFromAnotherConnectionAndIsDoneWhenItIsGone() throws Exception {
        assertEquals(
                PhaseTwoCompletion.Kind.DONE,
                driver.rollbackPrepared(other, xid, proof).kind());
        assertEquals("100", server.ask("SELECT balance FROM account"));
        assertEquals(
                PhaseTwoCompletion.Kind.DONE,
                driver.rollbackPrepared(other, xid, proof).kind());
    }

    @Test
    void aBranchCommittedByHandIsDoneBecauseItsProofSaysSo() throws Exception {
        byHand("COMMIT");
        assertEquals(PhaseTwoCompletion.Kind.DONE, commit(true, true));
        assertEquals(PhaseTwoCompletion.Kind.DONE, commit(true, false));
    }

    @Test
    void aBranchRolledBackByHandIsAHeuristicBecauseItsProofSaysSo() throws Exception {
        byHand("ROLLBACK");
        assertEquals(PhaseTwoCompletion.Kind.HEURISTIC, commit(true, true));
        assertEquals(PhaseTwoCompletion.Kind.HEURISTIC, commit(true, false));
    }

    @Test
    void aBranchCommittedByHandAgainstItsRollbackIsAHeuristic() throws Exception {
        byHand("COMMIT");
        PhaseTwoCompletion completion = driver.rollbackPrepared(other, xid, proof);
        assertEquals(PhaseTwoCompletion.Kind.HEURISTIC, completion.kind());
        assertTrue(completion.detail().contains("was committed at the database"), completion.detail());
        assertEquals(
                PhaseTwoCompletion.Kind.DONE,
                driver.rollbackPrepared(other, xid, null).kind());
    }

    /** The vote is not always at hand: the agent has started anew, and found the branch. */
    @Test
    void whatWasListedAndThenCommittedByHandAgainstItsRollbackIsAHeuristic() throws Exception {
        assertEquals(List.of(xid), driver.listPrepared(other));
        byHand("COMMIT");
        PhaseTwoCompletion completion = driver.rollbackPrepared(other, xid, null);
        assertEquals(PhaseTwoCompletion.Kind.HEURISTIC, completion.kind());
    }

    /** Another instance may have heard of the rollback first. */
    @Test
    void whatWasListedAndThenRolledBackIsDone() throws Exception {
        assertEquals(List.of(xid), driver.listPrepared(other));
        byHand("ROLLBACK");
        assertEquals(
                PhaseTwoCompletion.Kind.DONE,
                driver.rollbackPrepared(other, xid, null).kind());
    }

    @Test
    void withoutAProofAVanishedBranchIsReportedAtTheFirstAttemptOnly() throws Exception {
        byHand("ROLLBACK");
        assertEquals(PhaseTwoCompletion.Kind.RESOLVED_ELSEWHERE, commit(false, true));
        assertEquals(PhaseTwoCompletion.Kind.DONE, commit(false, false));
    }

    /** "Does not exist" is also said of a branch that another session holds (protocol 9.3): here while it is listed. */
    @Test
    void whatIsListedIsNotGoneWhateverTheServerSaidBefore() {
        Connection denying = (Connection) Proxy.newProxyInstance(
                Connection.class.getClassLoader(), new Class<?>[] {Connection.class}, (self, method, arguments) -> {
                    if (method.getName().equals("createStatement")) {
                        throw new SQLException("prepared transaction does not exist", PostgresErrors.UNDEFINED_OBJECT);
                    }
                    return method.invoke(other, arguments);
                });
        for (boolean first : new boolean[] {true, false}) {
            assertEquals(
                    PhaseTwoCompletion.Kind.NOT_YET,
                    driver.commitPrepared(denying, xid, null, first).kind());
        }
        assertEquals(
                PhaseTwoCompletion.Kind.NOT_YET,
                driver.rollbackPrepared(denying, xid, null).kind());
    }

    /** It is prepared there, perhaps: what is not to be found here says nothing. */
    @Test
    void aBranchOfAnotherDatabaseIsNeverGone() throws Exception {
        byHand("COMMIT");
        PostgresProof own = PostgresProof.decode(proof);
        List<PostgresProof> others = List.of(
                new PostgresProof(
                        own.transactionId(), own.systemIdentifier() + 1, own.timeline(), own.databaseOid(), own.life()),
                new PostgresProof(
                        own.transactionId(),
                        own.systemIdentifier(),
                        own.timeline(),
                        own.databaseOid() + 1,
                        own.life()));
        for (PostgresProof strange : others) {
            PhaseTwoCompletion completion = driver.commitPrepared(other, xid, strange.encode(), true);
            assertEquals(PhaseTwoCompletion.Kind.NOT_YET, completion.kind());
            assertEquals(ErrorCode.DATABASE_MISCONFIGURED, completion.reason().code());
        }
    }

    @Test
    void aProofOfAnotherHistoryOrFutureIsNeverCountedAsDone() throws Exception {
        byHand("COMMIT");
        PostgresProof own = PostgresProof.decode(proof);
        List<PostgresProof> others = List.of(
                new PostgresProof(
                        own.transactionId(), own.systemIdentifier(), own.timeline() + 1, own.databaseOid(), own.life()),
                new PostgresProof(
                        own.transactionId() + 1_000_000,
                        own.systemIdentifier(),
                        own.timeline(),
                        own.databaseOid(),
                        own.life()));
        for (PostgresProof strange : others) {
            assertEquals(
                    PhaseTwoCompletion.Kind.RESOLVED_ELSEWHERE,
                    driver.commitPrepared(other, xid, strange.encode(), false).kind());
        }
        assertEquals(
                PhaseTwoCompletion.Kind.RESOLVED_ELSEWHERE,
                driver.commitPrepared(other, xid, Proof.of(new byte[] {9, 9}), false)
                        .kind());
    }

    /** Of the same length, and what stands where is not known. */
    @Test
    void aProofOfALaterVersionProvesNothing() throws Exception {
        byHand("ROLLBACK");
        byte[] later = proof.toByteArray();
        later[0]++;
        assertEquals(Fate.UNKNOWN, driver.fate(other, Proof.of(later)));
        assertEquals(
                PhaseTwoCompletion.Kind.RESOLVED_ELSEWHERE,
                driver.commitPrepared(other, xid, Proof.of(later), true).kind());
    }

    private PGSimpleDataSource ofAnotherRole() throws SQLException {
        server.execute(
                "DO $$ BEGIN CREATE ROLE clerk LOGIN; EXCEPTION WHEN duplicate_object THEN ALTER ROLE clerk LOGIN; END $$");
        return server.dataSource("clerk", "postgres");
    }

    private PGSimpleDataSource ofAnotherDatabase() throws SQLException {
        if (server.ask("SELECT 1 FROM pg_database WHERE datname = 'second'") == null) {
            server.execute("CREATE DATABASE second");
        }
        return server.dataSource("postgres", "second");
    }

    /** The name of a server can come to mean another one; the coordinator has been told of the first. */
    @Test
    void afterTheFirstNoConnectionToAnotherDatabaseOrAsAnotherRoleIsOpened() throws Exception {
        AtomicReference<DataSource> target = new AtomicReference<>(server.dataSource());
        PostgresDriver moved = new PostgresDriver(
                new AbstractDataSource() {
                    @Override
                    public Connection getConnection() throws SQLException {
                        return target.get().getConnection();
                    }
                },
                10_000);
        moved.physicalConnections().getConnection().close();
        for (DataSource other : List.of(ofAnotherDatabase(), ofAnotherRole())) {
            target.set(other);
            SQLException refused = assertThrows(
                    SQLException.class, () -> moved.physicalConnections().getConnection());
            assertTrue(refused.getMessage().contains("another database"), refused::toString);
            assertTrue(moved.isConnectionLost(refused), refused::toString);
        }
        target.set(server.dataSource());
        moved.physicalConnections().getConnection().close();
    }

    @Test
    void anotherRoleCannotFinishTheBranchAndSaysThatTheConfigurationIsWrong() throws Exception {
        PostgresDriver clerk = new PostgresDriver(ofAnotherRole(), 10_000);
        try (Connection connection = clerk.physicalConnections().getConnection()) {
            for (PhaseTwoCompletion completion : List.of(
                    clerk.commitPrepared(connection, xid, proof, true),
                    clerk.rollbackPrepared(connection, xid, null))) {
                assertEquals(PhaseTwoCompletion.Kind.NOT_YET, completion.kind());
                assertEquals(
                        ErrorCode.DATABASE_MISCONFIGURED, completion.reason().code());
            }
        }
        assertEquals(PhaseTwoCompletion.Kind.DONE, commit(true, false));
    }

    /** PostgreSQL says 42501 of a file, too, and of all files when their file system has become read-only. */
    @Test
    void aFileThatTheServerMayNotUseIsNoMatterOfRoles() throws Exception {
        server.execute("CHECKPOINT");
        Path twoPhase = Path.of(server.ask("SHOW data_directory"), "pg_twophase");
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(twoPhase);
        Files.setPosixFilePermissions(twoPhase, Set.of());
        PhaseTwoCompletion completion;
        try {
            completion = driver.commitPrepared(other, xid, proof, true);
        } finally {
            Files.setPosixFilePermissions(twoPhase, permissions);
        }
        assertEquals(PhaseTwoCompletion.Kind.NOT_YET, completion.kind());
        assertEquals(ErrorCode.DATABASE_UNAVAILABLE, completion.reason().code());
        assertTrue(completion.reason().detail().contains("42501"), completion.reason()::detail);
        assertEquals(PhaseTwoCompletion.Kind.DONE, commit(true, false));
    }

    @Test
    void anotherDatabaseOfTheServerCannotFinishTheBranch() throws Exception {
        PostgresDriver second = new PostgresDriver(ofAnotherDatabase(), 10_000);
        try (Connection connection = second.physicalConnections().getConnection()) {
            PhaseTwoCompletion completion = second.commitPrepared(connection, xid, proof, true);
            assertEquals(PhaseTwoCompletion.Kind.NOT_YET, completion.kind());
            assertEquals(ErrorCode.DATABASE_MISCONFIGURED, completion.reason().code());
            assertEquals(List.of(), second.listPrepared(connection), "the list is of one database");
        }
    }

    @Test
    void listsBranchesOfEveryClusterAndNothingThatIsNotInTrothsForm() throws Exception {
        TrothXid foreignCluster = new TrothXid(Branches.OTHER_CLUSTER, Branches.nextTx(), Branches.nextBranch());
        for (String gid : List.of(
                PostgresGid.of(foreignCluster),
                "1414680404_garbage_x",
                "1414680404_AAAA_BBBB",
                "1414680405_AAAA_BBBB",
                "somebody else's".replace("'", "''"),
                PostgresGid.of(PostgresSelfTest.CANARY_FORMAT_ID, new byte[8], new byte[8]))) {
            server.execute("BEGIN", "SELECT pg_current_xact_id()", "PREPARE TRANSACTION '" + gid + "'");
        }
        List<String> before = server.prepared();

        assertEquals(
                List.of(xid, foreignCluster).stream()
                        .map(PostgresGid::of)
                        .sorted()
                        .toList(),
                driver.listPrepared(other).stream()
                        .map(PostgresGid::of)
                        .sorted()
                        .toList());
        driver.canary();
        assertEquals(before, server.prepared(), "foreign and fresh ones stay");
    }

    /** By a search path that has another schema before pg_catalog. */
    @Test
    void operatorsInTheWayHideNoPreparedBranch() throws Exception {
        server.execute(
                "DROP SCHEMA IF EXISTS wrong CASCADE",
                "CREATE SCHEMA wrong",
                "CREATE FUNCTION wrong.no(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false'",
                "CREATE FUNCTION wrong.no(name, name) RETURNS boolean LANGUAGE sql AS 'SELECT false'",
                "CREATE OPERATOR wrong.= (FUNCTION = wrong.no, LEFTARG = text, RIGHTARG = text)",
                "CREATE OPERATOR wrong.= (FUNCTION = wrong.no, LEFTARG = name, RIGHTARG = name)",
                "CREATE OPERATOR wrong.~~ (FUNCTION = wrong.no, LEFTARG = text, RIGHTARG = text)");
        PGSimpleDataSource source = server.dataSource();
        source.setOptions("-c search_path=wrong,pg_catalog,public");
        PostgresDriver misled = new PostgresDriver(source, 10_000);
        try (Connection connection = misled.physicalConnections().getConnection()) {
            assertEquals(List.of(xid), misled.listPrepared(connection));
            misled.canary();
            byHand("ROLLBACK");
            assertEquals(
                    PhaseTwoCompletion.Kind.HEURISTIC,
                    misled.commitPrepared(connection, xid, proof, true).kind());
        }
    }

    @Test
    void theFateOfALostOnePhaseBranchFollowsTheProof() throws Exception {
        PostgresProof own = PostgresProof.decode(proof);
        assertEquals(Fate.IN_PROGRESS, driver.fate(other, proof));
        byHand("COMMIT");
        assertEquals(Fate.COMMITTED, driver.fate(other, proof));
        PostgresProof earlierLife = new PostgresProof(
                own.transactionId(), own.systemIdentifier(), own.timeline(), own.databaseOid(), own.life() - 1);
        assertEquals(Fate.UNKNOWN, driver.fate(other, earlierLife.encode()), "a stranger may have that id");
        PostgresProof future = new PostgresProof(
                own.transactionId() + 1_000_000, own.systemIdentifier(), own.timeline(), own.databaseOid(), own.life());
        assertEquals(Fate.ROLLED_BACK, driver.fate(other, future.encode()));
        PostgresProof otherServer =
                new PostgresProof(own.transactionId(), 1, own.timeline(), own.databaseOid(), own.life());
        assertEquals(Fate.UNKNOWN, driver.fate(other, otherServer.encode()));
        assertEquals(Fate.UNKNOWN, driver.fate(other, Proof.of(new byte[33])));
    }

    /** Below the oldest id that the server's commit log still knows: a new server's begins where initdb ended. */
    @Test
    void aTransactionIdThatTheServerHasForgottenProvesNothing() throws Exception {
        Proof old = PostgresProof.of(3, ServerFacts.read(other.unwrap(BaseConnection.class)))
                .encode();
        assertEquals(Fate.UNKNOWN, driver.fate(other, old));
        byHand("ROLLBACK");
        assertEquals(
                PhaseTwoCompletion.Kind.RESOLVED_ELSEWHERE,
                driver.commitPrepared(other, xid, old, true).kind());
    }

    @Test
    void aConnectionHasItsOwnTimeLimitAgainAfterABranch() throws Exception {
        assertEquals(0, other.getNetworkTimeout());
        BranchTransaction branch = driver.begin(
                other,
                new TrothXid(Branches.CLUSTER, Branches.nextTx(), Branches.nextBranch()),
                new BranchStart(60_000, BranchStart.DEFAULT_ISOLATION));
        assertEquals(PrepareResult.Kind.READ_ONLY, branch.prepare(true).kind());
        assertEquals(0, other.getNetworkTimeout());
    }

    @Test
    void theFateOfARolledBackBranchIsRolledBackInAnyLife() throws Exception {
        byHand("ROLLBACK");
        assertEquals(Fate.ROLLED_BACK, driver.fate(other, proof));
    }

    @Test
    void everySlotTakenIsNamedAndHealsWhenOneIsFreed() throws Exception {
        int taken = server.prepared().size();
        for (int i = taken; i < 20; i++) {
            server.execute("BEGIN", "SELECT pg_current_xact_id()", "PREPARE TRANSACTION 'filler-" + i + "'");
        }
        TrothXid next = new TrothXid(Branches.CLUSTER, Branches.nextTx(), Branches.nextBranch());
        PrepareResult refused = prepareInsert(next, 50);
        assertEquals(PrepareResult.Kind.REFUSED, refused.kind());
        assertEquals(ErrorCode.PREPARED_SLOTS_EXHAUSTED, refused.reason().code());
        driver.canary();

        assertEquals(PhaseTwoCompletion.Kind.DONE, commit(true, true));
        TrothXid again = new TrothXid(Branches.CLUSTER, Branches.nextTx(), Branches.nextBranch());
        assertEquals(PrepareResult.Kind.PREPARED, prepareInsert(again, 51).kind());
    }

    private PrepareResult prepareInsert(TrothXid branchXid, int id) throws SQLException {
        try (Connection connection = driver.physicalConnections().getConnection()) {
            BranchTransaction branch =
                    driver.begin(connection, branchXid, new BranchStart(60_000, BranchStart.DEFAULT_ISOLATION));
            try (Statement statement = connection.createStatement()) {
                statement.execute("INSERT INTO account VALUES (" + id + ", 0)");
            }
            return branch.prepare(true);
        }
    }

    @Test
    void inspectNamesTheDatabaseAndTheRole() throws Exception {
        var identity = driver.inspect(other, 10);
        assertEquals("postgresql", identity.kind());
        assertEquals("postgres", identity.role());
        assertTrue(identity.identity().contains("database=postgres"), identity.identity());
        assertFalse(identity.identity().contains("system=0"), identity.identity());
    }

    @Test
    void inspectRefusesTooFewSlotsAndSaysHowManyAreNeeded() {
        ResourceUnsuitableException refused =
                assertThrows(ResourceUnsuitableException.class, () -> driver.inspect(other, 19));
        assertTrue(
                refused.getMessage().contains("max_prepared_transactions is 20; set it to at least 21"),
                refused.getMessage());
    }

    /** Who refused it would keep what is prepared from its end. */
    @Test
    void aReadOnlyDefaultIsWarnedOfAndKeepsNothingFromBeingFinished() throws Exception {
        PGSimpleDataSource source = server.dataSource();
        source.setOptions("-c default_transaction_read_only=on");
        PostgresDriver readOnly = new PostgresDriver(source, 10_000);
        Logger logger = (Logger) LoggerFactory.getLogger(PostgresSelfTest.class);
        ListAppender<ILoggingEvent> said = new ListAppender<>();
        said.list = new CopyOnWriteArrayList<>();
        said.start();
        logger.addAppender(said);
        logger.setAdditive(false);
        logger.setLevel(Level.WARN);
        try (Connection connection = readOnly.physicalConnections().getConnection()) {
            readOnly.inspect(connection, 10);
            readOnly.canary();
            assertEquals(
                    PhaseTwoCompletion.Kind.DONE,
                    readOnly.commitPrepared(connection, xid, proof, true).kind());
        } finally {
            logger.detachAppender(said);
            logger.setLevel(null);
            logger.setAdditive(true);
        }
        assertTrue(said.list.toString().contains("default_transaction_read_only is on"), said.list::toString);
        assertEquals("101", server.ask("SELECT balance FROM account"));
    }
}
