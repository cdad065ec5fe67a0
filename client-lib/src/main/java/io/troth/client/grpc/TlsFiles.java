package io.troth.client.grpc;

import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettySslContextChannelCredentials;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import java.nio.file.Path;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * PEM files by which a client or an agent knows the other side, and is known to it.
 *
 * @param authorities whose certificates are believed
 * @param certificate by which this side proves itself; null when it does not
 * @param key the certificate's key (PKCS#8); null exactly when the certificate is
 */
public record TlsFiles(
        Path authorities,
        @Nullable Path certificate,
        @Nullable Path key) {

    /** Nothing older. */
    private static final String PROTOCOL = "TLSv1.3";

    /**
     * What a channel is opened with.
     *
     * @param files null for plaintext
     * @throws IllegalArgumentException when a file cannot be read, or the key is another certificate's
     */
    public static ChannelCredentials credentials(@Nullable TlsFiles files) {
        if (files == null) {
            return InsecureChannelCredentials.create();
        }
        try {
            SslContextBuilder builder = GrpcSslContexts.forClient()
                    .protocols(PROTOCOL)
                    .trustManager(files.authorities().toFile());
            Path certificate = files.certificate();
            Path key = files.key();
            if (certificate != null && key != null) {
                builder.keyManager(certificate.toFile(), key.toFile());
            }
            SslContext context = builder.build();
            if (certificate != null && key != null) {
                CertificateKeys.check(certificate, key);
            }
            return NettySslContextChannelCredentials.create(context);
        } catch (SSLException e) {
            throw new IllegalArgumentException("cannot use the TLS files: " + e.getMessage(), e);
        }
    }
}
