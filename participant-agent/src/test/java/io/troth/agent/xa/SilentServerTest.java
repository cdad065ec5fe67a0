package io.troth.agent.xa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.AbstractDataSource;
import io.troth.agent.database.PostgresExtension;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.xa.PGXADataSource;

/**
 * Goal: no server can hold whoever opens a connection for ever. Method: one that never says a word, and a real one whose
 * catalogue is locked once the login is over.
 */
class SilentServerTest {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    private static final Duration LIMIT = Duration.ofSeconds(60);

    @Test
    void aLoginThatIsNotAnsweredEnds() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            PGXADataSource source = new PGXADataSource();
            source.setServerNames(new String[] {"127.0.0.1"});
            source.setPortNumbers(new int[] {silent.getLocalPort()});
            source.setUser("nobody");
            ResourceDriver driver = ResourceDrivers.of(source, 60_000);
            SQLException late = assertTimeoutPreemptively(
                    LIMIT,
                    () -> assertThrows(
                            SQLException.class,
                            () -> driver.physicalConnections().getConnection()));
            assertTrue(driver.isConnectionLost(late), late::toString);
        }
    }

    @Test
    void theApplicationsOwnLimitStands() {
        PGSimpleDataSource source = new PGSimpleDataSource();
        source.setUrl("jdbc:postgresql://127.0.0.1/x?loginTimeout=3");
        var unused = ResourceDrivers.of(source, 60_000);
        assertEquals(3, source.getLoginTimeout());
        PGSimpleDataSource silent = new PGSimpleDataSource();
        unused = ResourceDrivers.of(silent, 60_000);
        assertEquals(ResourceDrivers.LOGIN_SECONDS, silent.getLoginTimeout());
    }

    @Test
    void aSessionIsAskedWhoItIsWithinTheLimitForAnswersAndKeepsItsOwnAfterwards() throws Exception {
        try (Connection early = POSTGRES.server().dataSource().getConnection();
                Connection second = POSTGRES.server().dataSource().getConnection();
                Connection locking = POSTGRES.server().dataSource().getConnection();
                Statement statement = locking.createStatement()) {
            locking.setAutoCommit(false);
            statement.execute("LOCK TABLE pg_catalog.pg_database IN ACCESS EXCLUSIVE MODE");
            Iterator<Connection> opened = List.of(early, second).iterator();
            DataSource source = new AbstractDataSource() {
                @Override
                public Connection getConnection() {
                    return opened.next();
                }
            };
            PostgresDriver driver = new PostgresDriver(source, 300);
            DataSource physical = driver.physicalConnections();
            assertTimeoutPreemptively(LIMIT, () -> assertThrows(SQLException.class, physical::getConnection));
            SQLException late =
                    assertTimeoutPreemptively(LIMIT, () -> assertThrows(SQLException.class, () -> driver.canary()));
            assertTrue(driver.isConnectionLost(late), late::toString);
            locking.rollback();
        }
        PGSimpleDataSource source = POSTGRES.server().dataSource();
        source.setSocketTimeout(7);
        try (Connection connection =
                new PostgresDriver(source, 300_000).physicalConnections().getConnection()) {
            assertEquals(7_000, connection.getNetworkTimeout());
        }
    }
}
