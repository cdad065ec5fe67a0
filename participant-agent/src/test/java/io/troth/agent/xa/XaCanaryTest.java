package io.troth.agent.xa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.jdbc.DerbyContractTest;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import javax.sql.XAConnection;
import javax.sql.XADataSource;
import javax.transaction.xa.XAException;
import javax.transaction.xa.XAResource;
import javax.transaction.xa.Xid;
import org.apache.derby.jdbc.EmbeddedXADataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Goal: what the canary of an agent that died has left prepared keeps no agent from its start, and a database that goes
 * down meanwhile is not called unfit. Method: Derby, where readers wait for writers, with such a left-over, and with
 * sessions that are lost.
 */
class XaCanaryTest {

    static {
        System.setProperty("derby.stream.error.method", DerbyContractTest.class.getName() + ".noLog");
        System.setProperty("derby.locks.waitTimeout", "5");
    }

    private static XADataSource source(String name) {
        EmbeddedXADataSource derby = new EmbeddedXADataSource();
        derby.setDatabaseName("memory:" + name);
        derby.setCreateDatabase("create");
        return derby;
    }

    private record LeftOver(long madeMillis) implements Xid {

        @Override
        public int getFormatId() {
            return PostgresSelfTest.CANARY_FORMAT_ID;
        }

        @Override
        public byte[] getGlobalTransactionId() {
            return ByteBuffer.allocate(2 * Long.BYTES)
                    .putLong(madeMillis)
                    .putLong(7)
                    .array();
        }

        @Override
        public byte[] getBranchQualifier() {
            return new byte[] {1};
        }
    }

    private static void leave(XADataSource source, Duration age) throws Exception {
        Xid xid = new LeftOver(Clock.systemUTC().millis() - age.toMillis());
        XAConnection session = source.getXAConnection();
        try {
            XAResource resource = session.getXAResource();
            resource.start(xid, XAResource.TMNOFLAGS);
            execute(session, "INSERT INTO troth_canary VALUES ('7')");
            resource.end(xid, XAResource.TMSUCCESS);
            assertEquals(XAResource.XA_OK, resource.prepare(xid));
        } finally {
            session.close();
        }
    }

    private static void execute(XAConnection session, String sql) throws SQLException {
        try (Connection connection = session.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static int prepared(XADataSource source) throws Exception {
        XAConnection session = source.getXAConnection();
        try {
            return session.getXAResource().recover(XAResource.TMSTARTRSCAN | XAResource.TMENDRSCAN).length;
        } finally {
            session.close();
        }
    }

    /** A source whose sessions are lost at a call: of the XAResource or, for "execute", of a statement. */
    private static XADataSource lostAt(String call, XADataSource source) {
        return around(XADataSource.class, source, call);
    }

    private static <T> T around(Class<T> type, Object target, String call) {
        return type.cast(Proxy.newProxyInstance(
                XaCanaryTest.class.getClassLoader(), new Class<?>[] {type}, (self, method, given) -> {
                    if (type == XAResource.class && method.getName().equals(call)) {
                        throw new XAException(XAException.XAER_RMFAIL);
                    }
                    if (type == Statement.class && method.getName().startsWith(call)) {
                        throw new SQLException("gone", "08006");
                    }
                    Object made;
                    try {
                        made = method.invoke(target, given);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                    Class<?> part = method.getReturnType();
                    boolean wrapped = part == XAConnection.class
                            || part == Connection.class
                            || part == XAResource.class
                            || part == Statement.class;
                    return wrapped ? around(part, made, call) : made;
                }));
    }

    /** A database that goes down in the middle is not there for the moment, and fit all the same. */
    @ParameterizedTest
    @ValueSource(strings = {"recover", "start", "end", "prepare", "commit", "execute"})
    void aLostSessionIsNoReasonToRefuse(String call) {
        SQLException lost = assertThrows(SQLException.class, () -> canary(lostAt(call, source("lost"))));
        assertEquals("08006", lost.getSQLState());
    }

    private static void canary(XADataSource source) throws Exception {
        new XaDriver(source, false, Clock.systemUTC()).canary();
    }

    @Test
    void anOldLeftOverIsRemoved() throws Exception {
        XADataSource source = source("old");
        canary(source);
        leave(source, Duration.ofMinutes(11));
        canary(source);
        assertEquals(0, prepared(source));
    }

    @Test
    void aYoungOneMayBeAnotherInstancesAndIsLeftAsItIs() throws Exception {
        XADataSource source = source("young");
        canary(source);
        leave(source, Duration.ZERO);
        canary(source);
        assertEquals(1, prepared(source));
    }

    @Test
    void whoCanNeitherReadNorMakeTheTableIsToldWhatTheDatabaseSaid() throws Exception {
        XADataSource source = source("unreadable");
        XAConnection session = source.getXAConnection();
        try {
            execute(session, "CREATE TABLE troth_canary (other INT)");
        } finally {
            session.close();
        }
        ResourceUnsuitableException refused = assertThrows(ResourceUnsuitableException.class, () -> canary(source));
        assertTrue(refused.getMessage().contains("neither be read, SQLState 42X04: Column 'ID'"), refused::getMessage);
        assertTrue(refused.getMessage().contains("nor made, SQLState X0Y32"), refused::getMessage);
    }
}
