package io.troth.agent.server;

import io.troth.agent.ResourceOptions;
import io.troth.agent.config.AgentConfig;
import io.troth.agent.config.AgentKey;
import io.troth.agent.engine.StepListener;
import io.troth.agent.grpc.SqlGatewayServer;
import io.troth.agent.grpc.SqlServerSettings;
import io.troth.agent.jdbc.JdbcResource;
import io.troth.agent.metrics.Prometheus;
import io.troth.agent.sql.SqlGateway;
import io.troth.agent.sql.SqlLimits;
import io.troth.client.grpc.Endpoint;
import io.troth.client.grpc.TrothServerInterceptor;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.channels.UnresolvedAddressException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The agent as a process, without the process: an agent, its SQL gateway and its HTTP pages. Thread-safe. */
public final class AgentServer implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(AgentServer.class);
    private static final long DATABASE_PAUSE_MILLIS = 500;

    private final AgentConfig config;
    private final AgentRuntime runtime;
    private final @Nullable SqlGatewayServer sql;
    private final AgentHttp http;
    private final Prometheus prometheus;

    private AgentServer(
            AgentConfig config,
            AgentRuntime runtime,
            @Nullable SqlGatewayServer sql,
            AgentHttp http,
            Prometheus prometheus) {
        this.config = config;
        this.runtime = runtime;
        this.sql = sql;
        this.http = http;
        this.prometheus = prometheus;
    }

    /**
     * Checks the databases, binds the ports and starts. Waits for databases that do not answer yet, but not for the
     * coordinator.
     *
     * @param steps hears of the points at which a crash is interesting; {@link StepListener#NONE} in production
     * @throws TrothException DATABASE_UNAVAILABLE, or DATABASE_MISCONFIGURED with what to change
     * @throws UncheckedIOException when a port is taken or an address is not this machine's
     */
    public static AgentServer start(AgentConfig config, StepListener steps) {
        Prometheus prometheus = new Prometheus();
        List<AutoCloseable> opened = new ArrayList<>(List.of(prometheus));
        try {
            AgentRuntime runtime = openWhenDatabasesAnswer(config, prometheus, steps);
            opened.add(runtime);
            SqlGatewayServer sql = null;
            if (config.servesSql()) {
                sql = sql(config, runtime, prometheus);
                opened.add(sql);
            } else {
                LOG.info("the SQL gateway is off");
            }
            AgentHttp http = http(config, runtime, prometheus);
            runtime.start(announced(config, sql));
            return new AgentServer(config, runtime, sql, http, prometheus);
        } catch (RuntimeException e) {
            closeAll(opened);
            throw e;
        }
    }

    private static SqlGatewayServer sql(AgentConfig config, AgentRuntime runtime, Prometheus prometheus) {
        SqlServerSettings settings = config.sql();
        TrothServerInterceptor interceptor =
                new TrothServerInterceptor(Set.of(), settings.servedCallsMax(), runtime::knows);
        prometheus.metrics().watchServedCalls("sql", interceptor);
        try {
            return SqlGatewayServer.start(
                    settings, new SqlGateway(runtime.dataSources(), SqlLimits.DEFAULTS), interceptor);
        } catch (IOException e) {
            throw cannotListen("the SQL gateway", config, AgentKey.SQL_ADDRESS, AgentKey.SQL_PORT, e);
        }
    }

    private static AgentHttp http(AgentConfig config, AgentRuntime runtime, Prometheus prometheus) {
        try {
            return AgentHttp.start(
                    new InetSocketAddress(config.get(AgentKey.HTTP_ADDRESS), config.get(AgentKey.HTTP_PORT)),
                    prometheus::scrape,
                    () -> live(runtime),
                    () -> ready(runtime));
        } catch (IOException e) {
            throw cannotListen("HTTP", config, AgentKey.HTTP_ADDRESS, AgentKey.HTTP_PORT, e);
        }
    }

    private static UncheckedIOException cannotListen(
            String what, AgentConfig config, AgentKey<String> address, AgentKey<Integer> port, IOException cause) {
        return new UncheckedIOException(
                what + " cannot listen on " + new Endpoint(config.get(address), config.get(port)) + ": " + why(cause)
                        + ". Stop whatever uses the port, or set " + port.keyName() + " to another one; "
                        + address.keyName() + " must be one of this machine.",
                cause);
    }

    /** The innermost words: those around them only say that it could not be bound. */
    private static String why(Throwable failure) {
        String words = String.valueOf(failure.getMessage());
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof UnresolvedAddressException || "Unresolved address".equals(cause.getMessage())) {
                return "this name has no address";
            }
            words = cause.getMessage() == null ? words : cause.getMessage();
        }
        return words;
    }

    private static AgentRuntime openWhenDatabasesAnswer(AgentConfig config, Prometheus prometheus, StepListener steps) {
        List<AgentRuntime.Resource> resources = new ArrayList<>();
        for (AgentConfig.Resource resource : config.resources()) {
            resources.add(new AgentRuntime.Resource(
                    resource.name(),
                    JdbcResource.source(resource.name(), resource.url(), resource.user(), resource.password()),
                    ResourceOptions.DEFAULTS
                            .withPoolSize(resource.poolSize())
                            .withAnswerTimeout(resource.answerTimeout())));
        }
        AgentRuntime.Settings settings = new AgentRuntime.Settings(
                config.link(),
                config.find(AgentKey.CLUSTER_ID),
                resources,
                config.get(AgentKey.SCAN_INTERVAL),
                config.get(AgentKey.SHUTDOWN_DRAIN_LIMIT),
                config.get(AgentKey.KEPT_RESULTS_MAX),
                prometheus.metrics(),
                steps);
        long giveUpNanos =
                System.nanoTime() + config.get(AgentKey.START_DATABASE_WAIT).toNanos();
        Reason said = null;
        while (true) {
            try {
                return AgentRuntime.open(settings);
            } catch (TrothException e) {
                long leftNanos = giveUpNanos - System.nanoTime();
                if (e.code() != ErrorCode.DATABASE_UNAVAILABLE || leftNanos <= 0) {
                    throw e;
                }
                if (!e.reason().equals(said)) {
                    said = e.reason();
                    LOG.warn(
                            "waits up to {} s more for a database: {}",
                            TimeUnit.NANOSECONDS.toSeconds(leftNanos),
                            said);
                }
                pause(e);
            }
        }
    }

    private static void pause(TrothException waitingFor) {
        try {
            TimeUnit.MILLISECONDS.sleep(DATABASE_PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw waitingFor;
        }
    }

    private static @Nullable String announced(AgentConfig config, @Nullable SqlGatewayServer sql) {
        if (sql == null) {
            return null;
        }
        Endpoint configured = config.find(AgentKey.SQL_ANNOUNCE);
        return (configured == null ? sql.announced() : configured).toString();
    }

    private static AgentHttp.Health live(AgentRuntime runtime) {
        return runtime.hasFailed()
                ? new AgentHttp.Health(false, "the agent has stopped by itself; see its log")
                : new AgentHttp.Health(true, "alive");
    }

    private static AgentHttp.Health ready(AgentRuntime runtime) {
        return runtime.isReady()
                ? new AgentHttp.Health(true, "ready")
                : new AgentHttp.Health(false, "no coordinator: " + runtime.problem());
    }

    private static void closeAll(List<AutoCloseable> opened) {
        for (int i = opened.size() - 1; i >= 0; i--) {
            try {
                opened.get(i).close();
            } catch (Exception e) {
                LOG.warn("not closed in order", e);
            }
        }
    }

    /** The port of the SQL gateway; 0 when it is off. */
    public int sqlPort() {
        return sql == null ? 0 : sql.announced().port();
    }

    /** The port of /metrics, /livez and /readyz. */
    public int httpPort() {
        return http.port();
    }

    /** One line for people and for programs that wait for it: where it listens, and what it wraps. */
    public String readyLine() {
        String gateway = sql == null ? "off" : new Endpoint(config.get(AgentKey.SQL_ADDRESS), sqlPort()).toString();
        return "READY sql=" + gateway + " http=" + new Endpoint(config.get(AgentKey.HTTP_ADDRESS), httpPort())
                + " resources=" + String.join(",", runtime.dataSources().keySet()) + " instance="
                + String.format("%016x", runtime.instance());
    }

    /** The agent itself. */
    public AgentRuntime runtime() {
        return runtime;
    }

    /** Completed with the cause when the agent has stopped by itself. The process should then end with code 70. */
    public CompletionStage<RuntimeException> failure() {
        return runtime.failure();
    }

    /**
     * Drains within the configured limit and stops: new transactions are refused, running ones may go on through the
     * gateway until they end. Closing again does nothing.
     */
    @Override
    public void close() {
        runtime.close();
        if (sql != null) {
            sql.close();
        }
        http.close();
        prometheus.close();
    }
}
