package io.troth.coordinator.log.raft;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Ports that are to be known before anybody listens on them. Thread-safe. */
public final class FreePorts {

    /** Below the ports that the operating system gives to whoever asks for any. */
    private static final int FIRST = 20_000;

    private static final int LAST = 32_000;
    private static final SplittableRandom RANDOM = new SplittableRandom();

    /** UDP, which nobody here speaks: who has this one has the port, also before the other JVMs of this machine. */
    private static final List<DatagramSocket> GIVEN = new ArrayList<>();

    private FreePorts() {}

    /** A port of the loopback that nobody has, and that is given only once. */
    public static synchronized int next() {
        while (true) {
            int port = RANDOM.nextInt(FIRST, LAST);
            if (isFree(port)) {
                return port;
            }
        }
    }

    private static boolean isFree(int port) {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        try (ServerSocket socket = new ServerSocket()) {
            socket.bind(new InetSocketAddress(loopback, port));
            GIVEN.add(new DatagramSocket(port, loopback));
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
