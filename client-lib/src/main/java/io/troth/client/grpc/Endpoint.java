package io.troth.client.grpc;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An address to connect to.
 *
 * @param host a name or an address; an IPv6 address without its brackets
 */
public record Endpoint(String host, int port) {

    private static final Pattern LOOPBACK = Pattern.compile("127(\\.[0-9]{1,3}){3}");
    private static final int PORT_MAX = 65_535;

    /**
     * Reads {@code host:port}; an IPv6 address stands in brackets.
     *
     * @throws IllegalArgumentException when the text is anything else
     */
    public static Endpoint parse(String text) {
        int colon = text.lastIndexOf(':');
        if (colon < 1) {
            throw notAnEndpoint(text, null);
        }
        String host = text.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        int port;
        try {
            port = Integer.parseInt(text.substring(colon + 1));
        } catch (NumberFormatException e) {
            throw notAnEndpoint(text, e);
        }
        if (host.isEmpty()) {
            throw notAnEndpoint(text, null);
        }
        if (port < 1 || port > PORT_MAX) {
            throw new IllegalArgumentException("port " + port + " is not 1 to " + PORT_MAX);
        }
        checkHost(text, host, port);
        return new Endpoint(host, port);
    }

    /** As gRPC does it, which would refuse the host only when it is to be connected to. */
    private static void checkHost(String text, String host, int port) {
        try {
            var unused = new URI(null, null, host, port, null, null, null);
        } catch (URISyntaxException e) {
            throw notAnEndpoint(text, e);
        }
    }

    private static IllegalArgumentException notAnEndpoint(String text, @Nullable Exception cause) {
        String why = cause instanceof URISyntaxException syntax ? ": " + syntax.getReason() : "";
        return new IllegalArgumentException("\"" + text + "\" is not host:port" + why, cause);
    }

    /** True for names and addresses that never leave this machine; no name is looked up. */
    public boolean isLoopback() {
        return host.equals("localhost") || LOOPBACK.matcher(host).matches() || host.equals("::1");
    }

    @Override
    public String toString() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
