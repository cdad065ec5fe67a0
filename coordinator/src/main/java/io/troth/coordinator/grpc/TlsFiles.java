package io.troth.coordinator.grpc;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Where the keys are, as PEM files.
 *
 * @param certificate the certificate chain that is shown to peers
 * @param key the private key of it
 * @param keyPassword of the key, null when it is not encrypted
 * @param authorities whose certificates peers must show; null when none is asked for
 */
public record TlsFiles(
        Path certificate,
        Path key,
        @Nullable String keyPassword,
        @Nullable Path authorities) {

    /** Without the password. */
    @Override
    public String toString() {
        return "TlsFiles[certificate=" + certificate + ", key=" + key + ", authorities=" + authorities + "]";
    }
}
