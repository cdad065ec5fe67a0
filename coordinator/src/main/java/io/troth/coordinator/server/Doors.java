package io.troth.coordinator.server;

import io.troth.coordinator.config.ConfigKey;
import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.grpc.GrpcServer;
import io.troth.coordinator.metrics.CoordinatorMetrics;
import io.troth.core.Reason;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Where a coordinator listens, alone or as a member: gRPC and HTTP, as its configuration says. */
final class Doors {

    /** For what clients and agents are told at the end, to reach them. */
    static final long GOODBYE_MILLIS = 500;

    private Doors() {}

    /**
     * gRPC, which does not listen yet.
     *
     * @throws StartFailedException when a TLS file cannot be used
     */
    static GrpcServer grpc(CoordinatorConfig config, CoordinatorMetrics metrics) {
        try {
            return new GrpcServer(WireSettings.of(config), new EdgeMeters(metrics), ProcessEnvironment::nanoTime);
        } catch (IllegalArgumentException e) {
            throw StartFailedException.tls(e);
        }
    }

    /**
     * Lets gRPC listen.
     *
     * @throws StartFailedException when the address cannot be had
     */
    static void listen(GrpcServer grpc, CoordinatorConfig config) {
        try {
            grpc.start();
        } catch (IOException e) {
            throw StartFailedException.cannotListen(
                    "gRPC",
                    ConfigKey.GRPC_ADDRESS,
                    ConfigKey.GRPC_PORT,
                    address(config, ConfigKey.GRPC_ADDRESS, config.get(ConfigKey.GRPC_PORT)),
                    e);
        }
    }

    /**
     * HTTP, which listens.
     *
     * @param isAlive false when the process should be restarted
     * @param notReady why it does not serve, null when it does
     * @param notMember why it does not do its part, serving or as a follower; null when it does
     * @throws StartFailedException when the address cannot be had
     */
    static HttpEndpoint http(
            CoordinatorConfig config,
            BooleanSupplier isAlive,
            Supplier<@Nullable Reason> notReady,
            Supplier<@Nullable Reason> notMember,
            CoordinatorMetrics metrics) {
        String host = config.get(ConfigKey.HTTP_ADDRESS);
        int port = config.get(ConfigKey.HTTP_PORT);
        try {
            return new HttpEndpoint(new InetSocketAddress(host, port), isAlive, notReady, notMember, metrics::scrape);
        } catch (IOException e) {
            throw StartFailedException.cannotListen(
                    "HTTP",
                    ConfigKey.HTTP_ADDRESS,
                    ConfigKey.HTTP_PORT,
                    address(config, ConfigKey.HTTP_ADDRESS, port),
                    e);
        }
    }

    /** An address as people write it, with this port. */
    static String address(CoordinatorConfig config, ConfigKey<String> key, int port) {
        String host = config.get(key);
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
