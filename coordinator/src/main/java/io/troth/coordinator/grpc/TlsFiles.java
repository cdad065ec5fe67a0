package io.troth.coordinator.grpc;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Where the keys are, as PEM files.
 *
 * @param certificate the certificate chain that is shown to peers
 * @param key the private key of it, unencrypted
 * @param authorities whose certificates peers must show; null when none is asked for
 */
public record TlsFiles(Path certificate, Path key, @Nullable Path authorities) {}
