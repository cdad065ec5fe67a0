package io.troth.bench.run;

import io.troth.bench.contender.Database;
import io.troth.chaos.db.PostgresBinaries;
import io.troth.chaos.db.PostgresServer;
import io.troth.chaos.db.PreparedTransaction;
import io.troth.chaos.process.Children;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Two PostgreSQL servers, durable as in production, with the accounts. The databases of a run are spread over both: the
 * first and the second are always on different servers.
 */
final class Servers implements AutoCloseable {

    static final int SERVERS = 2;

    private static final int DISCONNECT_MILLIS = 5_000;

    /** Checkpoints would hit one contender and spare the next. */
    private static final Map<String, String> SETTINGS = Map.of(
            "max_connections", "1000",
            "max_prepared_transactions", "2048",
            "shared_buffers", "256MB",
            "checkpoint_timeout", "1h",
            "max_wal_size", "16GB");

    private final List<PostgresServer> servers = new ArrayList<>();
    private final BackendForces forces = new BackendForces(servers);
    private final int databases;

    private Servers(int databases) {
        this.databases = databases;
    }

    static Servers start(Children children, Path directory, int databases) {
        Servers result = new Servers(databases);
        PostgresBinaries binaries =
                PostgresBinaries.in(Path.of(System.getProperty("java.io.tmpdir"), "troth-bench-pg"));
        for (int i = 0; i < SERVERS; i++) {
            result.servers.add(PostgresServer.start(
                    "postgres-" + i, children, binaries, directory.resolve("postgres-" + i), SETTINGS));
        }
        for (Database database : result.databases("bench-setup")) {
            PostgresServer server = result.servers.get(database.server());
            server.execute("CREATE DATABASE " + database.database());
            server.execute(database.database(), new String[] {
                // Room in each page, so that updates stay in it and no contender gets a larger table than the first.
                "CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL) WITH (fillfactor = 40)",
                "INSERT INTO account SELECT i, " + Mix.BALANCE + " FROM generate_series(0, " + (Mix.ACCOUNTS - 1)
                        + ") AS i",
                "VACUUM ANALYZE account",
                "CHECKPOINT"
            });
        }
        return result;
    }

    /** The databases as a contender sees them. */
    List<Database> databases(String application) {
        List<Database> result = new ArrayList<>();
        for (int i = 0; i < databases; i++) {
            int server = i % SERVERS;
            String name = "bank_" + (char) ('a' + i);
            result.add(new Database(name, server, servers.get(server).port(), name, PostgresServer.USER, application));
        }
        return result;
    }

    /** The process ids of the servers. */
    Set<Long> pids() {
        Set<Long> pids = new TreeSet<>();
        servers.forEach(server -> pids.add(server.pid()));
        return pids;
    }

    /** All the money. */
    long total() {
        return ofEach("SELECT sum(balance)::bigint FROM account").stream()
                .mapToLong(Long::longValue)
                .sum();
    }

    /** What a {@link Ledger} counts, by database. */
    List<Long> weighted() {
        return ofEach(Ledger.SQL);
    }

    private List<Long> ofEach(String sql) {
        return databases("bench-check").stream()
                .map(database -> PostgresQueries.queryLong(database, sql))
                .toList();
    }

    /** How many transactions are prepared at all servers. */
    long prepared() {
        return servers.stream().mapToLong(server -> server.prepared().size()).sum();
    }

    /** Ends the connections of an application, whatever they do. */
    void disconnect(String application) {
        servers.forEach(server -> server.execute("SELECT pg_terminate_backend(pid, " + DISCONNECT_MILLIS
                + ") FROM pg_stat_activity WHERE application_name = '" + application + "'"));
    }

    /** Rolls back whatever is prepared. Nobody may be about to end it. */
    void rollBackPrepared() {
        for (PostgresServer server : servers) {
            for (PreparedTransaction each : server.prepared()) {
                server.execute(
                        each.database(),
                        new String[] {"ROLLBACK PREPARED '" + each.gid().replace("'", "''") + "'"});
            }
        }
    }

    /**
     * What the connections say of how often they have forced the log. One tells at most 10 s after its last transaction;
     * what one that has ended has not told before the last look is missing.
     */
    BackendForces forces() {
        return forces;
    }

    /** How often the log was forced by anybody, at all servers; complete when all connections have ended. */
    long forced() {
        String sql = "SELECT coalesce(sum(fsyncs), 0)::bigint FROM pg_stat_io WHERE object = 'wal'";
        return servers.stream().mapToLong(server -> server.queryLong(sql)).sum();
    }

    @Override
    public void close() {
        servers.forEach(server -> {
            server.close();
            server.delete();
        });
    }
}
