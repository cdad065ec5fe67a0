package io.troth.agent.database;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A server for a test class that does not kill it, and for nobody else while the class runs: classes run at the same
 * time, and look at everything that a server holds prepared. The next class gets it; all end after the last one.
 */
public final class PostgresExtension implements BeforeAllCallback, AfterAllCallback {

    private static final ExtensionContext.Namespace NAMESPACE =
            ExtensionContext.Namespace.create(PostgresExtension.class);

    private TestPostgres server;

    @Override
    public void beforeAll(ExtensionContext context) {
        server = servers(context).take();
    }

    @Override
    public void afterAll(ExtensionContext context) {
        servers(context).giveBack(server);
    }

    private static Servers servers(ExtensionContext context) {
        return context.getRoot()
                .getStore(NAMESPACE)
                .getOrComputeIfAbsent("servers", key -> new Servers(), Servers.class);
    }

    /** The running server. */
    public TestPostgres server() {
        return server;
    }

    /** Started when nobody has given one back; as many as classes run at a time. */
    private static final class Servers implements AutoCloseable {

        private final List<TestPostgres> all = new ArrayList<>();
        private final Deque<TestPostgres> free = new ArrayDeque<>();

        synchronized TestPostgres take() {
            TestPostgres known = free.poll();
            if (known != null) {
                return known;
            }
            TestPostgres started = TestPostgres.start();
            all.add(started);
            return started;
        }

        synchronized void giveBack(TestPostgres server) {
            free.push(server);
        }

        @Override
        public synchronized void close() {
            all.forEach(TestPostgres::close);
        }
    }
}
