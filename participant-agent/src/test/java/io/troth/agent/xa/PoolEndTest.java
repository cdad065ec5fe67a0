package io.troth.agent.xa;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.pool.HikariPool;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.slf4j.LoggerFactory;

/** Goal: a pool over physical connections ends without a word. Method: one that has just opened a connection. */
@Isolated // Hears what every pool logs.
class PoolEndTest {

    private static final Logger POOL = (Logger) LoggerFactory.getLogger(HikariPool.class);
    private static final long WAIT_MILLIS = 60_000;

    private final ListAppender<ILoggingEvent> heard = new ListAppender<>();

    private static final class Valid extends PhysicalConnections {
        @Override
        Connection open() {
            return (Connection) Proxy.newProxyInstance(
                    Connection.class.getClassLoader(),
                    new Class<?>[] {Connection.class},
                    (self, method, arguments) -> method.getReturnType() == boolean.class
                            ? (Object) method.getName().equals("isValid")
                            : method.getReturnType() == int.class ? (Object) 0 : null);
        }
    }

    @BeforeEach
    void listen() {
        heard.start();
        POOL.addAppender(heard);
        POOL.setLevel(Level.WARN);
    }

    @AfterEach
    void stopListening() {
        POOL.setLevel(null);
        POOL.detachAppender(heard);
    }

    @Test
    void aPoolThatEndsGivesItsThreadTheTimeToEnd() throws Exception {
        HikariConfig config = new HikariConfig();
        config.setDataSource(new Valid());
        config.setInitializationFailTimeout(-1);
        config.validate();
        HikariPool pool = new HikariPool(config);
        pool.getConnection(WAIT_MILLIS).close();
        pool.shutdown();
        assertEquals(
                List.of(),
                heard.list.stream().map(ILoggingEvent::getFormattedMessage).toList());
    }
}
