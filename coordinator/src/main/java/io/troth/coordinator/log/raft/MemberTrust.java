package io.troth.coordinator.log.raft;

import io.troth.core.ClusterId;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whom a member believes: whoever shows a certificate of the authorities with an identity in this cluster, as a URI among
 * its subject alternative names: {@code troth://CLUSTER/NODE}. Who is dialled must be the one that is expected at that
 * address; what one who dials may say is for the {@link Doorkeeper}. Host names are not looked at: a member is who it is
 * wherever it runs. Thread-safe.
 */
final class MemberTrust extends X509ExtendedTrustManager {

    private static final Logger LOG = LoggerFactory.getLogger(MemberTrust.class);

    private static final int URI = 6;

    /** A stranger with ever another certificate does not fill the log. */
    private static final int SAID_MAX = 100;

    private final ClusterId cluster;
    private final X509ExtendedTrustManager authorities;
    private final Supplier<Map<String, String>> members;
    private final Set<String> said = ConcurrentHashMap.newKeySet();

    /**
     * Reads the authorities.
     *
     * @param members where each member is, by name; asked at each handshake
     * @throws IllegalArgumentException when the file cannot be read or has no certificate
     */
    MemberTrust(ClusterId cluster, Path authorities, Supplier<Map<String, String>> members) {
        this.cluster = cluster;
        this.authorities = read(authorities);
        this.members = members;
    }

    private static X509ExtendedTrustManager read(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            for (Certificate each : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                store.setCertificateEntry("authority" + store.size(), each);
            }
            if (store.size() == 0) {
                throw new IllegalArgumentException(file + " has no certificate");
            }
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(store);
            for (TrustManager manager : factory.getTrustManagers()) {
                if (manager instanceof X509ExtendedTrustManager found) {
                    return found;
                }
            }
            throw new IllegalArgumentException("this Java has no trust manager for X.509");
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) throws CertificateException {
        try {
            authorities.checkClientTrusted(chain, type);
            String unused = nodeOf(chain[0]);
        } catch (CertificateException e) {
            say(chain[0], "", e);
            throw e;
        }
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) throws CertificateException {
        String dialled = engine.getPeerHost() + ":" + engine.getPeerPort();
        try {
            authorities.checkServerTrusted(chain, type);
            String node = nodeOf(chain[0]);
            if (!dialled.equals(members.get().get(node))) {
                throw new CertificateException(
                        "at " + dialled + " is " + node + ", expected was one of " + nodesAt(dialled));
            }
        } catch (CertificateException e) {
            say(chain[0], " at " + dialled, e);
            throw e;
        }
    }

    /** Once for each certificate: the other side hears only that it was refused, and Raft says nothing of it. */
    private void say(X509Certificate certificate, String where, CertificateException why) {
        Throwable bottom = why;
        while (bottom.getCause() != null) {
            bottom = bottom.getCause();
        }
        String line = certificate.getSubjectX500Principal() + where + ": " + bottom.getMessage();
        if (said.size() < SAID_MAX && said.add(line)) {
            LOG.warn("refused the certificate of {}", line);
        }
    }

    /** There can be two: who was there before may still stand in the configuration file. */
    private List<String> nodesAt(String address) {
        return members.get().entrySet().stream()
                .filter(member -> member.getValue().equals(address))
                .map(Map.Entry::getKey)
                .sorted()
                .toList();
    }

    /**
     * The node whose certificate it is.
     *
     * @throws CertificateException when it is that of no node of this cluster
     */
    String nodeOf(X509Certificate certificate) throws CertificateException {
        String prefix = "troth://" + cluster + "/";
        Collection<List<?>> names = certificate.getSubjectAlternativeNames();
        for (List<?> name : names == null ? List.<List<?>>of() : names) {
            if (name.get(0).equals(URI) && String.valueOf(name.get(1)).startsWith(prefix)) {
                return String.valueOf(name.get(1)).substring(prefix.length());
            }
        }
        throw new CertificateException("the certificate has no identity in cluster " + cluster + ": " + names);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return authorities.getAcceptedIssuers();
    }

    // Nobody speaks TLS over sockets here, nor without saying on which connection.

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) throws CertificateException {
        throw new CertificateException("not over sockets");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) throws CertificateException {
        throw new CertificateException("not over sockets");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
        throw new CertificateException("not without a connection");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
        throw new CertificateException("not without a connection");
    }
}
