package io.troth.chaos.db;

import io.troth.chaos.process.ChildProcess;
import io.troth.chaos.process.Children;
import io.troth.chaos.process.Ports;
import io.troth.chaos.process.WorkDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * One PostgreSQL server with its data in a temp directory, durable as in production ({@code fsync},
 * {@code synchronous_commit}), with room for prepared transactions. It is a child process like any other: killed by a
 * signal, restarted on the same data and port, and gone when this JVM is gone.
 *
 * <p>Runs as any user: as root, which PostgreSQL refuses, it runs in a user namespace of its own. Thread-safe.
 */
public final class PostgresServer implements AutoCloseable {

    /** The role that everybody uses; no password, loopback only. */
    public static final String USER = "postgres";

    /** The database that is always there. */
    public static final String DATABASE = "postgres";

    /**
     * As a crash to what it stores; but a killed server leaves a file in {@code /dev/shm} and a segment of System V shared
     * memory behind, of which a machine has only so many.
     */
    private static final String IMMEDIATE_SHUTDOWN = "QUIT";

    private static final Duration START_LIMIT = Duration.ofSeconds(90);
    private static final long INIT_LIMIT_SECONDS = 120;

    /**
     * Runs the rest of its command line as itself, so that its process id is the server's, and leaves a watcher that
     * ends the server when the standard input ends. The watcher looks whether its parent is still the server.
     */
    private static final String RUN_WITH_LIFELINE = """
            exec 3<&0
            ( cat <&3 >/dev/null
              read -r _ _ _ parent _ </proc/self/stat
              [ "$parent" = "$$" ] && kill -QUIT $$ ) &
            exec "$@" 3<&- </dev/null 2>&1
            """;

    private final String name;
    private final Children children;
    private final PostgresBinaries binaries;
    private final Path data;
    private final int port;
    private final Map<String, String> settings;
    private ChildProcess process;

    private PostgresServer(
            String name,
            Children children,
            PostgresBinaries binaries,
            Path data,
            int port,
            Map<String, String> settings) {
        this.name = name;
        this.children = children;
        this.binaries = binaries;
        this.data = data;
        this.port = port;
        this.settings = settings;
        this.process = launch();
    }

    /**
     * Initialises and starts a server, and returns when it answers.
     *
     * @param name what it is called in messages and log files
     * @param directory where its data goes; must not hold a server yet
     */
    public static PostgresServer start(String name, Children children, PostgresBinaries binaries, Path directory) {
        return start(name, children, binaries, directory, Map.of());
    }

    /** As {@link #start(String, Children, PostgresBinaries, Path)}, with more settings or other values. */
    public static PostgresServer start(
            String name, Children children, PostgresBinaries binaries, Path directory, Map<String, String> more) {
        Map<String, String> settings = new TreeMap<>(Map.of(
                "fsync", "on",
                "synchronous_commit", "on",
                "full_page_writes", "on",
                "max_prepared_transactions", "64",
                "max_connections", "100",
                "shared_buffers", "32MB",
                "listen_addresses", "127.0.0.1",
                "unix_socket_directories", ""));
        settings.putAll(more);
        initialise(children, binaries, directory, name);
        PostgresServer server = new PostgresServer(
                name, children, binaries, directory, Ports.free(new Random(System.nanoTime())), settings);
        server.awaitReady();
        return server;
    }

    public String name() {
        return name;
    }

    public int port() {
        return port;
    }

    /** The process id of the server's first process. */
    public long pid() {
        return process.pid();
    }

    /** The JDBC address of the database that is always there. */
    public String url() {
        return url(DATABASE);
    }

    public String url(String database) {
        return url(database, port);
    }

    /** As {@link #url(String)} at another port, such as that of a proxy before this server. */
    public static String url(String database, int port) {
        return "jdbc:postgresql://127.0.0.1:" + port + "/" + database + "?user=" + USER;
    }

    /** A new connection, outside of any pool. */
    public Connection connect() throws SQLException {
        return connect(DATABASE);
    }

    public Connection connect(String database) throws SQLException {
        return DriverManager.getConnection(url(database));
    }

    /** Runs statements, each in a transaction of its own, on a new connection. */
    public void execute(String... statements) {
        execute(DATABASE, statements);
    }

    /** As {@link #execute(String...)} in a given database. */
    public void execute(String database, String[] statements) {
        try (Connection connection = connect(database);
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(name + ": " + e.getMessage(), e);
        }
    }

