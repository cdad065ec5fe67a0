package io.troth.agent.database;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.awaitility.Awaitility;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * A real PostgreSQL server with durable settings, which can be killed and started again on the same data and port. The
 * test closes it; nothing stays.
 */
public final class TestPostgres implements AutoCloseable {

    private final Path directory;
    private final Map<String, String> settings;
    private EmbeddedPostgres server;
    private final int port;

    private TestPostgres(Path directory, Map<String, String> settings) throws IOException {
        this.directory = directory;
        this.settings = settings;
        this.server = launch(0);
        this.port = server.getPort();
    }

    /** Starts a server with 20 slots for prepared transactions. */
    public static TestPostgres start() {
        return start(Map.of());
    }

    /** Starts a server with these settings on top of durable ones. */
    public static TestPostgres start(Map<String, String> overrides) {
        Map<String, String> settings = new HashMap<>(Map.of(
                "fsync", "on",
                "synchronous_commit", "on",
                "full_page_writes", "on",
                "max_prepared_transactions", "20",
                "deadlock_timeout", "100ms"));
        settings.putAll(overrides);
        try {
            return new TestPostgres(Files.createTempDirectory("troth-postgres"), settings);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private EmbeddedPostgres launch(int onPort) throws IOException {
        EmbeddedPostgres.Builder builder = EmbeddedPostgres.builder()
                .setDataDirectory(directory.resolve("data"))
                .setCleanDataDirectory(false)
                .setPGStartupWait(Duration.ofSeconds(60))
                .setPort(onPort);
        settings.forEach(builder::setServerConfig);
        return builder.start();
    }

    public int port() {
        return port;
    }

    /** Unpooled connections of the superuser. */
    public PGSimpleDataSource dataSource() {
        return dataSource("postgres", "postgres");
    }

    /** Unpooled connections of a role; passwords are not asked for. */
    public PGSimpleDataSource dataSource(String role, String database) {
        return dataSource(role, database, port);
    }

    /** The same by way of a proxy's port. */
    public PGSimpleDataSource dataSource(String role, String database, int throughPort) {
        PGSimpleDataSource source = new PGSimpleDataSource();
        source.setServerNames(new String[] {"localhost"});
        source.setPortNumbers(new int[] {throughPort});
        source.setDatabaseName(database);
        source.setUser(role);
        source.setPassword("none");
        return source;
    }

    public void execute(String... statements) throws SQLException {
        try (Connection connection = dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    /** The first column of the first row as text; null when there is no row. */
    public String ask(String sql) throws SQLException {
        return ask(dataSource(), sql);
    }

    public static String ask(DataSource source, String sql) throws SQLException {
        try (Connection connection = source.getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            return row.next() ? row.getString(1) : null;
        }
    }

    /** 18 of 18.6. */
    public int version() throws SQLException {
        return Integer.parseInt(ask("SHOW server_version_num")) / 10_000;
    }

    /** Whether this version has such a setting. */
    public boolean knows(String setting) throws SQLException {
        return ask("SELECT 1 FROM pg_settings WHERE name = '" + setting + "'") != null;
    }

    /** What the whole server lists as prepared. */
    public List<String> prepared() throws SQLException {
        List<String> gids = new ArrayList<>();
        try (Connection connection = dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT gid FROM pg_prepared_xacts ORDER BY gid")) {
            while (rows.next()) {
                gids.add(rows.getString(1));
            }
        }
        return gids;
    }

    /** Rolls back whatever is prepared in any database. */
    public void rollbackEverythingPrepared() throws SQLException {
        try (Connection connection = dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            for (String listed : prepared()) {
                String gid = listed.replace("'", "''");
                String database = ask("SELECT database FROM pg_prepared_xacts WHERE gid = '" + gid + "'");
                if ("postgres".equals(database)) {
                    statement.execute("ROLLBACK PREPARED '" + gid + "'");
                } else {
                    try (Connection other = dataSource("postgres", database).getConnection();
                            Statement there = other.createStatement()) {
                        there.execute("ROLLBACK PREPARED '" + gid + "'");
                    }
                }
            }
        }
    }

    /** Restarts it in order with these settings changed. */
    public void restart(Map<String, String> changes) throws IOException {
        server.close();
        settings.putAll(changes);
        server = launch(port);
    }

    /** SIGKILL to the server, as at a power failure of its host; returns when it is gone. */
    public void kill() throws IOException {
        long pid = Long.parseLong(Files.readAllLines(directory.resolve("data/postmaster.pid"))
                .get(0)
                .trim());
        ProcessHandle postmaster = ProcessHandle.of(pid).orElseThrow();
        List<ProcessHandle> backends = postmaster.descendants().toList();
        postmaster.destroyForcibly();
        // PostgreSQL's processes notice that the postmaster is gone; those that do not would block the next start.
        backends.forEach(ProcessHandle::destroyForcibly);
        Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> !postmaster.isAlive());
        Awaitility.await()
                .atMost(Duration.ofSeconds(20))
                .until(() -> backends.stream().noneMatch(ProcessHandle::isAlive));
        // There is nothing left to stop, but the launcher's lock on the data must go.
        server.close();
    }

    /** SIGKILL to one backend: the server ends every session and starts crash recovery by itself. */
    public void killBackend(int pid) {
        ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    }

    /** An orderly stop, as by an administrator; the data stay. */
    public void stopInOrder() throws IOException {
        server.close();
    }

    /** A standby on a copy of this server's data, which hears nothing from it. While this one is stopped in order. */
    public TestPostgres standby() throws IOException {
        Path copy = Files.createTempDirectory("troth-standby");
        Path from = directory.resolve("data");
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Files.copy(
                        file, copy.resolve("data").resolve(from.relativize(file)), StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
        Files.createFile(copy.resolve("data/standby.signal"));
        return new TestPostgres(copy, settings);
    }

    /** Starts it again on the same data and port. */
    public void restart() throws IOException {
        server = launch(port);
    }

    @Override
    public void close() {
        try {
            server.close();
            try (Stream<Path> files = Files.walk(directory)) {
                for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
