package io.troth.coordinator.server;

import io.troth.coordinator.config.ConfigKey;
import io.troth.coordinator.log.raft.RaftSettings;
import java.io.IOException;
import java.net.BindException;
import java.nio.channels.UnresolvedAddressException;

/** The coordinator cannot start. The message says why and what to do. */
public final class StartFailedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private static final String KEYS = "A key is PKCS#8; \"openssl pkcs8 -topk8\" makes it of another.";

    StartFailedException(String message, Throwable cause) {
        super(message, cause);
    }

    static StartFailedException cannotListen(
            String what, ConfigKey<?> address, ConfigKey<?> port, String at, IOException cause) {
        return new StartFailedException(
                what + " cannot listen on " + at + ": " + why(cause) + ". Stop whatever uses the port, or set " + port
                        + " to another one; " + address + " must be one of this machine.",
                cause);
    }

    static StartFailedException member(RaftSettings settings, IOException cause) {
        String what = cause instanceof BindException
                ? "cannot listen on " + settings.nodes().get(settings.node()) + ": " + why(cause)
                        + ". Stop whatever uses the port, or correct cluster.nodes on every member."
                : "cannot start: " + cause + ". Check the data directory "
                        + settings.log().directory() + ", its permissions and the disk.";
        return new StartFailedException("the member of the cluster " + what, cause);
    }

    /** The innermost words: those around them only say that it could not be bound. */
    private static String why(Throwable failure) {
        String words = String.valueOf(failure.getMessage());
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof UnresolvedAddressException || "Unresolved address".equals(cause.getMessage())) {
                return "this name has no address";
            }
            words = cause.getMessage() == null ? words : cause.getMessage();
        }
        return words;
    }

    static StartFailedException memberTls(IllegalArgumentException cause) {
        return new StartFailedException(
                "the member cannot use its files of TLS: " + cause.getMessage()
                        + ". Check cluster.tls.certificate, cluster.tls.key and cluster.tls.authorities. " + KEYS,
                cause);
    }

    static StartFailedException tls(IllegalArgumentException cause) {
        return new StartFailedException(
                "gRPC cannot use the files of TLS: " + cause.getMessage()
                        + ". Check tls.certificate, tls.key, tls.keyPassword and tls.authorities. " + KEYS,
                cause);
    }
}