    /** The first column of the first row. */
    public long queryLong(String sql) {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            if (!rows.next()) {
                throw new IllegalStateException(name + ": no row for " + sql);
            }
            return rows.getLong(1);
        } catch (SQLException e) {
            throw new IllegalStateException(name + ": " + e.getMessage(), e);
        }
    }

    /** What the whole server holds prepared, ours or not, the oldest first. */
    public List<PreparedTransaction> prepared() {
        String sql = "SELECT gid, database,"
                + " (extract(epoch FROM clock_timestamp() - prepared) * 1000)::bigint"
                + " FROM pg_prepared_xacts ORDER BY prepared, gid";
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            List<PreparedTransaction> prepared = new ArrayList<>();
            while (rows.next()) {
                prepared.add(new PreparedTransaction(rows.getString(1), rows.getString(2), rows.getLong(3)));
            }
            return prepared;
        } catch (SQLException e) {
            throw new IllegalStateException(name + ": " + e.getMessage(), e);
        }
    }

    /** Kills the server as a power cut would, all its backends with it. Returns the exit code. */
    public int kill() {
        int exit = process.kill();
        awaitNobodyListens();
        return exit;
    }

    /** Starts it again on the same data and port, and returns when it answers. */
    public void restart() {
        process = launch();
        awaitReady();
    }

    /** Stops the server and its backends at once, in order: its data stays, and nothing of it in shared memory. */
    @Override
    public void close() {
        process.close();
    }

    private ChildProcess launch() {
        List<String> command = new ArrayList<>(List.of("sh", "-c", RUN_WITH_LIFELINE, "postgres"));
        command.addAll(unprivileged());
        command.addAll(List.of(binaries.program("postgres"), "-D", data.toString(), "-p", Integer.toString(port)));
        settings.forEach((key, value) -> {
            command.add("-c");
            command.add(key + "=" + value);
        });
        return children.start(name, command, IMMEDIATE_SHUTDOWN);
    }

    private void awaitReady() {
        process.awaitLine(
                line -> line.contains("database system is ready to accept connections"),
                "that it is ready (see " + children.logDirectory().resolve(name + ".out") + ")",
                START_LIMIT);
    }

    /** The backends of a killed server notice its end by themselves; a restart before that is refused. */
    private void awaitNobodyListens() {
        long deadline = System.nanoTime() + START_LIMIT.toNanos();
        while (System.nanoTime() - deadline < 0) {
            if (!hasBackends()) {
                return;
            }
            pause();
        }
        throw new IllegalStateException(name + " still has backends after its kill");
    }

    /** PostgreSQL itself tells by the shared memory segment that its lock file names; any process title will do here. */
    private boolean hasBackends() {
        String marker = "postgres: ";
        try (var directories = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path directory : directories) {
                if (isBackendOf(directory, marker)) {
                    return true;
                }
            }
            return false;
        } catch (IOException e) {
            return false;
        }
    }

    private boolean isBackendOf(Path directory, String marker) {
        try {
            boolean isBackend = Files.readString(directory.resolve("cmdline")).startsWith(marker);
            return isBackend && Files.readSymbolicLink(directory.resolve("cwd")).equals(data.toRealPath());
        } catch (IOException e) {
            // The process ended while it was looked at.
            return false;
        }
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(10);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private static void initialise(Children children, PostgresBinaries binaries, Path directory, String name) {
        List<String> command = new ArrayList<>(unprivileged());
        command.addAll(List.of(
                binaries.program("initdb"),
                "--pgdata=" + directory,
                "--username=" + USER,
                "--auth=trust",
                "--encoding=UTF8",
                "--no-locale",
                "--no-sync"));
        ChildProcess initdb = children.start(name + "-initdb", command);
        int exit = initdb.awaitExit(Duration.ofSeconds(INIT_LIMIT_SECONDS));
        if (exit != 0) {
            throw new IllegalStateException("initdb of " + name + " failed with exit code " + exit + ", see "
                    + children.logDirectory().resolve(name + "-initdb.err"));
        }
    }

    /** What stands before a PostgreSQL program to run it as somebody other than root. */
    private static List<String> unprivileged() {
        return isRoot() ? List.of("unshare", "-U") : List.of();
    }

    private static boolean isRoot() {
        return "root".equals(System.getProperty("user.name"));
    }

    /** Deletes the data of a closed server. */
    public void delete() {
        WorkDirectory.delete(data);
    }
}
