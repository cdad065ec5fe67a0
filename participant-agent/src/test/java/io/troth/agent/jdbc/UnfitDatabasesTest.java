package io.troth.agent.jdbc;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.xa.ResourceDrivers;
import io.troth.agent.xa.ResourceUnsuitableException;
import javax.sql.CommonDataSource;
import org.h2.jdbcx.JdbcDataSource;
import org.hsqldb.jdbc.pool.JDBCXADataSource;
import org.junit.jupiter.api.Test;

/**
 * Goal: a database that loses what it has prepared never becomes a resource (protocol 10.3). Method: the two that do are
 * started in this process; the agent must not get past its canary.
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

    @Test
    void aPlainDataSourceOfAnotherDatabaseIsNoResource() {
        org.apache.derby.jdbc.EmbeddedDataSource plain = new org.apache.derby.jdbc.EmbeddedDataSource();
        assertThrows(IllegalArgumentException.class, () -> ResourceDrivers.of(plain, 10_000));
    }
}
