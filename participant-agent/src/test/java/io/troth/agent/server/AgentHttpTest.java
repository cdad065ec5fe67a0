package io.troth.agent.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Goal: questions that are not answered cost the process nothing for good. */
class AgentHttpTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    /** Some are answered and fifty wait; the JDK's server does not look at the connection of one that is dropped again. */
    @Test
    void hangsUpOnWhomItCannotAnswer() throws Exception {
        CountDownLatch held = new CountDownLatch(1);
        AgentHttp.Health good = new AgentHttp.Health(true, "good");
        InetSocketAddress here = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        List<SocketChannel> asking = new ArrayList<>();
        try (AgentHttp http = AgentHttp.start(
                here,
                () -> "",
                () -> {
                    await(held);
                    return good;
                },
                () -> good)) {
            for (int i = 0; i < AgentHttp.THREADS + AgentHttp.WAITING_MAX + 8; i++) {
                SocketChannel channel = SocketChannel.open(new InetSocketAddress(here.getAddress(), http.port()));
                asking.add(channel);
                channel.write(StandardCharsets.US_ASCII.encode("GET /livez HTTP/1.1\r\nHost: here\r\n\r\n"));
                channel.configureBlocking(false);
            }
            Awaitility.await()
                    .atMost(LIMIT)
                    .until(() -> asking.stream().filter(AgentHttpTest::isClosed).count() >= 8);
        } finally {
            held.countDown();
            for (SocketChannel channel : asking) {
                channel.close();
            }
        }
    }

    /** Whoever does not end a request, or does not read the answer, keeps nobody else from one for good. */
    @Test
    @Timeout(value = 60, unit = TimeUnit.SECONDS)
    void cutsOffWhoIsSlow() throws Exception {
        AgentHttp.Health good = new AgentHttp.Health(true, "good");
        InetSocketAddress here = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        String longer = "a".repeat(16_000_000);
        List<SocketChannel> slow = new ArrayList<>();
        try (AgentHttp http = AgentHttp.start(here, () -> longer, () -> good, () -> good)) {
            for (int i = 0; i < AgentHttp.THREADS; i++) {
                SocketChannel channel = SocketChannel.open(new InetSocketAddress(here.getAddress(), http.port()));
                slow.add(channel);
                String text = i % 2 == 0 ? "GET /livez HT" : "GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n";
                channel.write(StandardCharsets.US_ASCII.encode(text));
            }
            URI live = URI.create("http://" + here.getHostString() + ":" + http.port() + "/livez");
            assertEquals(
                    "good\n",
                    HttpClient.newHttpClient()
                            .send(HttpRequest.newBuilder(live).build(), HttpResponse.BodyHandlers.ofString())
                            .body());
        } finally {
            for (SocketChannel channel : slow) {
                channel.close();
            }
        }
    }

    private static boolean isClosed(SocketChannel channel) {
        try {
            return channel.read(ByteBuffer.allocate(1)) < 0;
        } catch (IOException e) {
            return true;
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            boolean unused = latch.await(LIMIT.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
