package io.troth.coordinator.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Goal: who does not end a request, or does not read the answer, keeps nobody else from an answer for good. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class HttpEndpointTest {

    private static final InetAddress HERE = InetAddress.getLoopbackAddress();

    /** More than two sockets hold back. */
    private static final String LONG = "a".repeat(16_000_000);

    @Test
    void cutsOffWhoDoesNotEndARequestAndWhoDoesNotReadTheAnswer() throws Exception {
        List<Socket> slow = new ArrayList<>();
        try (HttpEndpoint http =
                new HttpEndpoint(new InetSocketAddress(HERE, 0), () -> true, () -> null, () -> null, () -> LONG)) {
            for (int i = 0; i < HttpEndpoint.THREADS; i++) {
                slow.add(
                        ask(http.port(), i % 2 == 0 ? "GET /livez HT" : "GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n"));
            }
            assertEquals("200 alive", Http.get(http.port(), "/livez"));
        } finally {
            for (Socket socket : slow) {
                socket.close();
            }
        }
    }

    @Test
    void saysWhyItIsNotReadyAlsoWhereTheCodeSaysItAll() throws Exception {
        Reason bare = Reason.of(ErrorCode.LOG_DISTRUSTED);
        try (HttpEndpoint http =
                new HttpEndpoint(new InetSocketAddress(HERE, 0), () -> true, () -> bare, () -> bare, () -> "")) {
            assertEquals("503 LOG_DISTRUSTED " + bare.code().advice(), Http.get(http.port(), "/readyz"));
        }
    }

    private static Socket ask(int port, String text) throws Exception {
        Socket socket = new Socket(HERE, port);
        socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
        return socket;
    }
}
