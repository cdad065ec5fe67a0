package io.troth.coordinator.grpc;

import io.grpc.Server;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.troth.coordinator.admin.Administration;
import io.troth.coordinator.admin.Membership;
import io.troth.coordinator.engine.EngineInbox;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The coordinator's door: every service of {@code troth.v1} that it has, health and reflection on one port. It is open
 * as long as the process runs; who does not lead refuses, and says who leads. All calls are served on the event loops
 * themselves; they only hand over to the engine. Thread-safe.
 */
public final class GrpcServer implements AutoCloseable {

    private static final long PERMIT_KEEP_ALIVE_MILLIS = 5_000;
    private static final int CALLS_PER_CONNECTION_MAX = 1_000;
    /** How far above the limit a batch may be so that its sender hears why it is refused; beyond, the call just ends. */
    private static final int OVERSIZE_BYTES = 1024 * 1024;

    /**
     * The transport would write a stack trace for every call that is far too large, and for each that somebody makes who
     * has stood still while his connection was given up; held here, or they forget their level.
     */
    private static final List<Logger> TRANSPORT_LOGS = List.of(
            Logger.getLogger("io.grpc.netty.NettyServerStream"), Logger.getLogger("io.grpc.netty.NettyServerHandler"));

    private static final int UNARY_REQUESTS_MAX = 10_000;
    private static final long CLOSE_MILLIS = 1_000;

    private final EventLoops loops;
    private final HealthStatusManager health = new HealthStatusManager();
    private final GrpcSettings settings;
    private final EdgeListener listener;
    private final LongSupplier nanoTime;
    private final Refusals refusals;
    private final LeaderServices services;
    private final ClusterEndpoint cluster;
    private final UnaryRequestLimit unaryRequests;
    private final Server server;
    private @Nullable GrpcStreamGateway leading;
    private @Nullable TransactionFacade facade;
    private volatile int port;

    /**
     * Builds it; {@link #start} listens, and {@link #serve} lets it do more than refuse.
     *
     * @param listener hears what is refused and which streams are open
     * @param nanoTime a monotonic clock
     * @throws IllegalArgumentException when a TLS file cannot be read
     */
    public GrpcServer(GrpcSettings settings, EdgeListener listener, LongSupplier nanoTime) {
        this(settings, listener, nanoTime, List.of());
    }

    /** The same, and the interceptors see every call and each of its messages: for tests that count them. */
    public GrpcServer(
            GrpcSettings settings, EdgeListener listener, LongSupplier nanoTime, List<ServerInterceptor> interceptors) {
        TRANSPORT_LOGS.forEach(log -> log.setLevel(Level.SEVERE));
        ServerCredentials credentials = TlsContexts.server(settings.tls());
        this.settings = settings;
        this.listener = listener;
        this.nanoTime = nanoTime;
        WireLimits limits = settings.limits();
        loops = new EventLoops(settings.ioThreads());
        refusals = new Refusals(listener, nanoTime);
        services = new LeaderServices(listener, loops, limits);
        cluster = new ClusterEndpoint(loops, refusals);
        unaryRequests = new UnaryRequestLimit(limits.entryBytesMax(), refusals);
        NettyServerBuilder builder = NettyServerBuilder.forAddress(settings.address(), credentials)
                .bossEventLoopGroup(loops.group())
                .workerEventLoopGroup(loops.group())
                .channelType(loops.channelType())
                .directExecutor()
                .handshakeTimeout(settings.handshakeTimeoutMillis(), TimeUnit.MILLISECONDS)
                .keepAliveTime(settings.keepAliveMillis(), TimeUnit.MILLISECONDS)
                .keepAliveTimeout(settings.keepAliveTimeoutMillis(), TimeUnit.MILLISECONDS)
                .permitKeepAliveTime(PERMIT_KEEP_ALIVE_MILLIS, TimeUnit.MILLISECONDS)
                .permitKeepAliveWithoutCalls(true)
                .maxConcurrentCallsPerConnection(CALLS_PER_CONNECTION_MAX)
                .maxInboundMessageSize(limits.batchBytesMax() + OVERSIZE_BYTES)
                .maxInboundMetadataSize(limits.metadataBytesMax())
                .fallbackHandlerRegistry(services)
                .addService(ServerInterceptors.intercept(cluster, new PeerAddress(), unaryRequests))
                .addService(health.getHealthService())
                .addService(ProtoReflectionServiceV1.newInstance());
        interceptors.forEach(builder::intercept);
        server = builder.build();
        serving(false);
    }

