package io.troth.agent.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.TrothAgent;
import io.troth.agent.database.TestPostgres;
import io.troth.agent.xa.ResourceDrivers;
import io.troth.agent.xa.ResourceUnsuitableException;
import io.troth.core.ErrorCode;
import io.troth.core.TrothException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import javax.sql.CommonDataSource;
import javax.sql.XAConnection;
import javax.sql.XADataSource;
import javax.transaction.xa.XAException;
import javax.transaction.xa.XAResource;
import org.apache.derby.jdbc.EmbeddedXADataSource;
import org.h2.jdbcx.JdbcDataSource;
import org.hsqldb.jdbc.pool.JDBCXADataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.xa.PGXADataSource;

/**
 * Goal: a database that loses what it has prepared, or whose branches can end unnoticed, never becomes a resource (protocol
 * 10.3). Method: such databases are started in this process or beside it; the agent must not get past its start.
 */
class UnfitDatabasesTest {

    private static void refuses(CommonDataSource source, String because) {
        ResourceUnsuitableException refused = assertThrows(
                ResourceUnsuitableException.class,
                () -> ResourceDrivers.of(source, 10_000).canary());
        assertTrue(refused.getMessage().contains(because), refused::getMessage);
    }

    @Test
    void h2LosesAPreparedBranchWithItsConnection() {
        JdbcDataSource source = new JdbcDataSource();
        source.setURL("jdbc:h2:mem:canary;DB_CLOSE_DELAY=-1");
        refuses(source, "does not list a prepared test transaction");
    }

    @Test
    void hsqldbSaysThatItCommittedAndHasLostTheRow() throws Exception {
        JDBCXADataSource source = new JDBCXADataSource();
        source.setUrl("jdbc:hsqldb:mem:canary;hsqldb.tx=mvcc");
        source.setUser("SA");
        refuses(source, "its row is not there");
    }

    /** MySQL passes the canary where it detaches what is prepared, and may lose it in a crash by its settings. */
    @ParameterizedTest
    @ValueSource(strings = {"MySQL", "MariaDB"})
    void aProductThatIsNotSupportedIsRefusedByNameAndLeftAsItIs(String product) throws Exception {
        EmbeddedXADataSource derby = new EmbeddedXADataSource();
        derby.setDatabaseName("memory:" + product);
        derby.setCreateDatabase("create");
        XADataSource named = around(
                XADataSource.class,
                derby,
                made -> around(
                        XAConnection.class,
                        made,
                        part -> part instanceof Connection connection ? named(connection, product) : part));
        TrothException refused = assertThrows(
                TrothException.class,
                () -> TrothAgent.builder()
                        .coordinator("localhost:1")
                        .resource("stock", named)
                        .start());
        assertEquals(ErrorCode.DATABASE_MISCONFIGURED, refused.code());
        assertTrue(String.valueOf(refused.getMessage()).contains(product), refused::getMessage);
        assertTrue(
                String.valueOf(refused.getMessage()).contains("innodb_flush_log_at_trx_commit"), refused::getMessage);
        try (Connection connection = derby.getXAConnection().getConnection();
                ResultSet tables = connection.getMetaData().getTables(null, null, "TROTH%", null)) {
            assertFalse(tables.next(), "a table was made");
        }
    }

    private static Connection named(Connection connection, String product) {
        return around(
                Connection.class,
                connection,
                made -> made instanceof DatabaseMetaData
                        ? Proxy.newProxyInstance(
                                UnfitDatabasesTest.class.getClassLoader(),
                                new Class<?>[] {DatabaseMetaData.class},
                                (self, method, given) -> method.getName().equals("getDatabaseProductName")
                                        ? product
                                        : method.invoke(made, given))
                        : made);
    }

