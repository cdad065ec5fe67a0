package io.troth.coordinator.server;

import io.troth.coordinator.config.ConfigKey;
import java.io.IOException;

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

    static StartFailedException tls(IllegalArgumentException cause) {
        return new StartFailedException(
                "gRPC cannot use the files of TLS: " + cause.getMessage()
                        + ". Check tls.certificate, tls.key, tls.keyPassword and tls.authorities.",
                cause);
    }
}
