package io.troth.coordinator.server;

import io.troth.coordinator.config.ConfigKey;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The coordinator cannot start. The message says why and what to do. */
public final class StartFailedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    StartFailedException(String message, Throwable cause) {
        super(message, cause);
    }

    static StartFailedException cannotListen(String what, ConfigKey<?> key, String host, int port, IOException cause) {
        return new StartFailedException(
                what + " cannot listen on " + host + ":" + port + ": " + cause.getMessage() + ". Stop whatever uses the"
                        + " port, or set " + key + " to another one.",
                cause);
    }

    static StartFailedException member(@Nullable String address, IOException cause) {
        return new StartFailedException(
                "the member of the cluster cannot start on " + address + ": " + cause.getMessage()
                        + ". Stop whatever uses the port, or correct cluster.nodes on every member.",
                cause);
    }

    static StartFailedException memberTls(IllegalArgumentException cause) {
        return new StartFailedException(
                "the member cannot use its files of TLS: " + cause.getMessage()
                        + ". Check cluster.tls.certificate, cluster.tls.key and cluster.tls.authorities.",
                cause);
    }

    static StartFailedException tls(IllegalArgumentException cause) {
        return new StartFailedException(
                "gRPC cannot use the files of TLS: " + cause.getMessage()
                        + ". Check tls.certificate, tls.key, tls.keyPassword and tls.authorities.",
                cause);
    }
}
