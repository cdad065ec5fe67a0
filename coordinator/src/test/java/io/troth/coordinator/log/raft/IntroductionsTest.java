package io.troth.coordinator.log.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.core.ClusterId;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.ServerSocket;
import java.net.SocketAddress;
import java.net.URI;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.thirdparty.io.grpc.Server;
import org.apache.ratis.thirdparty.io.grpc.netty.NettyServerBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** Goal: who asks a member who it is gets that or an error, and soon. Method: somebody at a port of the loopback. */
@Isolated // Says for this JVM which proxy there is.
class IntroductionsTest {

    private static final long ASK_MILLIS = 30_000;

    private static String address(int port) {
        return "127.0.0.1:" + port;
    }

    private interface Asking {
        void ask(String address) throws IOException;
    }

    private static void answering(Introduction says, Asking asking) throws Exception {
        Server server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .addService(Introductions.service(() -> says))
                .build()
                .start();
        try {
            asking.ask(address(server.getPort()));
        } finally {
            server.shutdownNow().awaitTermination(60, TimeUnit.SECONDS);
        }
    }

    @Test
    void anAnswerThatIsNoIntroductionIsAnError() throws Exception {
        Introduction nameless = new Introduction(new ClusterId(1), new MemberId("", 1), true, List.of());
        answering(nameless, address -> {
            IOException refused = assertThrows(IOException.class, () -> Introductions.ask(address, null, ASK_MILLIS));
            assertTrue(refused.getMessage().startsWith(address + ": "), refused::getMessage);
            assertTrue(refused.getMessage().contains("is not the id of a member"), refused::getMessage);
        });
    }

    @Test
    void whoDoesNotAnswerIsNotWaitedForForEver() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String address = address(silent.getLocalPort());
            IOException refused = assertThrows(IOException.class, () -> Introductions.ask(address, null, 50));
            assertTrue(refused.getMessage().contains("DEADLINE_EXCEEDED"), refused::getMessage);
        }
    }

    /** As Raft asks: a proxy for what is outside would refuse both, or neither. */
    @Test
    void noProxyIsAsked() throws Exception {
        Introduction says = new Introduction(new ClusterId(1), new MemberId("a", 1), true, List.of());
        ProxySelector before = ProxySelector.getDefault();
        ProxySelector.setDefault(new ProxySelector() {
            @Override
            public List<Proxy> select(URI uri) {
                return List.of(new Proxy(Proxy.Type.HTTP, new InetSocketAddress(InetAddress.getLoopbackAddress(), 1)));
            }

            @Override
            public void connectFailed(URI uri, SocketAddress address, IOException why) {}
        });
        try {
            answering(says, address -> assertEquals(says, Introductions.ask(address, null, ASK_MILLIS)));
        } finally {
            ProxySelector.setDefault(before);
        }
    }
}
