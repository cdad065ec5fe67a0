package io.troth.chaos.stack;

import io.troth.chaos.db.PostgresBinaries;
import io.troth.chaos.db.PostgresServer;
import io.troth.chaos.process.Children;
import io.troth.chaos.process.WorkDirectory;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * Two PostgreSQL servers for all tests of this JVM, and a third for those that kill one; started when first wanted and gone
 * with the JVM.
 */
final class SharedServers {

    /** The lock of whoever uses the server that may be killed. */
    static final String TO_KILL = "the server that may be killed";

    private static @Nullable SharedServers instance;

    private final WorkDirectory directory = WorkDirectory.create("shared-servers-");
    private final Children children = new Children(directory.directory("logs"));
    private final PostgresBinaries binaries = PostgresBinaries.in(Path.of(System.getProperty("java.io.tmpdir")));
    private final List<PostgresServer> started = new CopyOnWriteArrayList<>();
    private final List<PostgresServer> servers;
    private @Nullable PostgresServer toKill;

    private SharedServers() {
        Runtime.getRuntime().addShutdownHook(new Thread(this::end, "end-shared-servers"));
        CompletableFuture<PostgresServer> first = CompletableFuture.supplyAsync(() -> start("shared-a"));
        CompletableFuture<PostgresServer> second = CompletableFuture.supplyAsync(() -> start("shared-b"));
        servers = List.of(first.join(), second.join());
    }

    /** The two of them, running: nobody may kill them. */
    static List<PostgresServer> running() {
        return instance().servers;
    }

    /** The first of the two, and another server that the holder of the lock {@link #TO_KILL} may kill and must restart. */
    static List<PostgresServer> withOneToKill() {
        return List.of(instance().servers.get(0), instance().toKill());
    }

    private static synchronized SharedServers instance() {
        SharedServers known = instance;
        if (known == null) {
            known = new SharedServers();
            instance = known;
            SharedClasses.prepare(known.children, known.directory.path());
        }
        return known;
    }

    private synchronized PostgresServer toKill() {
        PostgresServer known = toKill;
        if (known == null) {
            known = start("shared-to-kill");
            toKill = known;
        }
        return known;
    }

    private PostgresServer start(String name) {
        PostgresServer server =
                PostgresServer.start(name, children, binaries, directory.path().resolve(name));
        started.add(server);
        return server;
    }

    /** Each with all its backends, before their data goes. */
    private void end() {
        started.forEach(PostgresServer::close);
        directory.close();
    }
}
