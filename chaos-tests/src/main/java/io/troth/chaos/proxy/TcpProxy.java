package io.troth.chaos.proxy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;

/**
 * Stands between two processes and makes the network fail: cut with a reset, delay, swallow one direction (the other
 * side waits for ever, as behind a firewall), hold (bytes wait and come later). A watch looks at what passes and acts just
 * before or just after the bytes it waits for are handed on.
 *
 * <p>Thread-safe; two threads per connection.
 */
public final class TcpProxy implements AutoCloseable {

    private static final int BUFFER_BYTES = 64 * 1024;

    /** What happens to bytes of one direction. */
    public enum Mode {
        PASS,
        /** They are read and thrown away. */
        SWALLOW,
        /** They wait until the mode changes. */
        HOLD
    }

    /** When a watch acts. */
    public enum Moment {
        BEFORE,
        AFTER
    }

    private record Watch(Direction direction, Predicate<byte[]> wanted, Moment moment, Runnable action) {}

    /** The gate is held from a watched write until its action has run: the answer must not slip by in between. */
    private record Pair(Socket client, Socket server, ReentrantLock gate) {}

    private final InetSocketAddress target;
    private final ServerSocket listener;
    private final Object lock = new Object();
    private final Map<Direction, Mode> modes = new EnumMap<>(Direction.class);
    private final Map<Direction, Long> delaysMillis = new EnumMap<>(Direction.class);
    private final List<Watch> watches = new CopyOnWriteArrayList<>();
    private final List<Pair> pairs = new CopyOnWriteArrayList<>();
    private final AtomicLong swallowedBytes = new AtomicLong();
    private volatile boolean closed;

    private TcpProxy(InetSocketAddress target, ServerSocket listener) {
        this.target = target;
        this.listener = listener;
        for (Direction direction : Direction.values()) {
            modes.put(direction, Mode.PASS);
            delaysMillis.put(direction, 0L);
        }
    }

    /** Starts a proxy on an ephemeral port of the loopback address, to a port of the loopback address. */
    public static TcpProxy toPort(int targetPort) {
        return toPort(targetPort, 0);
    }

    /** As {@link #toPort(int)}, listening on a given port. */
    public static TcpProxy toPort(int targetPort, int listenPort) {
        try {
            InetAddress loopback = InetAddress.getLoopbackAddress();
            ServerSocket listener = new ServerSocket();
            listener.setReuseAddress(true);
            listener.bind(new InetSocketAddress(loopback, listenPort));
            TcpProxy proxy = new TcpProxy(new InetSocketAddress(loopback, targetPort), listener);
            proxy.spawn(proxy::accept, "proxy-accept");
            return proxy;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start a proxy", e);
        }
    }

    public int port() {
        return listener.getLocalPort();
    }

    /** How many bytes have been thrown away, of both directions. */
    public long swallowedBytes() {
        return swallowedBytes.get();
    }

    /** Sets what happens to one direction of every connection, open ones included. */
    public void set(Direction direction, Mode mode) {
        synchronized (lock) {
            modes.put(direction, mode);
            lock.notifyAll();
        }
    }

    /** Delays every read of one direction by this many milliseconds; 0 ends it. */
    public void delay(Direction direction, long millis) {
        synchronized (lock) {
            delaysMillis.put(direction, millis);
            lock.notifyAll();
        }
    }

    /** Both directions again as on an ordinary day. */
    public void heal() {
        for (Direction direction : Direction.values()) {
            set(direction, Mode.PASS);
            delay(direction, 0);
        }
    }

    /** Resets every open connection. New ones are accepted. */
    public void cut() {
        for (Pair pair : pairs) {
            reset(pair.client());
            reset(pair.server());
        }
        pairs.clear();
    }

    /** Acts once, on the thread that hands the bytes on, when the wanted bytes come by. */
    public void when(Direction direction, Predicate<byte[]> wanted, Moment moment, Runnable action) {
        watches.add(new Watch(direction, wanted, moment, action));
    }

    /** Matches a read that contains this text in ASCII. */
    public static Predicate<byte[]> contains(String text) {
        return bytes -> new String(bytes, StandardCharsets.ISO_8859_1).contains(text);
    }

