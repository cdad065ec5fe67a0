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
import io.troth.agent.database.TestPostgres;
import io.troth.core.ErrorCode;
import io.troth.core.Proof;
import io.troth.core.participant.PhaseTwoCompletion;
import io.troth.core.participant.PrepareResult;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/**
 * Goal: where a standby was promoted and the old primary lives on, nothing is prepared at the old one, and nothing of what it
 * says or lacks counts (protocol 9.3, 10.4). Method: a server and the promoted copy of it, and a source that leads to the
 * one, to the other, and back.
 */
class FailoverTest {

    private TestPostgres old;
    private TestPostgres promoted;
    private TestPostgres leadsTo;
    private PostgresDriver driver;
    private Connection before;
    private final Logger logger = (Logger) LoggerFactory.getLogger(PostgresDriver.class);
    private final ListAppender<ILoggingEvent> said = new ListAppender<>();

    @BeforeEach
    void open() throws Exception {
        said.list = new CopyOnWriteArrayList<>();
        said.start();
        logger.addAppender(said);
        logger.setAdditive(false);
        logger.setLevel(Level.WARN);
        old = TestPostgres.start();
        old.execute("CREATE TABLE account (id int PRIMARY KEY)");
        old.stopInOrder();
        promoted = old.standby();
        old.restart();
        leadsTo = old;
        driver = new PostgresDriver(
                new AbstractDataSource() {
                    @Override
                    public Connection getConnection() throws SQLException {
                        return leadsTo.dataSource().getConnection();
                    }
                },
                10_000);
        before = driver.physicalConnections().getConnection();
    }

    @AfterEach
    void close() throws Exception {
        logger.detachAppender(said);
        logger.setLevel(null);
        logger.setAdditive(true);
        before.close();
        promoted.close();
        old.close();
    }

    private SQLException opening() {
        return assertThrows(
                SQLException.class, () -> driver.physicalConnections().getConnection());
    }

    private BranchTransaction insert(Connection connection, TrothXid xid, int id) throws SQLException {
        BranchTransaction branch =
                driver.begin(connection, xid, new BranchStart(60_000, BranchStart.DEFAULT_ISOLATION));
        try (Statement statement = connection.createStatement()) {
            statement.execute("INSERT INTO account VALUES (" + id + ")");
        }
        return branch;
    }

    private static TrothXid nextXid() {
        return new TrothXid(Branches.CLUSTER, Branches.nextTx(), Branches.nextBranch());
    }

    @Test
    void aServerThatWasLeftBehindTakesPartNoMore() throws Exception {
        TrothXid decided = nextXid();
        Proof proof = insert(before, decided, 1).prepare(true).proof();
        BranchTransaction open = insert(before, nextXid(), 2);

        leadsTo = promoted;
        assertEquals(
                "the server is a standby; connect the agent to the primary",
                opening().getMessage());
        promoted.execute("SELECT pg_promote()");
        try (Connection after = driver.physicalConnections().getConnection()) {
            TrothXid xid = nextXid();
            Proof there = insert(after, xid, 1).prepare(true).proof();
            assertEquals(
                    PhaseTwoCompletion.Kind.DONE,
                    driver.commitPrepared(after, xid, there, true).kind());
            assertTrue(driver.isClean(after));
        }
        // Other classes run side by side, with drivers of their own.
        assertEquals(
                1,
                said.list.stream()
                        .map(ILoggingEvent::getFormattedMessage)
                        .filter(text -> text.contains("goes on on timeline 2, after 1"))
                        .count(),
                said.list::toString);

        // What works on it ends,
        PrepareResult vote = open.prepare(true);
        assertEquals(PrepareResult.Kind.REFUSED, vote.kind());
        assertEquals(ErrorCode.CONNECTION_LOST, vote.reason().code());
        assertFalse(driver.isClean(before), "a pool keeps it");
        // it decides nothing,
        PhaseTwoCompletion completion = driver.commitPrepared(before, decided, proof, true);
        assertEquals(PhaseTwoCompletion.Kind.NOT_YET, completion.kind());
        assertEquals(
                PhaseTwoCompletion.Kind.NOT_YET,
                driver.rollbackPrepared(before, decided, null).kind());
        assertThrows(SQLException.class, () -> driver.listPrepared(before));
        assertThrows(SQLException.class, () -> driver.fate(before, proof));
        assertEquals(List.of(PostgresGid.of(decided)), old.prepared());
        // and nothing new begins there.
        assertThrows(SQLException.class, () -> insert(before, nextXid(), 3));
        leadsTo = old;
        SQLException refused = opening();
        assertTrue(refused.getMessage().contains("on timeline 1 and was left behind"), refused::getMessage);
        assertTrue(driver.isConnectionLost(refused));
    }
}
