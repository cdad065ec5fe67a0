package io.troth.coordinator.log.raft;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/** Certificates of members as PEM files, made anew by the JDK's own tool. */
final class MemberCertificates {

    private static final String PASSWORD = "not-a-secret";
    private static final Base64.Encoder LINES = Base64.getMimeEncoder(64, new byte[] {'\n'});

    private final Path directory;

    private MemberCertificates(Path directory) {
        this.directory = directory;
    }

    /** With two authorities. */
    static MemberCertificates create(Path directory) throws Exception {
        Files.createDirectories(directory);
        MemberCertificates made = new MemberCertificates(directory);
        made.generate("authority", "-ext", "bc:c");
        made.generate("stranger", "-ext", "bc:c");
        return made;
    }

    /** Files of whoever has this identity, signed by an authority, and believing the good one. */
    RaftSettings.Tls of(String name, String signer, String uri) throws Exception {
        return named(name, signer, "uri:" + uri);
    }

    /** The same with a name of any kind, in the words of the tool. */
    RaftSettings.Tls named(String name, String signer, String alternativeName) throws Exception {
        generate(name, "-signer", signer, "-ext", "san=" + alternativeName);
        return new RaftSettings.Tls(file(name, "crt"), file(name, "key"), file("authority", "crt"));
    }

    /** What is shown: the certificate, and that of who signed it. */
    static X509Certificate[] chain(RaftSettings.Tls files) throws Exception {
        try (InputStream in = Files.newInputStream(files.certificate())) {
            return CertificateFactory.getInstance("X.509").generateCertificates(in).stream()
                    .map(X509Certificate.class::cast)
                    .toArray(X509Certificate[]::new);
        }
    }

    private Path file(String name, String extension) {
        return directory.resolve(name + "." + extension);
    }

    private void generate(String alias, String... options) throws Exception {
        Path store = directory.resolve("store.p12");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-J-XX:TieredStopAtLevel=1"));
        command.addAll(List.of("-genkeypair", "-keystore", store.toString(), "-storetype", "PKCS12"));
        command.addAll(List.of("-storepass", PASSWORD, "-alias", alias, "-dname", "CN=" + alias));
        command.addAll(List.of("-keyalg", "EC", "-groupname", "secp256r1"));
        command.addAll(Arrays.asList(options));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(command + ": " + said);
        }
        KeyStore entries = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            entries.load(in, PASSWORD.toCharArray());
        }
        StringBuilder chain = new StringBuilder();
        for (Certificate certificate : entries.getCertificateChain(alias)) {
            chain.append(pem("CERTIFICATE", certificate.getEncoded()));
        }
        Files.writeString(file(alias, "crt"), chain);
        byte[] key = entries.getKey(alias, PASSWORD.toCharArray()).getEncoded();
        Files.writeString(file(alias, "key"), pem("PRIVATE KEY", key));
    }

    private static String pem(String what, byte[] der) {
        return "-----BEGIN " + what + "-----\n" + LINES.encodeToString(der) + "\n-----END " + what + "-----\n";
    }
}
