package io.troth.agent.xa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.AbstractDataSource;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import javax.sql.XAConnection;
import javax.sql.XADataSource;
import org.junit.jupiter.api.Test;

/**
 * Goal: an application's source that throws anything, or gives nothing, is told in words, and no connection of it stays
 * open unused. Method: sources of this test.
 */
class PhysicalConnectionsTest {

    private final AtomicInteger closed = new AtomicInteger();

    private static <T> T fake(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    private static DataSource xa(InvocationHandler handler) {
        return new XaDriver(fake(XADataSource.class, handler), false, Clock.systemUTC()).physicalConnections();
    }

    private static DataSource postgres(Connection connection) {
        DataSource source = new AbstractDataSource() {
            @Override
            public Connection getConnection() {
                return connection;
            }
        };
        return new PostgresDriver(source, 1_000).physicalConnections();
    }

    private static void refuses(DataSource source, String because) {
        SQLException refused = assertThrows(SQLException.class, source::getConnection);
        assertTrue(String.valueOf(refused.getMessage()).contains(because), refused::toString);
    }

    @Test
    void aSourceThatGivesNothingIsToldInWords() {
        refuses(xa((self, method, arguments) -> null), "gave no connection");
        refuses(postgres(null), "gave no connection");
    }

    @Test
    void whatASourceThrowsIsToldInWords() {
        refuses(
                xa((self, method, arguments) -> {
                    throw new IllegalStateException("no configuration");
                }),
                "no configuration");
    }

    @Test
    void aConnectionThatCannotBeMadeReadyIsClosed() {
        XAConnection connection = fake(XAConnection.class, (self, method, arguments) -> {
            if (method.getName().equals("close")) {
                closed.incrementAndGet();
                return null;
            }
            throw new NoClassDefFoundError("half a driver");
        });
        refuses(xa((self, method, arguments) -> connection), "half a driver");
        assertEquals(1, closed.get());
        refuses(
                postgres(fake(Connection.class, (self, method, arguments) -> {
                    if (method.getName().equals("close")) {
                        closed.incrementAndGet();
                        throw new SQLException("this neither");
                    }
                    throw new IllegalStateException("a bug in a wrapper");
                })),
                "a bug in a wrapper");
        assertEquals(2, closed.get());
    }
}
