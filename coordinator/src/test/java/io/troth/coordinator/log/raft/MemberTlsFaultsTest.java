package io.troth.coordinator.log.raft;

import static io.troth.coordinator.log.raft.Members.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import io.troth.coordinator.HeardLog;
import io.troth.coordinator.log.rocksdb.Logs;
import io.troth.core.ClusterId;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import org.apache.ratis.thirdparty.io.grpc.Server;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * Goal: who has mixed up files of TLS reads which, and why members do not find each other. Method: real certificates, and
 * what is said of them.
 */
@Isolated // Hears what every member in this JVM logs.
class MemberTlsFaultsTest {

    @TempDir
    Path temp;

    @RegisterExtension
    final HeardLog heard = new HeardLog("io.troth.coordinator.log.raft", Level.INFO);

    private final ClusterId cluster =
            Objects.requireNonNull(Logs.settings(Path.of("none"), 1).cluster());
    private MemberCertificates certificates;

    @BeforeEach
    void create() throws Exception {
        certificates = MemberCertificates.create(temp.resolve("tls"));
    }

    private RaftSettings.Tls member(String name, String signer) throws Exception {
        return certificates.of(name, signer, "troth://" + cluster + "/" + name);
    }

    @Test
    void aKeyOfAnotherCertificateIsRefusedAtTheStart() throws Exception {
        RaftSettings.Tls own = member("a", "authority");
        Path other = member("b", "authority").key();
        RaftSettings.Tls mixed = new RaftSettings.Tls(own.certificate(), other, own.authorities());
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> MemberTls.of(mixed, cluster, Map::of));
        assertEquals(
                "the key in " + other + " is not that of the certificate in " + own.certificate(),
                refused.getMessage());
    }

    @Test
    void aCertificateThatIsRefusedIsNamedOnceOnEitherSide() throws Exception {
        RaftSettings.Tls files = member("b", "stranger");
        MemberTrust trust = new MemberTrust(cluster, files.authorities(), () -> Map.of("b", "b.example:7720"));
        SSLEngine dialled = SSLContext.getDefault().createSSLEngine("b.example", 7720);
        X509Certificate[] chain = MemberCertificates.chain(files);
        for (int time = 0; time < 3; time++) {
            assertThrows(CertificateException.class, () -> trust.checkServerTrusted(chain, "UNKNOWN", dialled));
            assertThrows(CertificateException.class, () -> trust.checkClientTrusted(chain, "UNKNOWN", dialled));
        }
        String why = ": unable to find valid certification path to requested target";
        assertEquals(
                List.of(
                        "refused the certificate of CN=b at b.example:7720" + why,
                        "refused the certificate of CN=b" + why),
                heard.texts());
    }

    /** With ever another line nobody could find the others in the log. */
    @Test
    void ofAnyNumberOfRefusalsAHundredAreNamed() throws Exception {
        RaftSettings.Tls files = member("b", "stranger");
        MemberTrust trust = new MemberTrust(cluster, files.authorities(), Map::of);
        X509Certificate[] chain = MemberCertificates.chain(files);
        for (int port = 1; port <= 150; port++) {
            SSLEngine dialled = SSLContext.getDefault().createSSLEngine("b.example", port);
            assertThrows(CertificateException.class, () -> trust.checkServerTrusted(chain, "UNKNOWN", dialled));
        }
        assertEquals(100, heard.texts().size());
    }

    @Test
    void aMemberThatIsNewSaysWhyItDoesNotHearOfAnother() throws Exception {
        String address = "localhost:" + FreePorts.next();
        RaftSettings settings = new RaftSettings(
                Logs.settings(temp.resolve("a"), 1),
                "a",
                Map.of("a", "localhost:" + FreePorts.next(), "b", address),
                Map.of(),
                member("a", "authority"),
                2_000,
                100_000,
                2,
                10_000);
        Server other = MemberTlsTest.impostor(
                address,
                certificates.of("b", "authority", "troth://0000000000000001/b"),
                new Introduction(cluster, new MemberId("b", 1), true, List.of()));
        Founding founding = new Founding(settings, new MemberId("a", 1), MemberTls.of(settings));
        Thread member = new Thread(() -> {
            assertThrows(java.io.IOException.class, founding::run);
        });
        member.start();
        try {
            eventually()
                    .until(() -> heard.texts().stream()
                            .anyMatch(line -> line.contains("it waits for [b (" + address)
                                    && line.contains("the certificate has no identity in cluster " + cluster)));
        } finally {
            member.interrupt();
            member.join();
            other.shutdownNow();
        }
        assertTrue(
                heard.texts().stream().anyMatch(line -> line.startsWith("this member is new")),
                () -> heard.texts().toString());
    }
}
