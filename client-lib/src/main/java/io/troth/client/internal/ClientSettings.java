package io.troth.client.internal;

import io.troth.client.grpc.Endpoint;
import io.troth.client.grpc.TlsFiles;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a client is built with. Every duration is in milliseconds and positive.
 *
 * @param endpoints where coordinators may be; tried in turn
 * @param clientName for operators' eyes
 * @param tls null for plaintext
 * @param connectTimeoutMillis how long begin waits for a client session when there is none
 * @param outcomeTimeoutMillis how long commit waits for an outcome before it gives up with UNKNOWN
 * @param transactionTimeoutMillis the default timeout of a transaction
 * @param openTransactionsMax the most transactions that may be open in this client; the coordinator's own limit counts
 *     too
 * @param helloTimeoutMillis how long a new stream may stay silent
 * @param reconnectMillisMin the first pause before a new attempt; doubled up to the maximum, with jitter
 * @param reconnectMillisMax the longest pause
 * @param inquiryPauseMillis how long after PENDING the question is asked again
 * @param unknownKeepMillis how long the result of a transaction is asked for after commit gave up, and how long its
 *     sequence is held so that the coordinator keeps it
 */
public record ClientSettings(
        List<Endpoint> endpoints,
        String clientName,
        @Nullable TlsFiles tls,
        long connectTimeoutMillis,
        long outcomeTimeoutMillis,
        long transactionTimeoutMillis,
        int openTransactionsMax,
        long helloTimeoutMillis,
        long reconnectMillisMin,
        long reconnectMillisMax,
        long inquiryPauseMillis,
        long unknownKeepMillis) {

    private static final long RECONNECT_MILLIS_MAX = 1_000;

    /** With several endpoints: the next leader is elected in about a second, and callers wait for it. */
    private static final long RECONNECT_MILLIS_MAX_IN_CLUSTER = 250;

    public ClientSettings {
        endpoints = List.copyOf(endpoints);
        boolean positive = connectTimeoutMillis > 0
                && outcomeTimeoutMillis > 0
                && transactionTimeoutMillis > 0
                && openTransactionsMax > 0
                && helloTimeoutMillis > 0
                && reconnectMillisMin > 0
                && reconnectMillisMax >= reconnectMillisMin
                && inquiryPauseMillis > 0
                && unknownKeepMillis > 0;
        if (endpoints.isEmpty() || !positive) {
            throw new IllegalArgumentException("a client needs an endpoint, and every limit must be positive");
        }
    }

    /** The defaults of the product. */
    public static ClientSettings of(List<Endpoint> endpoints) {
        long reconnectMillisMax = endpoints.size() > 1 ? RECONNECT_MILLIS_MAX_IN_CLUSTER : RECONNECT_MILLIS_MAX;
        return new ClientSettings(
                endpoints, "", null, 10_000, 30_000, 60_000, 10_000, 5_000, 50, reconnectMillisMax, 200, 600_000);
    }
}