    /** As MariaDB and MySQL: what is prepared belongs to the session that did it. */
    @Test
    void aRefusedCanaryLeavesNothingPrepared() throws Exception {
        EmbeddedXADataSource derby = new EmbeddedXADataSource();
        derby.setDatabaseName("memory:tied");
        derby.setCreateDatabase("create");
        AtomicInteger sessions = new AtomicInteger();
        XADataSource tied = around(XADataSource.class, derby, made -> {
            boolean first = sessions.incrementAndGet() == 1;
            return around(
                    XAConnection.class, made, part -> part instanceof XAResource && !first ? ignorant(part) : part);
        });

        refuses(tied, "cannot be finished from another session");

        assertEquals(
                0,
                derby.getXAConnection()
                        .getXAResource()
                        .recover(XAResource.TMSTARTRSCAN | XAResource.TMENDRSCAN)
                        .length);
    }

    private static XAResource ignorant(Object resource) {
        return (XAResource) Proxy.newProxyInstance(
                UnfitDatabasesTest.class.getClassLoader(), new Class<?>[] {XAResource.class}, (self, method, given) -> {
                    if (method.getName().equals("commit") || method.getName().equals("rollback")) {
                        throw new XAException(XAException.XAER_NOTA);
                    }
                    return method.invoke(resource, given);
                });
    }

    /** What the target's methods return goes through the function. */
    private static <T> T around(Class<T> type, Object target, UnaryOperator<Object> wrap) {
        return type.cast(Proxy.newProxyInstance(
                UnfitDatabasesTest.class.getClassLoader(),
                new Class<?>[] {type},
                (self, method, given) -> wrap.apply(method.invoke(target, given))));
    }

    /** A PostgreSQL as it comes, and one that was made fast (protocol 10.3). */
    @Test
    void aPostgresWithoutPreparedTransactionsOrWithoutFlushesIsRefusedByName() throws Exception {
        try (TestPostgres server = TestPostgres.start(Map.of("max_prepared_transactions", "0"))) {
            refusesSettings(
                    server,
                    "resource stock: max_prepared_transactions is 0 (prepared transactions are disabled); set it to at"
                            + " least 12");
            server.restart(Map.of("max_prepared_transactions", "20", "fsync", "off"));
            refusesSettings(server, "resource stock: fsync is off: the server forgets prepared and committed branches");
            server.restart(Map.of("max_prepared_transactions", "0", "fsync", "off"));
            refusesSettings(server, "(pool size 10 + 2) and restart the server; and fsync is off");
        }
    }

    /** Its XAResource would say "committed" of a branch that SQL text has rolled back. */
    @Test
    void postgresByAnXaDataSourceThatIsNotItsOwnIsRefusedAndLeftAsItIs() throws Exception {
        try (TestPostgres server = TestPostgres.start()) {
            PGXADataSource own = new PGXADataSource();
            own.setUrl("jdbc:postgresql://localhost:" + server.port() + "/postgres?user=postgres");
            XADataSource wrapped = around(XADataSource.class, own, made -> made);
            TrothException refused = assertThrows(
                    TrothException.class,
                    () -> TrothAgent.builder()
                            .coordinator("localhost:1")
                            .resource("stock", wrapped)
                            .start());
            assertEquals(ErrorCode.DATABASE_MISCONFIGURED, refused.code());
            assertTrue(String.valueOf(refused.getMessage()).contains("PGXADataSource"), refused::getMessage);
            assertEquals("0", server.ask("SELECT count(*) FROM pg_class WHERE relname LIKE 'troth%'"));
        }
    }

    private static void refusesSettings(TestPostgres server, String because) {
        TrothException refused = assertThrows(
                TrothException.class,
                () -> TrothAgent.builder()
                        .coordinator("localhost:1")
                        .resource("stock", server.dataSource())
                        .start());
        assertEquals(ErrorCode.DATABASE_MISCONFIGURED, refused.code());
        assertTrue(String.valueOf(refused.getMessage()).contains(because), refused::getMessage);
    }

    @Test
    void aPlainDataSourceOfAnotherDatabaseIsNoResource() {
        org.apache.derby.jdbc.EmbeddedDataSource plain = new org.apache.derby.jdbc.EmbeddedDataSource();
        assertThrows(IllegalArgumentException.class, () -> ResourceDrivers.of(plain, 10_000));
    }
}