    @Override
    public void close() {
        closed = true;
        closeQuietly(listener);
        cut();
        synchronized (lock) {
            lock.notifyAll();
        }
    }

    private void accept() {
        while (!closed) {
            try {
                connect(listener.accept());
            } catch (IOException e) {
                // One connection failed: the others go on. When the listener was closed, there are no others.
                if (listener.isClosed()) {
                    return;
                }
            }
        }
    }

    private void connect(Socket client) throws IOException {
        Socket server = new Socket();
        try {
            server.connect(target);
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
        } catch (IOException e) {
            reset(client);
            closeQuietly(server);
            throw e;
        }
        Pair pair = new Pair(client, server, new ReentrantLock());
        pairs.add(pair);
        spawn(() -> pump(pair, Direction.TO_SERVER), "proxy-to-server");
        spawn(() -> pump(pair, Direction.TO_CLIENT), "proxy-to-client");
    }

    private void pump(Pair pair, Direction direction) {
        Socket from = direction == Direction.TO_SERVER ? pair.client() : pair.server();
        Socket to = direction == Direction.TO_SERVER ? pair.server() : pair.client();
        byte[] buffer = new byte[BUFFER_BYTES];
        try {
            int count = from.getInputStream().read(buffer);
            while (count >= 0) {
                byte[] bytes = Arrays.copyOf(buffer, count);
                act(direction, bytes, Moment.BEFORE);
                if (mayPass(direction)) {
                    pass(pair, direction, bytes, to);
                } else {
                    swallowedBytes.addAndGet(count);
                }
                count = from.getInputStream().read(buffer);
            }
            to.shutdownOutput();
        } catch (IOException e) {
            closeQuietly(from);
            closeQuietly(to);
            pairs.remove(pair);
        }
    }

    private void pass(Pair pair, Direction direction, byte[] bytes, Socket to) throws IOException {
        boolean watched =
                watches.stream().anyMatch(watch -> watch.direction() == direction && watch.moment() == Moment.AFTER);
        pair.gate().lock();
        try {
            if (watched) {
                to.getOutputStream().write(bytes);
                act(direction, bytes, Moment.AFTER);
                return;
            }
        } finally {
            pair.gate().unlock();
        }
        // Not under the gate: a peer that does not read would block the other direction, too.
        to.getOutputStream().write(bytes);
    }

    private void act(Direction direction, byte[] bytes, Moment moment) {
        for (Watch watch : List.copyOf(watches)) {
            boolean due = watch.direction() == direction && watch.moment() == moment;
            if (due && watch.wanted().test(bytes) && watches.remove(watch)) {
                watch.action().run();
            }
        }
    }

    /** Waits while the direction is held or delayed; false when the bytes are to be swallowed. */
    private boolean mayPass(Direction direction) {
        synchronized (lock) {
            long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(delayMillis(direction));
            while (!closed && (modes.get(direction) == Mode.HOLD || until - System.nanoTime() > 0)) {
                long leftMillis = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
                await(modes.get(direction) == Mode.HOLD ? 0 : Math.max(1, leftMillis));
            }
            return modes.get(direction) != Mode.SWALLOW;
        }
    }

    private long delayMillis(Direction direction) {
        Long delay = delaysMillis.get(direction);
        return delay == null ? 0 : delay;
    }

    @SuppressWarnings("WaitNotInLoop") // The caller loops.
    private void await(long millis) {
        try {
            lock.wait(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private void spawn(Runnable task, String name) {
        Thread thread = new Thread(task, name + "-" + listener.getLocalPort());
        thread.setDaemon(true);
        thread.start();
    }

    /** Closes with a reset instead of an orderly end. */
    private static void reset(Socket socket) {
        try {
            socket.setSoLinger(true, 0);
        } catch (IOException e) {
            // Closed already.
            return;
        } finally {
            closeQuietly(socket);
        }
    }

    private static void closeQuietly(AutoCloseable closeable) {
        try {
            closeable.close();
        } catch (Exception e) {
            // Closing is all that was wanted.
            return;
        }
    }
}
