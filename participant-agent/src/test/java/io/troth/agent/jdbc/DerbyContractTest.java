package io.troth.agent.jdbc;

import io.troth.agent.xa.ResourceDriver;
import io.troth.agent.xa.ResourceDrivers;
import java.sql.Connection;
import java.sql.SQLException;
import org.apache.derby.jdbc.EmbeddedXADataSource;

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
}
