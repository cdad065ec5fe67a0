package io.troth.agent.server;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
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

/** Goal: questions that are not answered cost the process nothing for good. */
class AgentHttpTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);

    /** Two are answered and fifty wait; the JDK's server does not look at the connection of one that is dropped again. */
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
            for (int i = 0; i < 60; i++) {
                SocketChannel channel = SocketChannel.open(new InetSocketAddress(here.getAddress(), http.port()));
                asking.add(channel);
                channel.write(StandardCharsets.US_ASCII.encode("GET /livez HTTP/1.1\r\nHost: here\r\n\r\n"));
                channel.configureBlocking(false);
            }
            Awaitility.await()
                    .atMost(LIMIT)
                    .until(() -> asking.stream().filter(AgentHttpTest::isClosed).count() == 8);
        } finally {
            held.countDown();
            for (SocketChannel channel : asking) {
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
