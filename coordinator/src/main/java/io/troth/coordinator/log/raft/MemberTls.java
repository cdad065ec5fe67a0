package io.troth.coordinator.log.raft;

import io.troth.coordinator.tls.CertificateKeys;
import io.troth.core.ClusterId;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import javax.net.ssl.SSLException;
import org.apache.ratis.grpc.GrpcTlsConfig;
import org.apache.ratis.security.TlsConf;
import org.apache.ratis.thirdparty.io.grpc.netty.GrpcSslContexts;
import org.apache.ratis.thirdparty.io.netty.handler.ssl.ClientAuth;
import org.apache.ratis.thirdparty.io.netty.handler.ssl.SslContext;
import org.apache.ratis.thirdparty.io.netty.handler.ssl.SslContextBuilder;
import org.apache.ratis.thirdparty.io.netty.handler.ssl.SslProvider;
import org.jspecify.annotations.Nullable;

/**
 * TLS 1.3 between members, both of whom show who they are: for Ratis, and for introductions.
 *
 * @param trust who is believed
 * @param ratis as Ratis wants it
 * @param server for who is dialled
 * @param client for who dials
 */
record MemberTls(MemberTrust trust, GrpcTlsConfig ratis, SslContext server, SslContext client) {

    private static final String PROTOCOL = "TLSv1.3";

    /**
     * For a member before Raft begins, that knows the others from its settings; null for plaintext.
     *
     * @throws IllegalArgumentException when a file cannot be used
     */
    static @Nullable MemberTls of(RaftSettings settings) {
        RaftSettings.Tls files = settings.tls();
        ClusterId cluster = Objects.requireNonNull(settings.log().cluster());
        return files == null ? null : of(files, cluster, settings::nodes);
    }

    /**
     * Reads the files.
     *
     * @param members where each member is, by name; asked at each handshake
     * @throws IllegalArgumentException when one cannot be used
     */
    static MemberTls of(RaftSettings.Tls files, ClusterId cluster, Supplier<Map<String, String>> members) {
        MemberTrust trust = new MemberTrust(cluster, files.authorities(), members);
        var certificate = files.certificate().toFile();
        var key = files.key().toFile();
        GrpcTlsConfig.Builder ratis = GrpcTlsConfig.newBuilder();
        GrpcTlsConfig.Builder unused = ratis.setPrivateKey(new TlsConf.PrivateKeyConf(key))
                .setKeyCertificates(new TlsConf.CertificatesConf(certificate))
                .setTrustManager(trust)
                .setMutualTls(true)
                .setSslProvider(SslProvider.JDK)
                .setProtocols(PROTOCOL);
        try {
            MemberTls tls = new MemberTls(
                    trust,
                    ratis.build(),
                    GrpcSslContexts.configure(SslContextBuilder.forServer(certificate, key), SslProvider.JDK)
                            .clientAuth(ClientAuth.REQUIRE)
                            .trustManager(trust)
                            .protocols(PROTOCOL)
                            .build(),
                    GrpcSslContexts.configure(SslContextBuilder.forClient(), SslProvider.JDK)
                            .keyManager(certificate, key)
                            .trustManager(trust)
                            .protocols(PROTOCOL)
                            .build());
            CertificateKeys.check(files.certificate(), files.key(), null);
            return tls;
        } catch (SSLException e) {
            throw new IllegalArgumentException(String.valueOf(Objects.requireNonNullElse(e.getMessage(), e)), e);
        }
    }
}
