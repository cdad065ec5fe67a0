package io.troth.bench.peers;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.bench.contender.Contender;
import io.troth.bench.contender.Database;
import io.troth.bench.contender.Environment;
import io.troth.bench.contender.Running;
import io.troth.bench.contender.Step;
import io.troth.bench.contender.Work;
import io.troth.chaos.db.PostgresBinaries;
import io.troth.chaos.db.PostgresServer;
import io.troth.chaos.process.Children;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Goal: every peer does what it is measured for. Each moves money between two databases of one server, fails once, and must
 * have forced its log as often as it claims. Bitronix and Atomikos take part under the Maven profile {@code peers}.
 */
class PeersTest {

    private static final int NOBODY = 99;

    @TempDir
    static Path directory;

    private static Children children;
    private static PostgresServer server;
    private static List<Database> databases;

    @BeforeAll
    static void startsOneServerWithTwoDatabases() throws IOException {
        children = new Children(Files.createDirectories(directory.resolve("logs")));
        server = PostgresServer.start(
                "pg",
                children,
                PostgresBinaries.in(Path.of(System.getProperty("java.io.tmpdir"))),
                directory.resolve("data"));
        databases = List.of(database("a"), database("b"));
    }

    private static Database database(String name) {
        server.execute("CREATE DATABASE " + name);
        server.execute(name, new String[] {
            "CREATE TABLE account (id int PRIMARY KEY, balance bigint)", "INSERT INTO account VALUES (0, 100)"
        });
        return new Database("bank-" + name, 0, server.port(), name, PostgresServer.USER, "peers-test");
    }

    @AfterAll
    static void stops() {
        server.close();
        children.close();
    }

    static List<Contender> peers() {
        return Peers.all();
    }

    @ParameterizedTest
    @MethodSource("peers")
    void commitsAndRollsBackAndForcesItsLogAsOftenAsItClaims(Contender peer) throws Exception {
        try (Running running = peer.open(new Alone(directory))) {
            running.run(transfer(0));
            long before = running.forcedWrites();
            running.run(transfer(0));
            long after = running.forcedWrites();
            assertThrows(SQLException.class, () -> running.run(transfer(NOBODY)));
            assertAll(
                    () -> assertEquals(98, balance(0), "paid"),
                    () -> assertEquals(102, balance(1), "received"),
                    () -> assertTrue(after - before >= peer.logForcesClaimed(), "forced writes: " + (after - before)));
            running.run(new Work(4, List.of(new Step(0, 0, 2), new Step(1, 0, -2))));
        }
        assertEquals(List.of(), server.prepared());
        assertEquals(List.of(100L, 100L), List.of(balance(0), balance(1)));
    }

    private static Work transfer(int to) {
        return new Work(1, List.of(new Step(0, 0, -1), new Step(1, to, 1)));
    }

    private static long balance(int index) throws SQLException {
        try (var connection = databases.get(index).connect();
                var statement = connection.createStatement();
                var row = statement.executeQuery("SELECT balance FROM account")) {
            row.next();
            return row.getLong(1);
        }
    }

    /** One transaction at a time, over both databases. */
    private record Alone(Path parent) implements Environment {
        @Override
        public List<Database> databases() {
            return databases;
        }

        @Override
        public int inFlight() {
            return 1;
        }

        @Override
        public int connections() {
            return 2;
        }

        @Override
        public Path newDirectory(String name) {
            try {
                return Files.createDirectory(parent.resolve(name));
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public Path newMemoryDirectory() {
            throw new UnsupportedOperationException("no peer wants one");
        }

        @Override
        public Children children() {
            return children;
        }
    }
}
