package io.troth.agent.database;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/**
 * A TCP proxy in front of a database that loses exactly the answer one wants lost: once a client's bytes contain the
 * trigger text, what the server answers is read and thrown away, and the client's connection is cut. It also counts
 * round trips: turns from answer to request.
 */
public final class CuttingProxy implements AutoCloseable {

    private final ServerSocket listener;
    private final int targetPort;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private final AtomicInteger roundTrips = new AtomicInteger();
    private final AtomicInteger roundTripsInTransactions = new AtomicInteger();
    private volatile BooleanSupplier enough = () -> true;
    private volatile String trigger;
    private volatile boolean cutRequest;
    private volatile String misspelt;

    public CuttingProxy(int targetPort) throws IOException {
        this.targetPort = targetPort;
        this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        start(this::acceptAll);
    }

    public int port() {
        return listener.getLocalPort();
    }

    /**
     * As {@link #loseAnswerTo}, for a protocol in which the first bytes back need not be the answer: swallows all of them
     * until what was asked for has happened, and then cuts.
     */
    public void loseAnswersTo(String text, BooleanSupplier happened) {
        enough = happened;
        loseAnswerTo(text);
    }

    /** The answer to the first request with this text in it is lost, and its connection with it. */
    public void loseAnswerTo(String text) {
        cutRequest = false;
        trigger = text;
    }

    /** The first request with this text in it does not reach the server; its connection is cut. */
    public void loseRequest(String text) {
        cutRequest = true;
        trigger = text;
    }

    /** In the first request with this text in it the server finds another one of that length, at each place. */
    public void misspell(String text) {
        misspelt = text;
    }

    /** Round trips since the last call of this method, over all connections. */
    public int takeRoundTrips() {
        return roundTrips.getAndSet(0);
    }

    /**
     * As {@link #takeRoundTrips}, of a PostgreSQL server's answers that begin, end or come within a transaction: not those
     * to a pool that looks whether a connection has outlived a pause.
     */
    public int takeRoundTripsInTransactions() {
        return roundTripsInTransactions.getAndSet(0);
    }

    private void acceptAll() throws IOException {
        while (true) {
            Socket client = listener.accept();
            Socket server = new Socket(InetAddress.getLoopbackAddress(), targetPort);
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
            sockets.add(client);
            sockets.add(server);
            Pair pair = new Pair(client, server);
            start(pair::requests);
            start(pair::answers);
        }
    }

    private final class Pair {

        private final Socket client;
        private final Socket server;
        private volatile boolean answered = true;
        private volatile boolean counted = true;
        private boolean inTransaction;
        private volatile boolean losing;

        Pair(Socket client, Socket server) {
            this.client = client;
            this.server = server;
        }

        void requests() throws IOException {
            byte[] buffer = new byte[65_536];
            InputStream in = client.getInputStream();
            OutputStream out = server.getOutputStream();
            int length = in.read(buffer);
            while (length >= 0) {
                if (answered) {
                    roundTrips.incrementAndGet();
                    answered = false;
                    counted = false;
                }
                String request = new String(buffer, 0, length, StandardCharsets.ISO_8859_1);
                String wrong = misspelt;
                if (wrong != null && request.contains(wrong)) {
                    misspelt = null;
                    buffer = request.replace(wrong, "?".repeat(wrong.length())).getBytes(StandardCharsets.ISO_8859_1);
                }
                String text = trigger;
                if (text != null && request.contains(text)) {
                    trigger = null;
                    if (cutRequest) {
                        break;
                    }
                    losing = true;
                }
                out.write(buffer, 0, length);
                out.flush();
                buffer = new byte[65_536];
                length = in.read(buffer);
            }
            if (!losing) {
                close();
            }
        }

        void answers() throws IOException {
            byte[] buffer = new byte[65_536];
            InputStream in = server.getInputStream();
            OutputStream out = client.getOutputStream();
            int length = in.read(buffer);
            while (length >= 0) {
                answered = true;
                countInTransaction(buffer, length);
                if (losing) {
                    swallow(in, buffer);
                    break;
                }
                out.write(buffer, 0, length);
                out.flush();
                length = in.read(buffer);
            }
            close();
        }

        /**
         * PostgreSQL says "ready for query", and whether a transaction is open, at the end of each answer; BEGIN has one of
         * its own, which may come earlier than that of the statement behind it.
         */
        private void countInTransaction(byte[] buffer, int length) {
            if (length < 6 || buffer[length - 6] != 'Z' || buffer[length - 2] != 5) {
                return;
            }
            boolean open = buffer[length - 1] != 'I';
            if ((open || inTransaction) && !counted) {
                counted = true;
                roundTripsInTransactions.incrementAndGet();
            }
            inTransaction = open;
        }

        private void swallow(InputStream in, byte[] buffer) throws IOException {
            server.setSoTimeout(20);
            boolean open = true;
            while (open && !enough.getAsBoolean()) {
                try {
                    open = in.read(buffer) >= 0;
                } catch (SocketTimeoutException nothing) {
                    // Looks again.
                }
            }
        }

        private void close() throws IOException {
            client.close();
            server.close();
        }
    }

    private interface Task {
        void run() throws IOException;
    }

    private static void start(Task task) {
        Thread thread = new Thread(
                () -> {
                    try {
                        task.run();
                    } catch (IOException closed) {
                        // The end of a connection or of the proxy.
                    }
                },
                "cutting-proxy");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        listener.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}
