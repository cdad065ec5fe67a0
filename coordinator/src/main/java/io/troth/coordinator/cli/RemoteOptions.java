package io.troth.coordinator.cli;

import io.troth.coordinator.grpc.ClientTls;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of a command that speaks to a running coordinator. */
final class RemoteOptions {

    private static final long TIMEOUT_MILLIS = 10_000;

    @Option(
            names = "--endpoint",
            paramLabel = "HOST:PORT",
            defaultValue = "localhost:7700",
            description = "The coordinator; default ${DEFAULT-VALUE}.")
    private String endpoint;

    @Option(names = "--ca", paramLabel = "FILE", description = "TLS: who signs the coordinator's certificate.")
    private @Nullable Path authorities;

    @Option(names = "--cert", paramLabel = "FILE", description = "TLS: the certificate to show.")
    private @Nullable Path certificate;

    @Option(names = "--key", paramLabel = "FILE", description = "TLS: the key of that certificate.")
    private @Nullable Path key;

    @Option(
            names = "--timeout",
            paramLabel = "MILLIS",
            description = "How long to wait for an answer; default 10000, and 90000 where members of a cluster change.")
    private @Nullable Long timeoutMillis;

    @Option(names = "--json", description = "JSON, one object a line.")
    private boolean json;

    @SuppressWarnings("NullAway.Init") // picocli fills them in.
    RemoteOptions() {}

    String endpoint() {
        return endpoint;
    }

    /**
     * Null for plaintext.
     *
     * @throws IllegalArgumentException when the options contradict each other
     */
    @Nullable
    ClientTls tls() {
        if (authorities == null && (certificate != null || key != null)) {
            throw new IllegalArgumentException("--cert and --key need --ca");
        }
        return authorities == null ? null : new ClientTls(authorities, certificate, key);
    }

    long timeoutMillis() {
        return timeoutMillis(TIMEOUT_MILLIS);
    }

    /** The timeout, with another default. */
    long timeoutMillis(long otherwise) {
        return timeoutMillis == null ? otherwise : timeoutMillis;
    }

    AdminPrinter printer(PrintWriter out) {
        return new AdminPrinter(out, json);
    }
}
