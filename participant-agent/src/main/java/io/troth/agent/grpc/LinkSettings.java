package io.troth.agent.grpc;

import io.troth.client.grpc.Endpoint;
import io.troth.client.grpc.TlsFiles;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How the agent reaches its coordinator.
 *
 * @param endpoints tried in turn, at least one
 * @param tls null for plaintext
 * @param reconnectMillisMin the shortest pause between two attempts
 * @param reconnectMillisMax the longest; each pause is drawn between the shortest and a bound that doubles up to it
 * @param connectTimeoutMillis how long a call waits for a stream to its transaction's leader when there is none
 */
public record LinkSettings(
        List<Endpoint> endpoints,
        @Nullable TlsFiles tls,
        long reconnectMillisMin,
        long reconnectMillisMax,
        long connectTimeoutMillis) {

    /** The product's pauses. */
    public static final long RECONNECT_MILLIS_MIN = 50;

    public static final long RECONNECT_MILLIS_MAX = 1_000;

    /** With several endpoints: the next leader is elected in about a second, and prepared branches wait for it. */
    public static final long RECONNECT_MILLIS_MAX_IN_CLUSTER = 250;

    /** As long as a client's begin waits. */
    public static final long CONNECT_TIMEOUT_MILLIS = 10_000;

    public LinkSettings {
        endpoints = List.copyOf(endpoints);
        if (endpoints.isEmpty()) {
            throw new IllegalArgumentException("name at least one coordinator");
        }
        if (reconnectMillisMin < 1 || reconnectMillisMax < reconnectMillisMin) {
            throw new IllegalArgumentException("the pauses between two attempts must be positive and in order, found "
                    + reconnectMillisMin + " and " + reconnectMillisMax + " ms");
        }
        if (connectTimeoutMillis < 0) {
            throw new IllegalArgumentException(
                    "the time to wait for a coordinator must not be negative, was " + connectTimeoutMillis + " ms");
        }
    }

    /** With the product's times. */
    public static LinkSettings of(List<Endpoint> endpoints, @Nullable TlsFiles tls) {
        long longest = endpoints.size() > 1 ? RECONNECT_MILLIS_MAX_IN_CLUSTER : RECONNECT_MILLIS_MAX;
        return new LinkSettings(endpoints, tls, RECONNECT_MILLIS_MIN, longest, CONNECT_TIMEOUT_MILLIS);
    }

    /** The same with another time for which a call waits. */
    public LinkSettings withConnectTimeout(Duration timeout) {
        return new LinkSettings(
                endpoints, tls, reconnectMillisMin, reconnectMillisMax, TimeUnit.MILLISECONDS.convert(timeout));
    }
}
