package io.troth.agent.xa;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.troth.agent.database.Branches;
import io.troth.agent.database.PostgresExtension;
import io.troth.agent.database.TestPostgres;
import io.troth.core.ErrorCode;
import io.troth.core.participant.PrepareResult;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** One branch on one connection of a real server, for each test. */
abstract class OneBranchOnPostgres {

    TestPostgres server;
    PostgresDriver driver;
    Connection connection;
    TrothXid xid;

    /** Each class has a server of its own: classes run side by side. */
    abstract PostgresExtension postgres();

    @BeforeEach
    void open() throws Exception {
        server = postgres().server();
        server.rollbackEverythingPrepared();
        server.execute(
                "DROP TABLE IF EXISTS account CASCADE",
                "CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)",
                "INSERT INTO account VALUES (1, 100), (2, 100)");
        driver = new PostgresDriver(server.dataSource(), 10_000);
        connection = driver.physicalConnections().getConnection();
        xid = new TrothXid(Branches.CLUSTER, Branches.nextTx(), Branches.nextBranch());
    }

    @AfterEach
    void close() throws Exception {
        connection.close();
        server.rollbackEverythingPrepared();
    }

    BranchTransaction begin() throws SQLException {
        return driver.begin(connection, xid, new BranchStart(60_000, BranchStart.DEFAULT_ISOLATION));
    }

    void run(String... statements) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    String balance() throws SQLException {
        return server.ask("SELECT balance FROM account WHERE id = 1");
    }

    /** As the branch's session has it; null in a version that has none of the name. */
    String setting(String name) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT current_setting('" + name + "', true)")) {
            row.next();
            return row.getString(1);
        }
    }

    static ErrorCode codeOf(PrepareResult result) {
        assertEquals(PrepareResult.Kind.REFUSED, result.kind(), () -> "was " + result);
        return result.reason().code();
    }
}
