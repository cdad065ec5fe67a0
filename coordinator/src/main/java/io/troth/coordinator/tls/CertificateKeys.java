package io.troth.coordinator.tls;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Cipher;
import javax.crypto.EncryptedPrivateKeyInfo;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Whether a key is that of a certificate, which TLS itself would find out at the first handshake only, and not say.
 */
public final class CertificateKeys {

    private static final Pattern KEY = Pattern.compile("-----BEGIN (ENCRYPTED )?PRIVATE KEY-----([^-]+)-----END");

    private static final byte[] PROBE = {1, 2, 3};

    private CertificateKeys() {}

    /**
     * Signs by the key and verifies by the certificate, both PEM files that TLS can read.
     *
     * @throws IllegalArgumentException when they do not belong together; kinds of keys that are not known here pass
     */
    public static void check(Path certificate, Path key, @Nullable String password) {
        try (InputStream in = Files.newInputStream(certificate)) {
            PublicKey shown = CertificateFactory.getInstance("X.509")
                    .generateCertificate(in)
                    .getPublicKey();
            Matcher pem = KEY.matcher(Files.readString(key));
            if (pem.find() && !belongTogether(shown, pkcs8(pem.group(1), pem.group(2), password))) {
                throw new IllegalArgumentException(
                        "the key in " + key + " is not that of the certificate in " + certificate);
            }
        } catch (GeneralSecurityException | IOException e) {
            // Nothing is known against them.
        }
    }

    private static PKCS8EncodedKeySpec pkcs8(@Nullable String encrypted, String text, @Nullable String password)
            throws GeneralSecurityException, IOException {
        byte[] der = Base64.getMimeDecoder().decode(text);
        if (encrypted == null || password == null) {
            return new PKCS8EncodedKeySpec(der);
        }
        EncryptedPrivateKeyInfo info = new EncryptedPrivateKeyInfo(der);
        // PBES2 is a family; its parameters name the member.
        String algorithm =
                info.getAlgName().equals("PBES2") ? info.getAlgParameters().toString() : info.getAlgName();
        Cipher cipher = Cipher.getInstance(algorithm);
        cipher.init(
                Cipher.DECRYPT_MODE,
                SecretKeyFactory.getInstance(algorithm).generateSecret(new PBEKeySpec(password.toCharArray())),
                info.getAlgParameters());
        return info.getKeySpec(cipher);
    }

    private static boolean belongTogether(PublicKey shown, PKCS8EncodedKeySpec pkcs8) throws GeneralSecurityException {
        String algorithm = shown.getAlgorithm();
        PrivateKey secret;
        try {
            secret = KeyFactory.getInstance(algorithm).generatePrivate(pkcs8);
        } catch (InvalidKeySpecException e) {
            return false;
        }
        Signature signature = Signature.getInstance(
                switch (algorithm) {
                    case "EC" -> "SHA256withECDSA";
                    case "RSA" -> "SHA256withRSA";
                    default -> algorithm;
                });
        signature.initSign(secret);
        signature.update(PROBE);
        byte[] signed = signature.sign();
        signature.initVerify(shown);
        signature.update(PROBE);
        return signature.verify(signed);
    }
}
