package io.troth.agent.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.AbstractDataSource;
import io.troth.agent.database.Branches;
import io.troth.agent.xa.ResourceDriver;
import io.troth.client.context.CallScope;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLClientInfoException;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Goal: a local connection that was closed or aborted is out of the pool no more, whatever the driver throws, and one whose
 * driver threw is used by nobody else. Method: a database of this test behind the real pool of one connection.
 */
@SuppressWarnings("try") // A binding is there to be closed.
class LocalConnectionTest {

    private final AtomicInteger opened = new AtomicInteger();
    private final AtomicInteger closed = new AtomicInteger();
    private volatile String throwsAt = "";
    private final DataSource source = new AbstractDataSource() {
        @Override
        public Connection getConnection() {
            opened.incrementAndGet();
            return connection();
        }
    };

    private final JdbcBranchDatabase database = new JdbcBranchDatabase(
            "fake",
            fake(ResourceDriver.class, (self, method, arguments) -> switch (method.getName()) {
                case "physicalConnections" -> source;
                case "isClean" -> true;
                default -> false;
            }),
            new PoolSettings(1, 1, 0, 2_000, 20_000),
            TestAgent.DAEMONS);
    private final DataSource local = new ResourceDataSource(database, new SimulatedWorkspace(null), false, 0);

    private static <T> T fake(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    private Connection connection() {
        boolean[] autoCommit = {true};
        return fake(Connection.class, (self, method, arguments) -> {
            String name = method.getName();
            if (name.equals(throwsAt)) {
                throwsAt = "";
                throw new StackOverflowError("in a driver");
            }
            switch (name) {
                case "setAutoCommit" -> autoCommit[0] = (Boolean) arguments[0];
                case "getAutoCommit" -> {
                    return autoCommit[0];
                }
                case "isValid" -> {
                    return true;
                }
                case "abort" -> throw new SQLFeatureNotSupportedException("on purpose");
                case "close" -> closed.incrementAndGet();
                case "createStatement" -> {
                    return fake(Statement.class, (its, call, values) -> {
                        if (call.getName().equals(throwsAt)) {
                            throwsAt = "";
                            throw new IllegalStateException("a bug in a driver");
                        }
                        return plain(call.getReturnType());
                    });
                }
                default -> {
                    return plain(method.getReturnType());
                }
            }
            return null;
        });
    }

    private static Object plain(Class<?> type) {
        return type == boolean.class ? (Object) false : type == int.class ? (Object) 0 : null;
    }

    @AfterEach
    void close() {
        database.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"rollback", "setAutoCommit"})
    void aDriverThatThrowsWhenALocalConnectionIsClosedCostsThePoolNoPlace(String call) throws Exception {
        Connection connection = local.getConnection();
        connection.setAutoCommit(false);
        throwsAt = call;
        connection.close();
        assertEquals("", throwsAt);
        assertReplaced();
    }

    @Test
    void anAbortThatTheDriverRefusesCostsThePoolNoPlace() throws Exception {
        Connection connection = local.getConnection();
        assertThrows(SQLException.class, () -> connection.abort(Runnable::run));
        assertTrue(connection.isClosed());
        assertReplaced();
    }

    @Test
    void aConnectionThatIsClosedIsNotValid() throws Exception {
        Connection connection = local.getConnection();
        assertTrue(connection.isValid(1));
        connection.close();
        assertFalse(connection.isValid(1));
    }

    /** The one method that may throw nothing else. */
    @Test
    void whoSetsClientInfoOnAClosedConnectionHearsItAsDeclared() throws Exception {
        Connection plain = local.getConnection();
        plain.close();
        Connection handle;
        try (CallScope.Binding bound = TestAgent.call(Branches.nextTx()).attach()) {
            handle = new ResourceDataSource(database, new SimulatedWorkspace(Branches.nextBranch()), false, 0)
                    .getConnection();
        }
        handle.close();
        for (Connection connection : List.of(plain, handle)) {
            SQLClientInfoException closed = assertThrows(
                    SQLClientInfoException.class, () -> connection.setClientInfo("ApplicationName", "bank"));
            assertEquals("08003", closed.getSQLState());
        }
    }

    /** It may stand anywhere in its talk with the database. */
    @Test
    void aConnectionWhoseDriverThrewIsUsedByNobodyElse() throws Exception {
        try (Connection connection = local.getConnection();
                Statement statement = connection.createStatement()) {
            throwsAt = "executeQuery";
            assertThrows(IllegalStateException.class, () -> statement.executeQuery("SELECT 1"));
        }
        assertReplaced();
    }

    private void assertReplaced() throws SQLException {
        assertEquals(0, database.stats().branches().active());
        Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> closed.get() == 1);
        local.getConnection().close();
        assertEquals(2, opened.get());
    }
}
