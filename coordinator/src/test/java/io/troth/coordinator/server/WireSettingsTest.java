package io.troth.coordinator.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.troth.coordinator.config.ConfigKey;
import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.grpc.GrpcSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Goal: the configuration's defaults are those of the gRPC package, and every value arrives. */
class WireSettingsTest {

    @TempDir
    Path temp;

    @Test
    void defaultsAreTheOnesOfTheProduct() {
        assertEquals(GrpcSettings.loopback(0), WireSettings.of(CoordinatorConfig.onFreePorts(temp, Map.of())));
    }

    @Test
    void filesOfTlsArriveAndThePasswordIsNotPrinted() throws IOException {
        String file = Files.writeString(temp.resolve("x.pem"), "x").toString();
        GrpcSettings settings = WireSettings.of(CoordinatorConfig.onFreePorts(
                temp,
                Map.of(
                        ConfigKey.TLS_CERTIFICATE, file,
                        ConfigKey.TLS_KEY, file,
                        ConfigKey.TLS_AUTHORITIES, file,
                        ConfigKey.TLS_KEY_PASSWORD, "sesame")));
        assertEquals("sesame", settings.tls().keyPassword());
        assertFalse(settings.toString().contains("sesame"));
    }
}
