package io.troth.agent.server;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** {@code /metrics}, {@code /livez} and {@code /readyz}: for machines, reading only. */
final class AgentHttp implements AutoCloseable {

    /** So many may be slow before anybody has to wait for one of them to be cut off. */
    static final int THREADS = 8;

    static final int WAITING_MAX = 50;
    private static final String LIMIT_SECONDS = "5";
    private static final int OK = 200;
    private static final int NOT_FOUND = 404;
    private static final int METHOD_NOT_ALLOWED = 405;
    private static final int UNAVAILABLE = 503;

    static {
        // The JDK's server waits for ever for the end of a request, and for who reads the answer, unless it is told
        // before the first one is made. It knows no other way than this.
        for (String what : List.of("sun.net.httpserver.maxReqTime", "sun.net.httpserver.maxRspTime")) {
            System.setProperty(what, System.getProperty(what, LIMIT_SECONDS));
        }
    }

    private final HttpServer server;
    private final ExecutorService executor;

    /** An answer for people and probes: whether all is well, and what is the matter. */
    record Health(boolean good, String text) {}

    private AgentHttp(HttpServer server, ExecutorService executor) {
        this.server = server;
        this.executor = executor;
    }

    /**
     * Binds and serves.
     *
     * @param address the address and port; port 0 for any free one
     * @throws IOException when the port is taken or the address is not this machine's
     */
    static AgentHttp start(
            InetSocketAddress address, Supplier<String> metrics, Supplier<Health> live, Supplier<Health> ready)
            throws IOException {
        HttpServer server = HttpServer.create(address, WAITING_MAX);
        ExecutorService executor = new ThreadPoolExecutor(
                THREADS,
                THREADS,
                0,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(WAITING_MAX),
                // One more is refused with an exception, and the server hangs up on it.
                task -> Threads.daemon(task, "troth-agent-http"));
        server.setExecutor(executor);
        server.createContext("/", exchange -> answer(exchange, NOT_FOUND, "text/plain", "/metrics /livez /readyz\n"));
        server.createContext(
                "/metrics", reading(exchange -> answer(exchange, OK, "text/plain; version=0.0.4", metrics.get())));
        server.createContext("/livez", reading(exchange -> answer(exchange, live.get())));
        server.createContext("/readyz", reading(exchange -> answer(exchange, ready.get())));
        server.start();
        return new AgentHttp(server, executor);
    }

    private static HttpHandler reading(HttpHandler handler) {
        return exchange -> {
            String method = exchange.getRequestMethod();
            if (method.equals("GET") || method.equals("HEAD")) {
                handler.handle(exchange);
            } else {
                answer(exchange, METHOD_NOT_ALLOWED, "text/plain", "only GET\n");
            }
        };
    }

    private static void answer(HttpExchange exchange, Health health) throws IOException {
        answer(exchange, health.good() ? OK : UNAVAILABLE, "text/plain", health.text() + "\n");
    }

    private static void answer(HttpExchange exchange, int status, String type, String body) throws IOException {
        try (exchange) {
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", type + "; charset=utf-8");
            boolean headOnly = exchange.getRequestMethod().equals("HEAD");
            exchange.sendResponseHeaders(status, headOnly ? -1 : bytes.length);
            if (!headOnly) {
                exchange.getResponseBody().write(bytes);
            }
        }
    }

    int port() {
        return server.getAddress().getPort();
    }

    @Override
    public void close() {
        server.stop(0);
        executor.shutdownNow();
    }
}
