package io.troth.coordinator.grpc;

import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.ServerCredentials;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettySslContextChannelCredentials;
import io.grpc.netty.NettySslContextServerCredentials;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.troth.coordinator.tls.CertificateKeys;
import java.nio.file.Path;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** Makes gRPC's credentials of PEM files. Both ends speak TLS 1.3 and nothing older. */
final class TlsContexts {

    private static final String PROTOCOL = "TLSv1.3";

    private TlsContexts() {}

    /**
     * What a server shows and asks for.
     *
     * @param tls null for plaintext
     * @throws IllegalArgumentException when a file cannot be read or is not what it should be; the message names it
     */
    static ServerCredentials server(@Nullable TlsFiles tls) {
        if (tls == null) {
            return InsecureServerCredentials.create();
        }
        try {
            SslContextBuilder builder = GrpcSslContexts.configure(SslContextBuilder.forServer(
                            tls.certificate().toFile(), tls.key().toFile(), tls.keyPassword()))
                    .protocols(PROTOCOL);
            Path authorities = tls.authorities();
            if (authorities != null) {
                builder.trustManager(authorities.toFile()).clientAuth(ClientAuth.REQUIRE);
            }
            SslContext context = builder.build();
            CertificateKeys.check(tls.certificate(), tls.key(), tls.keyPassword());
            return NettySslContextServerCredentials.create(context);
        } catch (SSLException e) {
            throw unusable(e);
        }
    }

    /**
     * What a client trusts and shows.
     *
     * @param tls null for plaintext
     * @throws IllegalArgumentException when a file cannot be read or is not what it should be; the message names it
     */
    static ChannelCredentials client(@Nullable ClientTls tls) {
        if (tls == null) {
            return InsecureChannelCredentials.create();
        }
        try {
            SslContextBuilder builder = GrpcSslContexts.forClient()
                    .protocols(PROTOCOL)
                    .trustManager(tls.authorities().toFile());
            Path certificate = tls.certificate();
            Path key = tls.key();
            if (certificate != null && key != null) {
                builder.keyManager(certificate.toFile(), key.toFile());
            }
            SslContext context = builder.build();
            if (certificate != null && key != null) {
                CertificateKeys.check(certificate, key, null);
            }
            return NettySslContextChannelCredentials.create(context);
        } catch (SSLException e) {
            throw unusable(e);
        }
    }

    private static IllegalArgumentException unusable(SSLException cause) {
        return new IllegalArgumentException("cannot use the TLS files: " + cause.getMessage(), cause);
    }
}
