package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyServerBuilder;
import io.troth.agent.config.AgentConfigLoader;
import io.troth.agent.config.AgentKey;
import io.troth.agent.engine.LinkListener;
import io.troth.agent.grpc.GrpcCoordinatorLink;
import io.troth.agent.grpc.LinkSettings;
import io.troth.agent.grpc.SqlGatewayServer;
import io.troth.agent.grpc.SqlServerSettings;
import io.troth.agent.server.AgentServer;
import io.troth.agent.sql.SqlGateway;
import io.troth.agent.sql.SqlLimits;
import io.troth.chaos.bank.Transfer;
import io.troth.chaos.stack.Certificates.Owner;
import io.troth.client.TrothClient;
import io.troth.client.TrothClientBuilder;
import io.troth.client.grpc.Endpoint;
import io.troth.client.grpc.TlsFiles;
import io.troth.coordinator.config.ConfigKey;
import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.grpc.AdminClient;
import io.troth.coordinator.grpc.ClientTls;
import io.troth.coordinator.server.CoordinatorServer;
import io.troth.coordinator.server.StartFailedException;
import io.troth.core.ClusterId;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import io.troth.core.coordinator.AgentHello;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: with PEM files alone, everything speaks TLS 1.3 with everything and proves itself; nobody is let in, and nobody
 * is believed, without a proof that is good. Method: a coordinator that asks for certificates, and every kind of peer
 * with every kind of bad proof.
 */
class TlsTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final Duration REFUSED_LIMIT = Duration.ofMillis(300);

    @TempDir
    static Path temp;

    private static Certificates certificates;
    private static CoordinatorServer coordinator;

    @BeforeAll
    static void start() throws Exception {
        certificates = Certificates.create(temp);
        coordinator = coordinator("decisions", Owner.MEMBER);
    }

    @AfterAll
    static void stop() {
        coordinator.close();
    }

    private static CoordinatorServer coordinator(String data, Owner proof) {
        return coordinator(
                data, certificates.certificate(proof), certificates.key(proof), "", certificates.authorities());
    }

    private static CoordinatorServer coordinator(
            String data, Path certificate, Path key, String password, Path authorities) {
        return CoordinatorServer.start(CoordinatorConfig.onFreePorts(
                temp.resolve(data),
                Map.of(
                        ConfigKey.TLS_CERTIFICATE, certificate.toString(),
                        ConfigKey.TLS_KEY, key.toString(),
                        ConfigKey.TLS_KEY_PASSWORD, password,
                        ConfigKey.TLS_AUTHORITIES, authorities.toString(),
                        // As is advised where many connections come at once, and as no other test has it.
                        ConfigKey.GRPC_IO_THREADS, "2")));
    }

    private static TrothClientBuilder client(CoordinatorServer server) {
        return TrothClient.builder().endpoint("localhost:" + server.grpcPort()).connectTimeout(REFUSED_LIMIT);
    }

    private static TrothClientBuilder client(CoordinatorServer server, Owner trusted, Owner proof) {
        return client(server)
                .tls(certificates.certificate(trusted), certificates.certificate(proof), certificates.key(proof));
    }

    private static void assertNoCoordinator(TrothClientBuilder builder, String why) {
        try (TrothClient client = builder.build()) {
            // The first begin may give up before the first attempt has.
            Awaitility.await().atMost(LIMIT).untilAsserted(() -> {
                TrothException refused = assertThrows(TrothException.class, client::begin);
                assertEquals(ErrorCode.NO_COORDINATOR, refused.code(), refused.getMessage());
                assertTrue(refused.getMessage().contains(why), refused.getMessage());
            });
        }
    }

    private static void assertNoCoordinator(CoordinatorServer server, @Nullable TlsFiles tls, String why)
            throws Exception {
        String answer = answer(server, tls);
        assertTrue(answer.startsWith("STREAM_BROKEN") && answer.contains(why), answer);
    }

    /** Why the agent finds no coordinator, or that it is welcome. */
    private static String answer(CoordinatorServer server, @Nullable TlsFiles tls) throws Exception {
        LinkSettings settings = LinkSettings.of(List.of(new Endpoint("localhost", server.grpcPort())), tls);
        FirstAnswer first = new FirstAnswer();
        GrpcCoordinatorLink link = new GrpcCoordinatorLink(settings);
        try {
            link.start(first);
            return first.said.get(LIMIT.toSeconds(), TimeUnit.SECONDS);
        } finally {
            link.close();
            link.awaitClosed(LIMIT);
        }
    }

    private static TlsFiles agent(Owner trusted, Owner proof) {
        return new TlsFiles(
                certificates.certificate(trusted), certificates.certificate(proof), certificates.key(proof));
    }

    /** What the command line hears. */
    private static String status(CoordinatorServer server, @Nullable ClientTls tls) {
        try (AdminClient admin = new AdminClient("localhost:" + server.grpcPort(), tls, LIMIT.toMillis())) {
            return admin.status().cluster().toString();
        }
    }

    @Test
    void letsInWhoeverProvesItself() throws Exception {
        try (TrothClient client = client(coordinator, Owner.AUTHORITY, Owner.MEMBER)
                .connectTimeout(LIMIT)
                .build()) {
            client.inTransaction(tx -> assertFalse(tx.isRollbackOnly()));
        }
        assertEquals("welcome", answer(coordinator, agent(Owner.AUTHORITY, Owner.MEMBER)));
        ClientTls operator = new ClientTls(
                certificates.authorities(), certificates.certificate(Owner.MEMBER), certificates.key(Owner.MEMBER));
        assertEquals(coordinator.cluster().toString(), status(coordinator, operator));
    }

    @Test
    void readsAnEncryptedKey() {
        Path certificate = certificates.certificate(Owner.MEMBER);
        Path key = certificates.encryptedKey(Owner.MEMBER);
        coordinator("decisions-key", certificate, key, Certificates.PASSWORD_TEXT, certificates.authorities())
                .close();
        StartFailedException failed = assertThrows(
                StartFailedException.class,
                () -> coordinator("decisions-key", certificate, key, "wrong", certificates.authorities()));
        assertTrue(failed.getMessage().contains(key.toString()), failed.getMessage());
        assertFalse(failed.getMessage().contains("wrong"), failed.getMessage());
    }

    @Test
    void refusesPeersWithoutAGoodProof() throws Exception {
        for (Owner bad : List.of(Owner.STRANGER, Owner.EXPIRED)) {
            assertNoCoordinator(client(coordinator, Owner.AUTHORITY, bad), "UNAVAILABLE");
            assertNoCoordinator(coordinator, agent(Owner.AUTHORITY, bad), "UNAVAILABLE");
        }
        assertNoCoordinator(client(coordinator).tls(certificates.authorities()), "UNAVAILABLE");
        assertNoCoordinator(coordinator, new TlsFiles(certificates.authorities(), null, null), "UNAVAILABLE");
        assertThrows(
                TrothException.class, () -> status(coordinator, new ClientTls(certificates.authorities(), null, null)));
    }

    @Test
    void refusesPlaintext() throws Exception {
        assertNoCoordinator(client(coordinator), "UNAVAILABLE");
        assertNoCoordinator(coordinator, null, "UNAVAILABLE");
        TrothException refused = assertThrows(TrothException.class, () -> status(coordinator, null));
        assertTrue(refused.getMessage().contains("if it speaks TLS, say so by --ca FILE"), refused::toString);
    }

    @Test
    void saysThatTheOtherSideSpeaksNoTls() throws Exception {
        String words = "(the other side speaks no TLS)";
        CoordinatorConfig open = CoordinatorConfig.onFreePorts(temp.resolve("decisions-open"), Map.of());
        try (CoordinatorServer server = CoordinatorServer.start(open)) {
            assertNoCoordinator(client(server, Owner.AUTHORITY, Owner.MEMBER), words);
            assertNoCoordinator(server, agent(Owner.AUTHORITY, Owner.MEMBER), words);
            ClientTls operator = new ClientTls(certificates.authorities(), null, null);
            TrothException refused = assertThrows(TrothException.class, () -> status(server, operator));
            assertTrue(refused.getMessage().contains(words), refused::toString);
        }
    }

    @Test
    void peersBelieveNoCoordinatorWithoutAGoodProof() throws Exception {
        String untrusted = "unable to find valid certification path";
        assertNoCoordinator(client(coordinator, Owner.STRANGER, Owner.MEMBER), untrusted);
        assertNoCoordinator(coordinator, agent(Owner.STRANGER, Owner.MEMBER), untrusted);
        Map<Owner, String> reasons = Map.of(
                Owner.STRANGER, untrusted,
                Owner.EXPIRED, "NotAfter",
                Owner.MISNAMED, "No subject alternative DNS name matching localhost");
        for (Map.Entry<Owner, String> reason : reasons.entrySet()) {
            try (CoordinatorServer server = coordinator("decisions-" + reason.getKey(), reason.getKey())) {
                assertNoCoordinator(client(server, Owner.AUTHORITY, Owner.MEMBER), reason.getValue());
                assertNoCoordinator(server, agent(Owner.AUTHORITY, Owner.MEMBER), reason.getValue());
            }
        }
    }

    @Test
    void nothingOlderThanTls13IsSpoken() throws Exception {
        SSLException refused = assertThrows(SSLException.class, () -> shakeHands(coordinator.grpcPort(), "TLSv1.2"));
        assertTrue(refused.getMessage().contains("protocol_version"), refused.getMessage());
        shakeHands(coordinator.grpcPort(), "TLSv1.3");
        var old = NettyServerBuilder.forPort(0)
                .sslContext(GrpcSslContexts.forServer(
                                certificates.certificate(Owner.MEMBER).toFile(),
                                certificates.key(Owner.MEMBER).toFile())
                        .protocols("TLSv1.2")
                        .build())
                .build()
                .start();
        try {
            assertNoCoordinator(
                    TrothClient.builder()
                            .endpoint("localhost:" + old.getPort())
                            .connectTimeout(REFUSED_LIMIT)
                            .tls(certificates.authorities()),
                    "UNAVAILABLE");
        } finally {
            old.shutdownNow();
        }
    }

    private static void shakeHands(int port, String protocol) throws Exception {
        SSLContext trusting = SSLContext.getInstance("TLS");
        trusting.init(null, new TrustManager[] {new TrustsAll()}, new SecureRandom());
        try (SSLSocket socket =
                (SSLSocket) trusting.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), port)) {
            socket.setEnabledProtocols(new String[] {protocol});
            socket.setSoTimeout((int) LIMIT.toMillis());
            socket.startHandshake();
        }
    }

    @Test
    void namesTheFileThatTlsCannotUse() throws Exception {
        Path garbled = Files.writeString(temp.resolve("garbled.pem"), "-----BEGIN CERTIFICATE-----\nno\n");
        Path certificate = certificates.certificate(Owner.MEMBER);
        Path key = certificates.key(Owner.MEMBER);
        Path authorities = certificates.authorities();
        for (List<Path> files : List.of(
                List.of(garbled, key, authorities),
                List.of(certificate, garbled, authorities),
                List.of(certificate, key, garbled))) {
            StartFailedException failed = assertThrows(
                    StartFailedException.class,
                    () -> coordinator("decisions-garbled", files.get(0), files.get(1), "", files.get(2)));
            assertTrue(failed.getMessage().contains(garbled.toString()), failed.getMessage());
        }
        for (Path bad : List.of(garbled, temp.resolve("missing.pem"))) {
            for (List<Path> files : List.of(
                    List.of(bad, certificate, key),
                    List.of(authorities, bad, key),
                    List.of(authorities, certificate, bad))) {
                TrothClientBuilder builder = client(coordinator).tls(files.get(0), files.get(1), files.get(2));
                IllegalArgumentException inClient = assertThrows(IllegalArgumentException.class, builder::build);
                assertTrue(inClient.getMessage().contains(bad.toString()), inClient.getMessage());
                TlsFiles tls = new TlsFiles(files.get(0), files.get(1), files.get(2));
                IllegalArgumentException inAgent =
                        assertThrows(IllegalArgumentException.class, () -> answer(coordinator, tls));
                assertTrue(inAgent.getMessage().contains(bad.toString()), inAgent.getMessage());
            }
        }
    }

    /** At the start, and not by handshakes that fail without a word. */
    @Test
    void refusesAKeyThatIsNotThatOfTheCertificate() {
        Path certificate = certificates.certificate(Owner.MEMBER);
        Path key = certificates.key(Owner.EXPIRED);
        Path authorities = certificates.authorities();
        TlsFiles ofAgent = new TlsFiles(authorities, certificate, key);
        SqlServerSettings ofGateway = new SqlServerSettings(
                new Endpoint("127.0.0.1", 0),
                null,
                new SqlServerSettings.ServerTls(certificate, key, authorities),
                false,
                false,
                1);
        for (Executable start : List.<Executable>of(
                () -> coordinator("decisions-mismatch", certificate, key, "", authorities),
                () -> coordinator(
                        "decisions-mismatch",
                        certificate,
                        certificates.encryptedKey(Owner.EXPIRED),
                        Certificates.PASSWORD_TEXT,
                        authorities),
                () -> client(coordinator).tls(authorities, certificate, key).build(),
                () -> answer(coordinator, ofAgent),
                () -> SqlGatewayServer.start(ofGateway, new SqlGateway(Map.of(), SqlLimits.DEFAULTS)),
                () -> status(coordinator, new ClientTls(authorities, certificate, key)))) {
            RuntimeException refused = assertThrows(RuntimeException.class, start);
            assertTrue(
                    refused.getMessage().contains("is not that of the certificate in " + certificate),
                    refused.getMessage());
        }
    }

    @Test
    void commitsAcrossTwoBanksWithNothingInPlaintext() throws Exception {
        Banks banks = Banks.create("tls");
        try (AgentServer agents = agents(banks);
                TrothClient client = client(coordinator, Owner.AUTHORITY, Owner.MEMBER)
                        .connectTimeout(LIMIT)
                        .build()) {
            assertTrue(agents.runtime().awaitReady(LIMIT));
            Transfer transfer = Banks.transfer();
            client.inTransaction(tx -> {
                for (String bank : List.of(Banks.A, Banks.B)) {
                    tx.sql(bank).update(Transfer.INSERT_ROW, transfer.number(), transfer.fromAccount(), 1L);
                }
            });
            assertTrue(banks.has(Banks.A, transfer));
            assertTrue(banks.has(Banks.B, transfer));
        }
    }

    @Test
    void theSqlGatewayAsksForTheSameProof() throws Exception {
        SqlServerSettings.ServerTls tls = new SqlServerSettings.ServerTls(
                certificates.certificate(Owner.MEMBER), certificates.key(Owner.MEMBER), certificates.authorities());
        SqlServerSettings settings = new SqlServerSettings(new Endpoint("127.0.0.1", 0), null, tls, false, false, 1);
        try (SqlGatewayServer gateway =
                SqlGatewayServer.start(settings, new SqlGateway(Map.of(), SqlLimits.DEFAULTS))) {
            int port = gateway.announced().port();
            assertEquals("SERVING", health(port, proof(Owner.AUTHORITY, Owner.MEMBER)));
            assertEquals("UNAVAILABLE", health(port, proof(Owner.AUTHORITY, Owner.STRANGER)));
            assertEquals("UNAVAILABLE", health(port, proof(Owner.AUTHORITY, Owner.EXPIRED)));
            assertEquals("UNAVAILABLE", health(port, proof(Owner.STRANGER, Owner.MEMBER)));
            assertEquals("UNAVAILABLE", health(port, trust(Owner.AUTHORITY).build()));
            assertEquals("UNAVAILABLE", health(port, InsecureChannelCredentials.create()));
            assertThrows(SSLException.class, () -> shakeHands(port, "TLSv1.2"));
            shakeHands(port, "TLSv1.3");
        }
        Path missing = temp.resolve("missing.pem");
        SqlServerSettings unusable = new SqlServerSettings(
                settings.listen(),
                null,
                new SqlServerSettings.ServerTls(tls.certificate(), tls.key(), missing),
                false,
                false,
                1);
        IllegalArgumentException failed = assertThrows(
                IllegalArgumentException.class,
                () -> SqlGatewayServer.start(unusable, new SqlGateway(Map.of(), SqlLimits.DEFAULTS)));
        assertTrue(failed.getMessage().contains(missing.toString()), failed.getMessage());
    }

    private static String health(int port, ChannelCredentials credentials) {
        ManagedChannel channel =
                Grpc.newChannelBuilder("localhost:" + port, credentials).build();
        try {
            return HealthGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(LIMIT.toMillis(), TimeUnit.MILLISECONDS)
                    .check(HealthCheckRequest.getDefaultInstance())
                    .getStatus()
                    .name();
        } catch (StatusRuntimeException e) {
            return e.getStatus().getCode().name();
        } finally {
            channel.shutdownNow();
        }
    }

    private static TlsChannelCredentials.Builder trust(Owner trusted) throws IOException {
        return TlsChannelCredentials.newBuilder()
                .trustManager(certificates.certificate(trusted).toFile());
    }

    private static ChannelCredentials proof(Owner trusted, Owner proof) throws IOException {
        return trust(trusted)
                .keyManager(
                        certificates.certificate(proof).toFile(),
                        certificates.key(proof).toFile())
                .build();
    }

    private static AgentServer agents(Banks banks) {
        Map<AgentKey<?>, String> flags = new HashMap<>();
        flags.put(AgentKey.COORDINATORS, "localhost:" + coordinator.grpcPort());
        flags.put(AgentKey.SQL_PORT, "0");
        flags.put(AgentKey.HTTP_PORT, "0");
        flags.put(AgentKey.TLS_AUTHORITIES, certificates.authorities().toString());
        flags.put(
                AgentKey.TLS_CERTIFICATE, certificates.certificate(Owner.MEMBER).toString());
        flags.put(AgentKey.TLS_KEY, certificates.key(Owner.MEMBER).toString());
        flags.put(AgentKey.SQL_TLS_AUTHORITIES, certificates.authorities().toString());
        flags.put(
                AgentKey.SQL_TLS_CERTIFICATE,
                certificates.certificate(Owner.MEMBER).toString());
        flags.put(AgentKey.SQL_TLS_KEY, certificates.key(Owner.MEMBER).toString());
        AgentConfigLoader loader = new AgentConfigLoader().flags(flags);
        for (String bank : List.of(Banks.A, Banks.B)) {
            loader.resource(bank, Map.of(AgentKey.URL, banks.url(bank)));
        }
        return AgentServer.start(loader.load(), io.troth.agent.engine.StepListener.NONE);
    }

    /** The first thing that an agent's link hears. */
    private static final class FirstAnswer implements LinkListener {

        private final CompletableFuture<String> said = new CompletableFuture<>();

        @Override
        public AgentHello hello() {
            return new AgentHello(
                    0xa,
                    null,
                    0,
                    List.of(new AgentHello.AgentResource("notes", "postgresql", "system=1", "troth", null)));
        }

        @Override
        public @Nullable ClusterId cluster() {
            return null;
        }

        @Override
        public void received(Batch batch) {
            said.complete("welcome");
        }

        @Override
        public void broken(Reason reason) {
            said.complete(reason.toString());
        }
    }

    /** Whom the handshake is with does not matter when only its version does. */
    private static final class TrustsAll implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
