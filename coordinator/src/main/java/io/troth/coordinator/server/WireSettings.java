package io.troth.coordinator.server;

import io.troth.coordinator.config.ConfigKey;
import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.grpc.GrpcSettings;
import io.troth.coordinator.grpc.TlsFiles;
import io.troth.coordinator.grpc.WireLimits;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** What the configuration says about gRPC, in the words of the gRPC package. Pure. */
final class WireSettings {

    private WireSettings() {}

    static GrpcSettings of(CoordinatorConfig config) {
        return new GrpcSettings(
                new InetSocketAddress(config.get(ConfigKey.GRPC_ADDRESS), config.get(ConfigKey.GRPC_PORT)),
                tls(config),
                limits(config),
                config.get(ConfigKey.GRPC_IO_THREADS),
                config.get(ConfigKey.TRANSACTIONS_TIMEOUT),
                config.get(ConfigKey.TRANSACTIONS_TIMEOUT_MAX),
                config.get(ConfigKey.AGENTS_HELLO_TIMEOUT),
                config.get(ConfigKey.GRPC_HANDSHAKE_TIMEOUT),
                config.get(ConfigKey.GRPC_KEEP_ALIVE),
                config.get(ConfigKey.GRPC_KEEP_ALIVE_TIMEOUT));
    }

    /** The configuration's own check has seen to it that certificate and key come together. */
    private static @Nullable TlsFiles tls(CoordinatorConfig config) {
        Path certificate = config.find(ConfigKey.TLS_CERTIFICATE);
        Path key = config.find(ConfigKey.TLS_KEY);
        if (certificate == null || key == null) {
            return null;
        }
        return new TlsFiles(
                certificate, key, config.find(ConfigKey.TLS_KEY_PASSWORD), config.find(ConfigKey.TLS_AUTHORITIES));
    }

    private static WireLimits limits(CoordinatorConfig config) {
        return new WireLimits(
                Math.toIntExact(config.get(ConfigKey.GRPC_BATCH_MAX)),
                Math.toIntExact(config.get(ConfigKey.GRPC_ENTRY_MAX)),
                config.get(ConfigKey.GRPC_ENTRIES_PER_BATCH_MAX),
                Math.toIntExact(config.get(ConfigKey.GRPC_METADATA_MAX)),
                config.get(ConfigKey.GRPC_CLIENT_STREAMS_MAX),
                config.get(ConfigKey.AGENTS_MAX),
                config.get(ConfigKey.GRPC_FACADE_TRANSACTIONS_MAX),
                config.get(ConfigKey.GRPC_UNSENT_ENTRIES_MAX),
                Math.toIntExact(config.get(ConfigKey.GRPC_UNSTEPPED_MAX)));
    }
}
