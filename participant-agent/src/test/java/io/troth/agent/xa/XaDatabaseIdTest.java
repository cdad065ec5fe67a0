package io.troth.agent.xa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.engine.ResourceIdentity;
import io.troth.agent.jdbc.DerbyContractTest;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import javax.sql.DataSource;
import javax.sql.XAConnection;
import javax.sql.XADataSource;
import org.apache.derby.jdbc.EmbeddedXADataSource;
import org.junit.jupiter.api.Test;

/**
 * Goal: an agent never takes the word of another database than its first, wherever a URL comes to lead (protocol 9.3), and
 * all agents of one database know that it is one. Method: two databases of Derby behind a source that the test turns.
 */
class XaDatabaseIdTest {

    static {
        System.setProperty("derby.stream.error.method", DerbyContractTest.class.getName() + ".noLog");
    }

    private String leadsTo = "memory:first";

    private static <T> T fake(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    private XADataSource source() {
        return fake(XADataSource.class, (self, method, arguments) -> open(leadsTo));
    }

    private static XAConnection open(String name) throws SQLException {
        EmbeddedXADataSource derby = new EmbeddedXADataSource();
        derby.setDatabaseName(name);
        derby.setCreateDatabase("create");
        return derby.getXAConnection();
    }

    private XaDriver driver() {
        return new XaDriver(source(), false, Clock.systemUTC());
    }

    private static ResourceIdentity identity(XaDriver driver) throws Exception {
        try (Connection connection = driver.physicalConnections().getConnection()) {
            return driver.inspect(connection, 1);
        }
    }

    private static void execute(String database, String sql) throws SQLException {
        XAConnection session = open(database);
        try (Statement statement = session.getConnection().createStatement()) {
            statement.execute(sql);
        } finally {
            session.close();
        }
    }

    @Test
    void afterTheFirstNoSessionOfAnotherDatabaseIsOpened() throws Exception {
        DataSource connections = driver().physicalConnections();
        connections.getConnection().close();
        leadsTo = "memory:second";
        SQLException refused = assertThrows(SQLException.class, connections::getConnection);
        assertTrue(refused.getMessage().contains("another database"), refused::toString);
        leadsTo = "memory:first";
        connections.getConnection().close();
    }

    @Test
    void agentsOfOneDatabaseAgreeAndThoseOfTwoDoNot() throws Exception {
        ResourceIdentity first = identity(driver());
        assertEquals(first, identity(driver()));
        leadsTo = "memory:second";
        assertNotEquals(first, identity(driver()));
    }

    @Test
    void aTableThatSomebodyHasMadeGetsItsRow() throws Exception {
        leadsTo = "memory:prepared";
        execute(leadsTo, "CREATE TABLE troth_database (one INTEGER NOT NULL PRIMARY KEY, id VARCHAR(32) NOT NULL)");
        assertEquals(identity(driver()), identity(driver()));
    }

    /** As when two agents start at once, and the other one is faster at the row. */
    @Test
    void whoComesSecondTakesTheRowOfTheFirst() throws Exception {
        leadsTo = "memory:raced";
        execute(leadsTo, "CREATE TABLE troth_database (one INTEGER NOT NULL PRIMARY KEY, id VARCHAR(32) NOT NULL)");
        boolean[] faster = new boolean[1];
        XAConnection session = open(leadsTo);
        try (Connection connection = session.getConnection();
                Statement real = connection.createStatement()) {
            Connection slow = fake(
                    Connection.class,
                    (self, method, arguments) -> fake(Statement.class, (its, call, values) -> {
                        if (call.getName().equals("execute")
                                && String.valueOf(values[0]).startsWith("INSERT")) {
                            faster[0] = true;
                            execute(leadsTo, "INSERT INTO troth_database VALUES (1, 'the first')");
                        }
                        try {
                            return call.getName().equals("close") ? null : call.invoke(real, values);
                        } catch (java.lang.reflect.InvocationTargetException e) {
                            throw e.getCause();
                        }
                    }));
            assertEquals("the first", XaDatabaseId.read(slow));
        } finally {
            session.close();
        }
        assertTrue(faster[0]);
    }

    private static Connection failing(String message, String state) {
        return fake(
                Connection.class,
                (self, method, arguments) -> fake(Statement.class, (its, call, values) -> {
                    if (call.getName().equals("close")) {
                        return null;
                    }
                    throw new SQLException(message, state);
                }));
    }

    @Test
    void aLostConnectionIsNotTakenForAMissingTable() {
        SQLException lost = assertThrows(SQLException.class, () -> XaDatabaseId.read(failing("gone", "08006")));
        assertEquals("gone", lost.getMessage());
    }

    @Test
    void whoMayNotMakeTheTableIsToldWhich() {
        SQLException refused =
                assertThrows(SQLException.class, () -> XaDatabaseId.read(failing("you may not", "42501")));
        assertEquals("42501", refused.getSQLState());
        assertTrue(refused.getMessage().contains("no table troth_database (one INTEGER"), refused::toString);
    }
}
