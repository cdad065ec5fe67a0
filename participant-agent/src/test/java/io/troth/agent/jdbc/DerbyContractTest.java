package io.troth.agent.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.database.Branches;
import io.troth.agent.xa.BranchStart;
import io.troth.agent.xa.BranchTransaction;
import io.troth.agent.xa.ResourceDriver;
import io.troth.agent.xa.ResourceDrivers;
import io.troth.agent.xa.TrothXid;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.apache.derby.jdbc.EmbeddedXADataSource;
import org.junit.jupiter.api.Test;

/** The contract on Derby by its XAResource: the interface of drivers is not PostgreSQL's in disguise. */
public class DerbyContractTest extends ResourceContract {

    static {
        System.setProperty("derby.stream.error.method", DerbyContractTest.class.getName() + ".noLog");
        System.setProperty("derby.locks.waitTimeout", "5");
    }

    /** Derby writes its log here instead of into the working directory. */
    public static java.io.OutputStream noLog() {
        return java.io.OutputStream.nullOutputStream();
    }

    static EmbeddedXADataSource source() {
        EmbeddedXADataSource source = new EmbeddedXADataSource();
        source.setDatabaseName("memory:contract");
        source.setCreateDatabase("create");
        return source;
    }

    @Override
    ResourceDriver driver() {
        return ResourceDrivers.of(source(), 10_000);
    }

    @Override
    Connection connect() throws SQLException {
        return source().getXAConnection().getConnection();
    }

    /** As the pool does with a session whose rollback has failed. */
    @Test
    void aSessionThatIsClosedInABranchKeepsNoLock() throws Exception {
        ResourceDriver driver = driver();
        TrothXid xid = new TrothXid(Branches.CLUSTER, Branches.nextTx(), Branches.nextBranch());
        Connection session = driver.physicalConnections().getConnection();
        BranchTransaction unused = driver.begin(session, xid, new BranchStart(60_000, BranchStart.DEFAULT_ISOLATION));
        execute(session, "UPDATE account SET balance = 0 WHERE id = 1");
        session.close();
        try (Connection other = connect()) {
            execute(other, "UPDATE account SET balance = balance + 1 WHERE id = 1 AND balance = 100");
            try (Statement statement = other.createStatement();
                    ResultSet row = statement.executeQuery("SELECT balance FROM account WHERE id = 1")) {
                assertTrue(row.next());
                assertEquals(101, row.getInt(1));
            }
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
