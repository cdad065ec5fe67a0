package io.troth.client;

import io.troth.client.grpc.Endpoint;
import io.troth.client.grpc.TlsFiles;
import io.troth.client.internal.ClientEngine;
import io.troth.client.internal.ClientSettings;
import io.troth.client.internal.SqlGateways;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Collects what a {@link TrothClient} is built with. Not thread-safe. */
public final class TrothClientBuilder {

    private final List<Endpoint> endpoints = new ArrayList<>();
    private final ClientSettings defaults = ClientSettings.of(List.of(new Endpoint("localhost", 7700)));
    private String name = "";
    private @Nullable TlsFiles tls;
    private boolean insecure;
    private long connectTimeoutMillis = defaults.connectTimeoutMillis();
    private long outcomeTimeoutMillis = defaults.outcomeTimeoutMillis();
    private long transactionTimeoutMillis = defaults.transactionTimeoutMillis();
    private int openTransactionsMax = defaults.openTransactionsMax();

    TrothClientBuilder() {}

    /**
     * Adds {@code host:port} of a coordinator; several are tried in turn.
     *
     * @throws IllegalArgumentException when it is not well-formed
     */
    public TrothClientBuilder endpoint(String endpoint) {
        endpoints.add(Endpoint.parse(endpoint));
        return this;
    }

    /** The application's name, for operators' eyes. */
    public TrothClientBuilder name(String itsName) {
        name = itsName;
        return this;
    }

    /** Speaks TLS and trusts the authorities in this PEM file. */
    public TrothClientBuilder tls(Path authorities) {
        tls = new TlsFiles(authorities, null, null);
        return this;
    }

    /** Speaks TLS, trusts the authorities, and proves itself with a certificate and its key; all PEM files. */
    public TrothClientBuilder tls(Path authorities, Path certificate, Path key) {
        tls = new TlsFiles(authorities, certificate, key);
        return this;
    }

    /** Allows plaintext to other machines: session keys can then be read on the way. */
    public TrothClientBuilder insecure() {
        insecure = true;
        return this;
    }

    /** How long begin waits for the coordinator when there is no client session, before it throws NO_COORDINATOR; 10 s by default. */
    public TrothClientBuilder connectTimeout(Duration timeout) {
        connectTimeoutMillis = TimeUnit.MILLISECONDS.convert(timeout);
        return this;
    }

    /**
     * How long commit waits for an outcome before it says that it is unknown; 30 s by default. Where the caller's own thread
     * works at a database of this process, it says so when that has answered.
     */
    public TrothClientBuilder outcomeTimeout(Duration timeout) {
        outcomeTimeoutMillis = TimeUnit.MILLISECONDS.convert(timeout);
        return this;
    }

    /** The timeout of transactions that name none; 60 s by default. */
    public TrothClientBuilder transactionTimeout(Duration timeout) {
        transactionTimeoutMillis = TimeUnit.MILLISECONDS.convert(timeout);
        return this;
    }

    /** The most transactions of this client that may be open at once; 10,000 by default. */
    public TrothClientBuilder openTransactionsMax(int transactions) {
        openTransactionsMax = transactions;
        return this;
    }

    /**
     * Makes the client. It connects in the background: begin waits for it.
     *
     * @throws IllegalArgumentException when there is no endpoint, a limit is not positive, a TLS file cannot be read, or
     *     plaintext would leave this machine without {@link #insecure()}
     */
    public TrothClient build() {
        for (Endpoint endpoint : endpoints) {
            if (tls == null && !insecure && !endpoint.isLoopback()) {
                throw new IllegalArgumentException(
                        endpoint + " is not a loopback address: use tls(..), or insecure() in a network you trust");
            }
        }
        ClientEngine engine = ClientEngine.start(new ClientSettings(
                endpoints,
                name,
                tls,
                connectTimeoutMillis,
                outcomeTimeoutMillis,
                transactionTimeoutMillis,
                openTransactionsMax,
                defaults.helloTimeoutMillis(),
                defaults.reconnectMillisMin(),
                ClientSettings.of(endpoints).reconnectMillisMax(),
                defaults.inquiryPauseMillis(),
                defaults.unknownKeepMillis()));
        return new TrothClient(engine, new SqlGateways(engine, insecure));
    }
}
