package io.troth.bench.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.troth.chaos.db.PostgresBinaries;
import io.troth.chaos.db.PostgresServer;
import io.troth.chaos.process.Children;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Goal: what a connection has forced counts although it has ended. Method: a server, and two connections one after the other. */
class BackendForcesTest {

    private static final int LIMIT_MILLIS = 60_000;
    private static final long COMMITS = 5;

    @TempDir
    Path temp;

    @Test
    void keepsWhatConnectionsThatHaveEndedHadTold() throws IOException, SQLException {
        try (Children children = new Children(Files.createDirectory(temp.resolve("output")));
                PostgresServer server = PostgresServer.start(
                        "postgres",
                        children,
                        PostgresBinaries.in(temp.resolve("binaries")),
                        temp.resolve("data"),
                        Map.of())) {
            server.execute("CREATE TABLE t (id int)");
            BackendForces forces = new BackendForces(List.of(server));
            for (int i = 1; i <= 2; i++) {
                try (Connection connection = DriverManager.getConnection(server.url() + "&ApplicationName=busy");
                        Statement statement = connection.createStatement()) {
                    for (int commit = 0; commit < COMMITS; commit++) {
                        statement.execute("INSERT INTO t VALUES (1)");
                    }
                    statement.execute("SELECT pg_stat_force_next_flush()");
                    statement.execute("SELECT 1");
                    forces.look();
                }
                server.execute("SELECT pg_terminate_backend(pid, " + LIMIT_MILLIS
                        + ") FROM pg_stat_activity WHERE application_name = 'busy'");
                forces.look();
                assertEquals(i * COMMITS, forces.of("busy"));
                assertEquals(0, forces.of("idle"));
            }
        }
    }
}
