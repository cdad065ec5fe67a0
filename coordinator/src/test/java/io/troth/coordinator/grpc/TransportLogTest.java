package io.troth.coordinator.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** Goal: what a peer does wrong writes no stack trace into the log. Method: bytes on a connection, and the transport's log. */
@Isolated // Hears what the transport logs, whoever makes it.
class TransportLogTest {

    private static final String PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
    private static final String WINDOW_OF_NOTHING = "\0\0\4\10\0\0\0\0\1\0\0\0\0";

    private final List<Throwable> thrown = new CopyOnWriteArrayList<>();

    private final class Hears extends Handler {
        @Override
        public void publish(LogRecord line) {
            if (line.getThrown() != null) {
                thrown.add(line.getThrown());
            }
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }

    /** As of an agent that stood still, and makes its stream on a connection that was given up meanwhile. */
    @Test
    void aStreamThatBreaksTheRulesIsEndedWithoutAStackTrace() throws Exception {
        Logger transport = Logger.getLogger("io.grpc");
        Handler hears = new Hears();
        transport.addHandler(hears);
        try (Edge edge = new Edge();
                Socket rude = new Socket(InetAddress.getLoopbackAddress(), edge.server.port())) {
            rude.setSoTimeout(20_000);
            rude.getOutputStream().write((PREFACE + WINDOW_OF_NOTHING).getBytes(StandardCharsets.ISO_8859_1));
            rude.shutdownOutput();
            byte[] unused = rude.getInputStream().readAllBytes();
        } finally {
            transport.removeHandler(hears);
        }
        assertEquals(List.of(), thrown);
    }
}
