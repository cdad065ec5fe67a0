package io.troth.chaos.proxy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Goal: each fault does what it says. Method: an echo server behind the proxy. */
class TcpProxyTest {

    private static final int READ_LIMIT_MILLIS = 60_000;
    private static final int SILENCE_MILLIS = 150;

    private ServerSocket echo;
    private TcpProxy proxy;

    @BeforeEach
    void open() throws IOException {
        echo = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread thread = new Thread(this::serve, "echo");
        thread.setDaemon(true);
        thread.start();
        proxy = TcpProxy.toPort(echo.getLocalPort());
    }

    @AfterEach
    void close() throws IOException {
        proxy.close();
        echo.close();
    }

    @Test
    void passesBytesBothWays() throws IOException {
        try (Socket socket = connect()) {
            assertEquals("hello", exchange(socket, "hello"));
        }
    }

    @Test
    void cutsOpenConnectionsAndAcceptsNewOnes() throws IOException {
        try (Socket socket = connect()) {
            exchange(socket, "hello");
            proxy.cut();
            assertThrows(IOException.class, () -> {
                exchange(socket, "again");
                exchange(socket, "again");
            });
        }
        try (Socket socket = connect()) {
            assertEquals("new", exchange(socket, "new"));
        }
    }

    @Test
    void swallowsRepliesOnly() throws IOException {
        try (Socket socket = connect()) {
            proxy.set(Direction.TO_CLIENT, TcpProxy.Mode.SWALLOW);
            socket.setSoTimeout(SILENCE_MILLIS);
            assertThrows(SocketTimeoutException.class, () -> exchange(socket, "lost"));
            Awaitility.await().atMost(Duration.ofMinutes(1)).until(() -> proxy.swallowedBytes() == 4);
            proxy.heal();
            socket.setSoTimeout(READ_LIMIT_MILLIS);
            assertEquals("later", exchange(socket, "later"));
        }
    }

    @Test
    void holdsBytesUntilTheModeChanges() throws IOException {
        try (Socket socket = connect()) {
            proxy.set(Direction.TO_SERVER, TcpProxy.Mode.HOLD);
            socket.setSoTimeout(SILENCE_MILLIS);
            assertThrows(SocketTimeoutException.class, () -> exchange(socket, "held"));
            proxy.heal();
            socket.setSoTimeout(READ_LIMIT_MILLIS);
            assertEquals("held", read(socket, 4));
        }
    }

    @Test
    void cutsExactlyAfterARequestHasLeft() throws IOException {
        try (Socket socket = connect()) {
            proxy.when(Direction.TO_SERVER, TcpProxy.contains("PREPARE"), TcpProxy.Moment.AFTER, proxy::cut);
            assertEquals("begin", exchange(socket, "begin"));
            assertThrows(IOException.class, () -> exchange(socket, "PREPARE"));
        }
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), proxy.port());
        socket.setSoTimeout(READ_LIMIT_MILLIS);
        return socket;
    }

    private static String exchange(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
        return read(socket, text.length());
    }

    private static String read(Socket socket, int length) throws IOException {
        byte[] bytes = socket.getInputStream().readNBytes(length);
        if (bytes.length < length) {
            throw new IOException("ended early");
        }
        return new String(bytes, StandardCharsets.US_ASCII);
    }

    private void serve() {
        while (!echo.isClosed()) {
            try {
                Socket socket = echo.accept();
                Thread thread = new Thread(() -> echo(socket), "echo-one");
                thread.setDaemon(true);
                thread.start();
            } catch (IOException e) {
                return;
            }
        }
    }

    private static void echo(Socket socket) {
        try (socket) {
            socket.getInputStream().transferTo(socket.getOutputStream());
        } catch (IOException e) {
            // The proxy reset it.
            return;
        }
    }
}
