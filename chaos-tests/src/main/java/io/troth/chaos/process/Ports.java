package io.troth.chaos.process;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Free ports that stay free while a server is down between its kill and its restart: they lie below the range from
 * which the kernel takes the local ports of outgoing connections, among them those that try to reach the server.
 */
public final class Ports {

    private static final int LOWEST = 15_000;
    private static final int HIGHEST = 31_000;
    private static final int ATTEMPTS = 200;

    /**
     * Chosen now and bound later, by another process: nobody else may choose it in between, and no other JVM either. UDP,
     * which nobody here speaks: who has this one has the port.
     */
    private static final Queue<DatagramSocket> CHOSEN = new ConcurrentLinkedQueue<>();

    private Ports() {}

    /** A port of the loopback address on which nobody listens now; never the same twice. */
    public static int free(Random random) {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            int port = LOWEST + random.nextInt(HIGHEST - LOWEST);
            if (isFree(port)) {
                return port;
            }
        }
        throw new IllegalStateException("no free port found between " + LOWEST + " and " + HIGHEST);
    }

    private static boolean isFree(int port) {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(loopback, port));
            CHOSEN.add(new DatagramSocket(port, loopback));
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
