package io.troth.coordinator.server;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.troth.core.Reason;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * {@code /livez}, {@code /readyz}, {@code /memberz} and {@code /metrics} over plain HTTP. Has threads of its own and asks
 * the engine for nothing that could make it wait. Who is slow is cut off: probes of the same process must be answered.
 */
final class HttpEndpoint implements AutoCloseable {

    private static final int BACKLOG = 16;
    /** So many may be slow before anybody has to wait for one of them to be cut off. */
    static final int THREADS = 8;

    private static final String LIMIT_SECONDS = "5";

    static {
        // The JDK's server waits for ever for the end of a request, and for who reads the answer, unless it is told
        // before the first one is made. It knows no other way than this.
        for (String what : List.of("sun.net.httpserver.maxReqTime", "sun.net.httpserver.maxRspTime")) {
            System.setProperty(what, System.getProperty(what, LIMIT_SECONDS));
        }
    }

    private static final String PAGES = "there are /livez, /readyz, /memberz and /metrics\n";
    private static final String TEXT = "text/plain; charset=utf-8";
    /** What Prometheus expects of the text format. */
    private static final String METRICS = "text/plain; version=0.0.4; charset=utf-8";

    private final HttpServer server;
    private final ExecutorService executor;
    private final int port;

    /**
     * Listens.
     *
     * @param address where; port 0 takes a free one
     * @param isAlive false when the process should be restarted
     * @param notReady why it does not serve, null when it does
     * @param notMember why it does not do its part, serving or as a follower; null when it does
     * @param metrics the text of all meters
     * @throws IOException when the address cannot be had
     */
    HttpEndpoint(
            InetSocketAddress address,
            BooleanSupplier isAlive,
            Supplier<@Nullable Reason> notReady,
            Supplier<@Nullable Reason> notMember,
            Supplier<String> metrics)
            throws IOException {
        executor = Executors.newFixedThreadPool(THREADS, ProcessEnvironment.threads("troth-http"));
        server = HttpServer.create(address, BACKLOG);
        server.setExecutor(executor);
        server.createContext("/", exchange -> answer(exchange, 404, TEXT, PAGES));
        get("/livez", exchange -> {
            boolean alive = isAlive.getAsBoolean();
            answer(exchange, alive ? 200 : 503, TEXT, alive ? "alive\n" : "the engine has stopped\n");
        });
        get("/readyz", exchange -> answer(exchange, notReady.get(), "ready\n"));
        get("/memberz", exchange -> answer(exchange, notMember.get(), "does its part\n"));
        get("/metrics", exchange -> answer(exchange, 200, METRICS, metrics.get()));
        server.start();
        port = server.getAddress().getPort();
    }

    /** Some codes say it all. */
    private static String why(Reason reason) {
        return reason.detail().isEmpty() ? reason.code().advice() : reason.detail();
    }

    private interface Page {
        void answer(HttpExchange exchange) throws IOException;
    }

    private void get(String path, Page page) {
        server.createContext(path, exchange -> {
            if (!exchange.getRequestURI().getPath().equals(path)) {
                answer(exchange, 404, TEXT, PAGES);
            } else if (!exchange.getRequestMethod().equals("GET")) {
                answer(exchange, 405, TEXT, "GET only\n");
            } else {
                page.answer(exchange);
            }
        });
    }

    private static void answer(HttpExchange exchange, @Nullable Reason refusal, String good) throws IOException {
        answer(
                exchange,
                refusal == null ? 200 : 503,
                TEXT,
                refusal == null ? good : refusal.code() + " " + why(refusal) + "\n");
    }

    private static void answer(HttpExchange exchange, int status, String type, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    /** The port, also after the end. */
    int port() {
        return port;
    }

    @Override
    public void close() {
        server.stop(0);
        executor.shutdownNow();
    }
}
