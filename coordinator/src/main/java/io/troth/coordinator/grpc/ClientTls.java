package io.troth.coordinator.grpc;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * How a client of the coordinator trusts and shows itself, as PEM files.
 *
 * @param authorities whose certificate the coordinator must show
 * @param certificate the certificate chain to show, null for none; with it comes the key
 * @param key the private key of it, unencrypted
 */
public record ClientTls(
        Path authorities,
        @Nullable Path certificate,
        @Nullable Path key) {

    public ClientTls {
        if ((certificate == null) != (key == null)) {
            throw new IllegalArgumentException("a certificate and its key come together");
        }
    }
}
