package io.troth.agent.grpc;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
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

    private static final int PORT_MAX = 65_535;

    /** One address of a coordinator. */
    public record Endpoint(String host, int port) {

        private static final Pattern LOOPBACK = Pattern.compile("127(\\.[0-9]{1,3}){3}");

        /**
         * Reads {@code host:port}; an IPv6 address stands in brackets.
         *
         * @throws IllegalArgumentException when the text is anything else
         */
        public static Endpoint parse(String text) {
            int colon = text.lastIndexOf(':');
            if (colon < 1 || colon == text.length() - 1) {
                throw new IllegalArgumentException("\"" + text + "\" is not host:port");
            }
            String host = text.substring(0, colon);
            if (host.startsWith("[") && host.endsWith("]")) {
                host = host.substring(1, host.length() - 1);
            }
            int port;
            try {
                port = Integer.parseInt(text.substring(colon + 1));
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException("\"" + text + "\" is not host:port", e);
            }
            if (port < 1 || port > PORT_MAX) {
                throw new IllegalArgumentException("port " + port + " is not 1 to " + PORT_MAX);
            }
            return new Endpoint(host, port);
        }

        /** Whether nobody else can listen on the way. */
        public boolean isLoopback() {
            return host.equals("localhost") || LOOPBACK.matcher(host).matches() || host.equals("::1");
        }

        @Override
        public String toString() {
            return host.contains(":") ? "[" + host + "]:" + port : host + ":" + port;
        }
    }

    /**
     * PEM files.
     *
     * @param authorities whom the agent trusts
     * @param certificate by which it proves itself, null when it does not
     * @param key the certificate's key, null exactly when the certificate is
     */
    public record TlsFiles(
            Path authorities,
            @Nullable Path certificate,
            @Nullable Path key) {}

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
        return new LinkSettings(endpoints, tls, reconnectMillisMin, reconnectMillisMax, timeout.toMillis());
    }
}
