package io.troth.agent.grpc;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;

/**
 * A port of this machine that stays whose it is while nobody listens there: neither who asks for any port gets it, nor an
 * outgoing connection, among them those that try to reach it.
 */
final class HeldPort implements AutoCloseable {

    /** Bound, and never connected. */
    private final Socket socket = new Socket();

    HeldPort() {
        try {
            // As a server does: both can have it then.
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    InetSocketAddress address() {
        return (InetSocketAddress) socket.getLocalSocketAddress();
    }

    int number() {
        return socket.getLocalPort();
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
