package io.troth.agent.database;

import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** One server for all test classes that do not kill it; ended after the last of them. */
public final class PostgresExtension implements BeforeAllCallback {

    private static final ExtensionContext.Namespace NAMESPACE =
            ExtensionContext.Namespace.create(PostgresExtension.class);

    private TestPostgres server;

    @Override
    public void beforeAll(ExtensionContext context) {
        server = context.getRoot()
                .getStore(NAMESPACE)
                .getOrComputeIfAbsent("server", key -> new Shared(TestPostgres.start()), Shared.class)
                .server;
    }

    /** The running server. */
    public TestPostgres server() {
        return server;
    }

    private record Shared(TestPostgres server) implements AutoCloseable {

        @Override
        public void close() {
            server.close();
        }
    }
}
