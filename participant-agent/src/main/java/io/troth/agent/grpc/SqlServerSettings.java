package io.troth.agent.grpc;

import io.troth.client.grpc.Endpoint;
import io.troth.client.grpc.TrothServerInterceptor;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Where and how the SQL gateway listens.
 *
 * @param listen the address and port; port 0 takes a free one
 * @param announcedHost the name by which clients reach it; null for that of {@code listen}
 * @param tls null for plaintext
 * @param exposed must be true for an address that other machines reach: the gateway runs any SQL the role may run
 * @param insecure must be true for plaintext on such an address
 * @param callsMax the most calls at once, each with a thread of its own while it runs
 * @param servedCallsMax the most calls that are remembered against being executed twice
 */
public record SqlServerSettings(
        Endpoint listen,
        @Nullable String announcedHost,
        @Nullable ServerTls tls,
        boolean exposed,
        boolean insecure,
        int callsMax,
        int servedCallsMax) {

    /** The product's bound. */
    public static final int CALLS_MAX = 256;

    /**
     * PEM files.
     *
     * @param certificate by which the gateway proves itself
     * @param key the certificate's key
     * @param authorities whose clients are let in; null lets in every client
     */
    public record ServerTls(
            Path certificate, Path key, @Nullable Path authorities) {}

    public SqlServerSettings {
        if (callsMax < 1 || servedCallsMax < 1) {
            throw new IllegalArgumentException("the SQL gateway must take and remember at least 1 call");
        }
        if (!listen.isLoopback() && !exposed) {
            throw new IllegalArgumentException("the SQL gateway would be open to other machines on " + listen
                    + ": say so explicitly, or listen on 127.0.0.1");
        }
        if (!listen.isLoopback() && tls == null && !insecure) {
            throw new IllegalArgumentException(
                    "the SQL gateway on " + listen
                            + " would speak plaintext to other machines: give it TLS files, or --insecure in a network you trust");
        }
    }

    /** With the product's bound of remembered calls. */
    public SqlServerSettings(
            Endpoint listen,
            @Nullable String announcedHost,
            @Nullable ServerTls tls,
            boolean exposed,
            boolean insecure,
            int callsMax) {
        this(listen, announcedHost, tls, exposed, insecure, callsMax, TrothServerInterceptor.SERVED_CALLS_MAX);
    }

    /** On this machine only, without TLS. */
    public static SqlServerSettings loopback(int port) {
        return new SqlServerSettings(new Endpoint("127.0.0.1", port), null, null, false, false, CALLS_MAX);
    }
}
