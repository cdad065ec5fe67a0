package io.troth.agent.grpc;

import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptors;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettySslContextServerCredentials;
import io.grpc.netty.shaded.io.netty.handler.ssl.ClientAuth;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.troth.agent.grpc.SqlServerSettings.ServerTls;
import io.troth.agent.sql.SqlGateway;
import io.troth.client.grpc.CertificateKeys;
import io.troth.client.grpc.Endpoint;
import io.troth.client.grpc.TrothClientInterceptor;
import io.troth.client.grpc.TrothServerInterceptor;
import io.troth.proto.v1.SqlServiceGrpc;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.net.ssl.SSLException;

/** The SQL gateway's server: SqlService, health and reflection. For the agent as a process. Thread-safe. */
public final class SqlGatewayServer implements AutoCloseable {

    /** Nothing older. */
    private static final String TLS_PROTOCOL = "TLSv1.3";

    private static final int KEEP_ALIVE_SECONDS_MIN = 5;
    private static final long ANSWERS_MILLIS = 1_000;

    /** How long nobody hears from a client before it counts as gone. */
    private static final Patience PATIENCE = new Patience(5_000, 30_000, 10_000);

    /**
     * What a client may take.
     *
     * @param handshakeMillis until it speaks
     * @param keepAliveMillis after so much silence a connection is asked whether it lives; TCP alone would keep the calls
     *     of a machine that has vanished for two hours
     * @param keepAliveTimeoutMillis how long it may take to answer that
     */
    record Patience(long handshakeMillis, long keepAliveMillis, long keepAliveTimeoutMillis) {}

    /**
     * The transport would write a stack trace for every call that is far too large, and for each that somebody makes who
     * has stood still while his connection was given up; held here, or they forget their level.
     */
    private static final List<Logger> TRANSPORT_LOGS = List.of(
            Logger.getLogger("io.grpc.netty.shaded.io.grpc.netty.NettyServerStream"),
            Logger.getLogger("io.grpc.netty.shaded.io.grpc.netty.NettyServerHandler"));

    private final Server server;
    private final SqlWorkers workers;
    private final HealthStatusManager health;
    private final Endpoint announced;

    private SqlGatewayServer(Server server, SqlWorkers workers, HealthStatusManager health, Endpoint announced) {
        this.server = server;
        this.workers = workers;
        this.health = health;
        this.announced = announced;
    }

    /**
     * Starts listening.
     *
     * @throws IOException when the address cannot be bound
     * @throws IllegalArgumentException when a TLS file cannot be read, or the key is another certificate's
     */
    public static SqlGatewayServer start(SqlServerSettings settings, SqlGateway gateway) throws IOException {
        return start(settings, gateway, PATIENCE);
    }

    /**
     * As {@link #start(SqlServerSettings, SqlGateway)}.
     *
     * @param interceptor its alone
     */
    public static SqlGatewayServer start(
            SqlServerSettings settings, SqlGateway gateway, TrothServerInterceptor interceptor) throws IOException {
        return start(settings, gateway, interceptor, PATIENCE);
    }

    static SqlGatewayServer start(SqlServerSettings settings, SqlGateway gateway, Patience patience)
            throws IOException {
        return start(settings, gateway, new TrothServerInterceptor(Set.of(), settings.servedCallsMax()), patience);
    }

    private static SqlGatewayServer start(
            SqlServerSettings settings, SqlGateway gateway, TrothServerInterceptor interceptor, Patience patience)
            throws IOException {
        TRANSPORT_LOGS.forEach(log -> log.setLevel(Level.SEVERE));
        SqlWorkers workers = new SqlWorkers(settings.callsMax());
        HealthStatusManager health = new HealthStatusManager();
        Endpoint listen = settings.listen();
        Server server;
        try {
            server = NettyServerBuilder.forAddress(
                            new InetSocketAddress(listen.host(), listen.port()), credentials(settings))
                    .executor(workers.callbacks())
                    .maxInboundMessageSize(gateway.limits().messageBytesMax())
                    .maxInboundMetadataSize(TrothClientInterceptor.METADATA_BYTES_MAX)
                    .handshakeTimeout(patience.handshakeMillis(), TimeUnit.MILLISECONDS)
                    .keepAliveTime(patience.keepAliveMillis(), TimeUnit.MILLISECONDS)
                    .keepAliveTimeout(patience.keepAliveTimeoutMillis(), TimeUnit.MILLISECONDS)
                    .permitKeepAliveTime(KEEP_ALIVE_SECONDS_MIN, TimeUnit.SECONDS)
                    .permitKeepAliveWithoutCalls(true)
                    .addService(ServerInterceptors.intercept(new GrpcSqlService(gateway, workers), interceptor))
                    .addService(health.getHealthService())
                    .addService(ProtoReflectionServiceV1.newInstance())
                    .build()
                    .start();
        } catch (IOException | RuntimeException e) {
            workers.close();
            throw e;
        }
        health.setStatus(SqlServiceGrpc.SERVICE_NAME, ServingStatus.SERVING);
        String host = settings.announcedHost();
        return new SqlGatewayServer(
                server, workers, health, new Endpoint(host == null ? listen.host() : host, server.getPort()));
    }

    private static ServerCredentials credentials(SqlServerSettings settings) {
        ServerTls tls = settings.tls();
        if (tls == null) {
            return InsecureServerCredentials.create();
        }
        try {
            SslContextBuilder builder = GrpcSslContexts.forServer(
                            tls.certificate().toFile(), tls.key().toFile())
                    .protocols(TLS_PROTOCOL);
            Path authorities = tls.authorities();
            if (authorities != null) {
                builder.trustManager(authorities.toFile()).clientAuth(ClientAuth.REQUIRE);
            }
            SslContext context = builder.build();
            CertificateKeys.check(tls.certificate(), tls.key());
            return NettySslContextServerCredentials.create(context);
        } catch (SSLException e) {
            throw new IllegalArgumentException("cannot use the TLS files of the SQL gateway: " + e.getMessage(), e);
        }
    }

    /** What the agent announces to the coordinator. */
    public Endpoint announced() {
        return announced;
    }

    /**
     * Takes no new call, and ends every one. What is said of the calls that run goes out first, in a moment: such as the
     * refusals of an agent that has just drained.
     */
    @Override
    public void close() {
        health.enterTerminalState();
        if (!ends(server.shutdown())) {
            boolean unused = ends(server.shutdownNow());
        }
        // Not before: the server would say INTERNAL of a call whose end nobody takes.
        workers.close();
    }

    private static boolean ends(Server stopping) {
        try {
            return stopping.awaitTermination(ANSWERS_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
