package io.troth.coordinator.log.raft;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;

/** Ports that are to be known before anybody listens on them. Thread-safe. */
public final class FreePorts {

    /** Below the ports that the operating system gives to whoever asks for any. */
    private static final int FIRST = 20_000;

    private static final int LAST = 32_000;
    private static final SplittableRandom RANDOM = new SplittableRandom();
    private static final Set<Integer> GIVEN = new HashSet<>();

    private FreePorts() {}

    /** A port of the loopback that nobody has, and that is given only once. */
    public static synchronized int next() {
        while (true) {
            int port = RANDOM.nextInt(FIRST, LAST);
            if (isFree(port) && GIVEN.add(port)) {
                return port;
            }
        }
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
