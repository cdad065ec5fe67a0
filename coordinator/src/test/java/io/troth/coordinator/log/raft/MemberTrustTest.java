package io.troth.coordinator.log.raft;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.core.ClusterId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Map;
import java.util.TreeMap;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Goal: whose certificate is believed, and where. Method: real certificates, shown to a member without a connection. */
class MemberTrustTest {

    private static final ClusterId CLUSTER = new ClusterId(7);
    private static final String URI = "troth://" + CLUSTER + "/";

    @TempDir
    static Path temp;

    private static MemberCertificates certificates;
    private static RaftSettings.Tls first;

    private final Map<String, String> members = new TreeMap<>();

    @BeforeAll
    static void create() throws Exception {
        certificates = MemberCertificates.create(temp.resolve("tls"));
        first = certificates.of("b", "authority", URI + "b");
    }

    private static SSLEngine dialled(String host, int port) throws Exception {
        return SSLContext.getDefault().createSSLEngine(host, port);
    }

    /** As when a new disk gets a new name, and the configuration file still has the old one. */
    @Test
    void eitherMemberIsBelievedOfTwoThatAreExpectedAtOneAddress() throws Exception {
        RaftSettings.Tls second = certificates.of("d", "authority", URI + "d");
        MemberTrust trust = new MemberTrust(CLUSTER, first.authorities(), () -> members);
        SSLEngine there = dialled("there", 7720);
        members.put("b", "there:7720");
        members.put("d", "there:7720");
        for (RaftSettings.Tls shown : new RaftSettings.Tls[] {first, second}) {
            assertDoesNotThrow(() -> trust.checkServerTrusted(MemberCertificates.chain(shown), "UNKNOWN", there));
        }
        members.put("d", "elsewhere:7720");
        CertificateException refused = assertThrows(
                CertificateException.class,
                () -> trust.checkServerTrusted(MemberCertificates.chain(second), "UNKNOWN", there));
        assertEquals("at there:7720 is d, expected was one of [b]", refused.getMessage());
        members.remove("d");
        assertThrows(
                CertificateException.class,
                () -> trust.checkServerTrusted(MemberCertificates.chain(second), "UNKNOWN", there));
    }

    /** An authority may sign a name of another kind for whoever asks. */
    @Test
    void anIdentityIsAUriAndNothingElse() throws Exception {
        RaftSettings.Tls files = certificates.named("mail", "authority", "email:" + URI + "b");
        MemberTrust trust = new MemberTrust(CLUSTER, files.authorities(), () -> members);
        X509Certificate shown = MemberCertificates.chain(files)[0];
        assertTrue(
                shown.getSubjectAlternativeNames().toString().contains(URI + "b"),
                () -> "the test proves nothing: " + shown);
        assertThrows(CertificateException.class, () -> trust.nodeOf(shown));
    }

    @Test
    void aCertificateWithoutNamesIsThatOfNobody() throws Exception {
        MemberTrust trust = new MemberTrust(CLUSTER, first.authorities(), () -> members);
        X509Certificate[] own = MemberCertificates.chain(first);
        CertificateException refused =
                assertThrows(CertificateException.class, () -> trust.nodeOf(own[own.length - 1]));
        assertEquals("the certificate has no identity in cluster " + CLUSTER + ": null", refused.getMessage());
    }

    @Test
    void aFileOfAuthoritiesWithoutOneIsRefusedAtTheStart() throws Exception {
        Path empty = Files.createFile(temp.resolve("empty.crt"));
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> new MemberTrust(CLUSTER, empty, () -> members));
        assertEquals(empty + " has no certificate", refused.getMessage());
    }
}
