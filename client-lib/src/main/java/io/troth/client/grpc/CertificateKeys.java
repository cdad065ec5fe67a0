package io.troth.client.grpc;

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

/**
 * Whether a key is that of a certificate, which TLS itself would find out at the first handshake only, and not say.
 * Internal. The coordinator has one of its own, which also reads encrypted keys.
 */
public final class CertificateKeys {

    private static final Pattern KEY = Pattern.compile("-----BEGIN PRIVATE KEY-----([^-]+)-----END PRIVATE KEY-----");

    private static final byte[] PROBE = {1, 2, 3};

    private CertificateKeys() {}

    /**
     * Signs by the key and verifies by the certificate, both PEM files that TLS can read.
     *
     * @throws IllegalArgumentException when they do not belong together; kinds of keys that are not known here pass
     */
    public static void check(Path certificate, Path key) {
        try (InputStream in = Files.newInputStream(certificate)) {
            PublicKey shown = CertificateFactory.getInstance("X.509")
                    .generateCertificate(in)
                    .getPublicKey();
            Matcher pem = KEY.matcher(Files.readString(key));
            if (pem.find() && !belongTogether(shown, Base64.getMimeDecoder().decode(pem.group(1)))) {
                throw new IllegalArgumentException(
                        "the key in " + key + " is not that of the certificate in " + certificate);
            }
        } catch (GeneralSecurityException | IOException e) {
            // Nothing is known against them.
        }
    }

    private static boolean belongTogether(PublicKey shown, byte[] pkcs8) throws GeneralSecurityException {
        String algorithm = shown.getAlgorithm();
        PrivateKey secret;
        try {
            secret = KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
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