    /** The event loop that engines run on, one of those that serve streams. It ends with this server. */
    public ScheduledExecutorService engineLoop() {
        return loops.first();
    }

    /** This coordinator is a member of a cluster, of which operators ask. */
    public void isMember(Membership membership) {
        cluster.use(membership);
    }

    /**
     * From now on calls go to this leader, until {@link #refuse}. Before the engine's first turn.
     *
     * @param inbox the engine
     * @param gateway the same one as the engine's, used for nothing before
     */
    public synchronized void serve(EngineInbox inbox, GrpcStreamGateway gateway) {
        WireLimits limits = settings.limits();
        WireReader reader = new WireReader(inbox::newSessionKey);
        PeerStream.Shared shared = new PeerStream.Shared(inbox, gateway, limits, refusals, reader);
        InProcessStream unary = new InProcessStream(inbox, gateway, UNARY_REQUESTS_MAX);
        Administration administration = new Administration(inbox, unary);
        TransactionFacade transactions = new TransactionFacade(settings, shared, unary, loops, nanoTime);
        gateway.onReadiness(ready -> serving(gateway, ready));
        leading = gateway;
        facade = transactions;
        services.serve(List.of(
                new ClientStreams(shared, loops, listener).definition(),
                new AgentStreams(shared, loops, listener, settings.helloTimeoutMillis()).definition(),
                ServerInterceptors.intercept(transactions, unaryRequests),
                ServerInterceptors.intercept(
                        new AdminEndpoint(administration, gateway, loops, refusals),
                        new PeerAddress(),
                        unaryRequests)));
    }

    /** From now on every call is refused, and the streams of the leader that was served end. */
    public synchronized void refuse(Redirect redirect) {
        services.refuse(redirect);
        GrpcStreamGateway before = leading;
        if (before != null) {
            leading = null;
            serving(false);
            before.finish(redirect);
            if (facade != null) {
                facade.close();
                facade = null;
            }
        }
    }

    /** Of one that is not served any more it does not count, whenever it comes. */
    private synchronized void serving(GrpcStreamGateway which, boolean ready) {
        if (leading == which) {
            serving(ready);
        }
    }

    private void serving(boolean ready) {
        ServingStatus status = ready ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
        health.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, status);
        services.getServices()
                .forEach(service ->
                        health.setStatus(service.getServiceDescriptor().getName(), status));
    }

    /**
     * Listens.
     *
     * @throws IOException when the address is taken or not there
     */
    public void start() throws IOException {
        server.start();
        port = server.getPort();
    }

    /** The port it listens on, or listened on. */
    public int port() {
        return port;
    }

    /**
     * Takes no new calls, ends every stream after what was sent on it, and waits for the unary calls that run. Whoever
     * wants running transactions to end first has let the engine drain before.
     *
     * @param waitMillis how long calls may take to end
     */
    public void shutdown(long waitMillis) {
        if (!server.isShutdown()) {
            health.enterTerminalState();
            server.shutdown();
        }
        refuse(Redirect.nowhere(new Reason(ErrorCode.DRAINING, "the coordinator stops")));
        try {
            if (!server.awaitTermination(waitMillis, TimeUnit.MILLISECONDS)) {
                server.shutdownNow();
                server.awaitTermination(CLOSE_MILLIS, TimeUnit.MILLISECONDS);
            }
        } catch (InterruptedException e) {
            server.shutdownNow();
            Thread.currentThread().interrupt();
        }
        loops.close();
    }

    /** Ends everything at once. Idempotent. */
    @Override
    public void close() {
        shutdown(0);
    }
}
