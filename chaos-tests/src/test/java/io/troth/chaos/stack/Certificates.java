package io.troth.chaos.stack;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import javax.crypto.Cipher;
import javax.crypto.EncryptedPrivateKeyInfo;
import javax.crypto.SecretKey;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/** Authorities, and certificates good and bad in every way that a peer must notice, as PEM files that are made anew. */
final class Certificates {

    static final String PASSWORD_TEXT = "not-a-secret";

    private static final char[] PASSWORD = PASSWORD_TEXT.toCharArray();
    private static final String ENCRYPTION = "PBEWithSHA1AndDESede";
    private static final Base64.Encoder LINES = Base64.getMimeEncoder(64, new byte[] {'\n'});

    /** Whose certificate it is. */
    enum Owner {
        /** The one that everybody trusts. */
        AUTHORITY("", "-ext bc:c"),
        /** A coordinator, an agent or a client on this machine. */
        MEMBER("AUTHORITY", "-ext san=dns:localhost,ip:127.0.0.1"),
        EXPIRED("AUTHORITY", "-ext san=dns:localhost,ip:127.0.0.1 -startdate -3d -validity 1"),
        /** Of another host. */
        MISNAMED("AUTHORITY", "-ext san=dns:elsewhere.example"),
        /** Signed by itself. */
        STRANGER("", "-ext san=dns:localhost,ip:127.0.0.1");

        private final String signer;
        private final String options;

        Owner(String signer, String options) {
            this.signer = signer;
            this.options = options;
        }
    }

    private final Path directory;
    private final Map<Owner, Path> certificates = new EnumMap<>(Owner.class);
    private final Map<Owner, Path> keys = new EnumMap<>(Owner.class);

    private Certificates(Path directory) {
        this.directory = directory;
    }

    /** Makes one for each owner, in this directory. */
    static Certificates create(Path directory) throws Exception {
        Certificates made = new Certificates(directory);
        Path store = directory.resolve("store.p12");
        for (Owner owner : Owner.values()) {
            keytool(store, owner);
        }
        KeyStore entries = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            entries.load(in, PASSWORD);
        }
        for (Owner owner : Owner.values()) {
            made.write(entries, owner);
        }
        return made;
    }

    private static void keytool(Path store, Owner owner) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-J-XX:TieredStopAtLevel=1"));
        command.addAll(List.of("-genkeypair", "-keystore", store.toString(), "-storetype", "PKCS12"));
        command.addAll(List.of("-storepass", PASSWORD_TEXT, "-alias", owner.name(), "-dname", "CN=" + owner));
        command.addAll(List.of("-keyalg", "EC", "-groupname", "secp256r1"));
        if (!owner.signer.isEmpty()) {
            command.addAll(List.of("-signer", owner.signer));
        }
        command.addAll(List.of(owner.options.split(" ", -1)));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IllegalStateException(command + ": " + said);
        }
    }

    private void write(KeyStore entries, Owner owner) throws GeneralSecurityException, IOException {
        StringBuilder chain = new StringBuilder();
        for (Certificate certificate : entries.getCertificateChain(owner.name())) {
            chain.append(pem("CERTIFICATE", certificate.getEncoded()));
        }
        byte[] key = entries.getKey(owner.name(), PASSWORD).getEncoded();
        Files.writeString(encryptedKey(owner), pem("ENCRYPTED PRIVATE KEY", encrypted(key)));
        certificates.put(owner, Files.writeString(directory.resolve(owner + ".crt"), chain));
        keys.put(owner, Files.writeString(directory.resolve(owner + ".key"), pem("PRIVATE KEY", key)));
    }

    private static byte[] encrypted(byte[] key) throws GeneralSecurityException, IOException {
        Cipher cipher = Cipher.getInstance(ENCRYPTION);
        SecretKey secret = SecretKeyFactory.getInstance(ENCRYPTION).generateSecret(new PBEKeySpec(PASSWORD));
        cipher.init(Cipher.ENCRYPT_MODE, secret);
        return new EncryptedPrivateKeyInfo(cipher.getParameters(), cipher.doFinal(key)).getEncoded();
    }

    private static String pem(String what, byte[] der) {
        return "-----BEGIN " + what + "-----\n" + LINES.encodeToString(der) + "\n-----END " + what + "-----\n";
    }

    /** What everybody trusts. */
    Path authorities() {
        return certificate(Owner.AUTHORITY);
    }

    /** The certificate with its chain. */
    Path certificate(Owner owner) {
        return certificates.get(owner);
    }

    /** The private key, PKCS#8, encrypted with {@link #PASSWORD_TEXT}. */
    Path encryptedKey(Owner owner) {
        return directory.resolve(owner + ".encrypted.key");
    }

    /** The private key, PKCS#8, not encrypted. */
    Path key(Owner owner) {
        return keys.get(owner);
    }
}
