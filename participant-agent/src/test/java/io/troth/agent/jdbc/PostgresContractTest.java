package io.troth.agent.jdbc;

import io.troth.agent.database.PostgresExtension;
import io.troth.agent.xa.ResourceDriver;
import io.troth.agent.xa.ResourceDrivers;
import java.sql.Connection;
import java.sql.SQLException;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.postgresql.xa.PGXADataSource;

/** The contract on PostgreSQL, given as an XADataSource, as applications may have it. */
class PostgresContractTest extends ResourceContract {

    @RegisterExtension
    static final PostgresExtension POSTGRES = new PostgresExtension();

    @Override
    ResourceDriver driver() {
        PGXADataSource source = new PGXADataSource();
        source.setUrl(POSTGRES.server().dataSource().getUrl());
        source.setUser("postgres");
        source.setPassword("none");
        return ResourceDrivers.of(source, 10_000);
    }

    @Override
    Connection connect() throws SQLException {
        return POSTGRES.server().dataSource().getConnection();
    }
}
