package io.troth.bench.recovery;

import io.troth.agent.ResourceOptions;
import io.troth.agent.TrothAgent;
import io.troth.bench.troth.ProductProcess;
import io.troth.chaos.db.PostgresBinaries;
import io.troth.chaos.db.PostgresServer;
import io.troth.chaos.process.Children;
import io.troth.core.ClusterId;
import io.troth.core.XidCodec;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.postgresql.xa.PGXADataSource;

/**
 * A database full of branches in doubt that another agent has left, a coordinator that knows that half of them are to be
 * committed and nothing of the others, and a new agent.
 */
final class InDoubtRun {

    private static final String RESOURCE = LogFiller.RESOURCES.get(0);
    private static final long GIVE_UP_SECONDS = 300;

    private InDoubtRun() {}

    /** Returns how many seconds after its start the agent has resolved the last branch. */
    static double seconds(Children children, Path directory, int branches) throws Exception {
        ClusterId cluster = LogFiller.fill(directory.resolve("decisions"), branches / 2, false);
        PostgresBinaries binaries =
                PostgresBinaries.in(Path.of(System.getProperty("java.io.tmpdir"), "troth-bench-pg"));
        try (PostgresServer server = PostgresServer.start(
                        "postgres-in-doubt",
                        children,
                        binaries,
                        directory.resolve("postgres"),
                        Map.of("max_prepared_transactions", Integer.toString(2 * branches)));
                ProductProcess coordinator = ProductProcess.coordinator(
                        children, "coordinator-in-doubt", directory.resolve("decisions"), List.of())) {
            prepare(server, cluster, branches);
            double seconds = resolve(server, coordinator.said("grpc"));
            long committed = server.queryLong("SELECT count(*) FROM mark");
            if (committed != branches / 2) {
                throw new IllegalStateException(committed + " were committed, not " + branches / 2);
            }
            return seconds;
        }
    }

    private static void prepare(PostgresServer server, ClusterId cluster, int branches) throws SQLException {
        Base64.Encoder encoder = Base64.getEncoder();
        try (Connection connection = server.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE mark (n int)");
            for (int i = 0; i < branches; i++) {
                String gid = XidCodec.FORMAT_ID + "_"
                        + encoder.encodeToString(XidCodec.gtrid(cluster, LogFiller.transaction(i))) + "_"
                        + encoder.encodeToString(XidCodec.bqual(LogFiller.branch(i, 0)));
                statement.execute("BEGIN");
                statement.execute("INSERT INTO mark VALUES (" + i + ")");
                statement.execute("PREPARE TRANSACTION '" + gid + "'");
            }
        }
    }

    private static double resolve(PostgresServer server, String coordinator) throws Exception {
        PGXADataSource source = new PGXADataSource();
        source.setUrl(server.url());
        long start = System.nanoTime();
        TrothAgent agent = TrothAgent.builder()
                .coordinator(coordinator)
                .resource(RESOURCE, source, ResourceOptions.DEFAULTS)
                .start();
        try {
            while (server.queryLong("SELECT count(*) FROM pg_prepared_xacts") > 0) {
                if (System.nanoTime() - start > TimeUnit.SECONDS.toNanos(GIVE_UP_SECONDS)) {
                    throw new IllegalStateException("branches are still in doubt");
                }
                TimeUnit.MILLISECONDS.sleep(5);
            }
            return (System.nanoTime() - start) / 1e9;
        } finally {
            agent.close();
        }
    }
}
