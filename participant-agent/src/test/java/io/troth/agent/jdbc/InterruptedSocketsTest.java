package io.troth.agent.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.database.Branches;
import io.troth.agent.database.PostgresExtension;
import io.troth.agent.xa.PostgresDriver;
import io.troth.client.context.CallScope;
import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import javax.net.SocketFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * Goal: a thread that was interrupted before runs its statements all the same, also a virtual one. Method: the sockets of
 * this test do as those of a virtual thread: an interrupted one that touches them closes them.
 */
@SuppressWarnings("try") // A binding is there to be closed.
class InterruptedSocketsTest {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    /** Made by the driver. */
    public static final class Sockets extends SocketFactory {

        /** For the driver. */
        public Sockets() {}

        @Override
        public Socket createSocket() {
            return new ClosedByInterrupt();
        }

        @Override
        public Socket createSocket(String host, int port) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Socket createSocket(String host, int port, InetAddress local, int localPort) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Socket createSocket(InetAddress host, int port) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort) {
            throw new UnsupportedOperationException();
        }
    }

    private static final class ClosedByInterrupt extends Socket {

        private void touch() throws IOException {
            if (Thread.currentThread().isInterrupted()) {
                close();
                throw new SocketException("Closed by interrupt");
            }
        }

        @Override
        public InputStream getInputStream() throws IOException {
            return new FilterInputStream(super.getInputStream()) {
                @Override
                public int read(byte[] bytes, int from, int length) throws IOException {
                    touch();
                    return super.read(bytes, from, length);
                }
            };
        }

        @Override
        public OutputStream getOutputStream() throws IOException {
            return new FilterOutputStream(super.getOutputStream()) {
                @Override
                public void write(byte[] bytes, int from, int length) throws IOException {
                    touch();
                    out.write(bytes, from, length);
                }
            };
        }
    }

    @Test
    void anInterruptOfBeforeLeavesTheConnectionOpen() throws Exception {
        POSTGRES.server()
                .execute(
                        "DROP TABLE IF EXISTS account CASCADE",
                        "CREATE TABLE account (id int PRIMARY KEY, balance int)");
        PGSimpleDataSource source = POSTGRES.server().dataSource();
        source.setSocketFactory(Sockets.class.getName());
        try (TestAgent agent =
                new TestAgent(new PostgresDriver(source, 10_000), new PoolSettings(1, 2, 1, 20_000, 15_000))) {
            // A connection waits, so that nobody else has to.
            insert(agent, 1);
            CallScope scope = TestAgent.call(Branches.nextTx());
            Thread.currentThread().interrupt();
            try (CallScope.Binding bound = scope.attach()) {
                insert(agent, 2);
                insert(agent, 3);
                assertTrue(Thread.currentThread().isInterrupted());
            } finally {
                var unused = Thread.interrupted();
            }
            assertEquals(1, scope.close().branches().size());
            assertEquals(
                    "1",
                    POSTGRES.server().ask("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"));
        }
    }

    private static void insert(TestAgent agent, int id) throws SQLException {
        try (Connection connection = agent.dataSource.getConnection();
                PreparedStatement statement = connection.prepareStatement("INSERT INTO account VALUES (?, 0)")) {
            statement.setInt(1, id);
            assertEquals(1, statement.executeUpdate());
        }
    }
}
