package io.troth.chaos.stack;

import io.troth.chaos.db.PostgresBinaries;
import io.troth.chaos.db.PostgresServer;
import io.troth.chaos.process.Children;
import io.troth.chaos.process.WorkDirectory;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Two PostgreSQL servers for all tests of this JVM, started when first wanted and gone with the JVM. */
final class SharedServers {

    private static @Nullable List<PostgresServer> servers;

    private SharedServers() {}

    /** The two of them, running: a test that kills one restarts it. */
    static synchronized List<PostgresServer> running() {
        List<PostgresServer> known = servers;
        if (known == null) {
            WorkDirectory directory = WorkDirectory.create("shared-servers-");
            Runtime.getRuntime().addShutdownHook(new Thread(() -> end(directory), "end-shared-servers"));
            Children children = new Children(directory.directory("logs"));
            PostgresBinaries binaries = PostgresBinaries.in(Path.of(System.getProperty("java.io.tmpdir")));
            CompletableFuture<PostgresServer> first =
                    CompletableFuture.supplyAsync(() -> start(children, binaries, directory, "shared-a"));
            CompletableFuture<PostgresServer> second =
                    CompletableFuture.supplyAsync(() -> start(children, binaries, directory, "shared-b"));
            known = List.of(first.join(), second.join());
            servers = known;
            SharedClasses.prepare(children, directory.path());
        }
        return known;
    }

    private static PostgresServer start(
            Children children, PostgresBinaries binaries, WorkDirectory directory, String name) {
        return PostgresServer.start(name, children, binaries, directory.path().resolve(name));
    }

    private static synchronized void end(WorkDirectory directory) {
        List<PostgresServer> known = servers;
        if (known != null) {
            known.forEach(PostgresServer::kill);
        }
        directory.close();
    }
}
