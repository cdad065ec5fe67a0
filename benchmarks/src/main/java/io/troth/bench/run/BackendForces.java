package io.troth.bench.run;

import io.troth.chaos.db.PostgresServer;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How often the connections of each application have forced the log. A server forgets what a connection did when it ends,
 * as pools end theirs after half an hour, so it is looked at again and again. One thread.
 */
final class BackendForces {

    private static final String SQL = "SELECT a.application_name, a.pid, a.backend_start::text, sum(io.fsyncs)::bigint"
            + " FROM pg_stat_activity AS a, pg_stat_get_backend_io(a.pid) AS io"
            + " WHERE io.object = 'wal' GROUP BY 1, 2, 3";

    private final List<PostgresServer> servers;
    private final Map<Backend, Long> seen = new HashMap<>();

    private record Backend(String application, String server, int pid, String started) {}

    BackendForces(List<PostgresServer> servers) {
        this.servers = servers;
    }

    /** Keeps what every connection has told by now. */
    void look() {
        for (PostgresServer server : servers) {
            try (Connection connection = server.connect();
                    Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery(SQL)) {
                while (rows.next()) {
                    Backend backend = new Backend(rows.getString(1), server.name(), rows.getInt(2), rows.getString(3));
                    seen.put(backend, rows.getLong(4));
                }
            } catch (SQLException e) {
                throw new IllegalStateException(server.name() + ": " + e.getMessage(), e);
            }
        }
    }

    /** Of all connections that were there at any look; of each what it had told at the last one that found it. */
    long of(String application) {
        return seen.entrySet().stream()
                .filter(each -> each.getKey().application().equals(application))
                .mapToLong(Map.Entry::getValue)
                .sum();
    }
}
