package io.troth.client.internal;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.troth.client.TransactionSql;
import io.troth.client.context.CallScope;
import io.troth.client.context.NanoClock;
import io.troth.client.grpc.Endpoint;
import io.troth.client.grpc.LinkLoops;
import io.troth.client.grpc.TlsFiles;
import io.troth.client.grpc.TrothClientInterceptor;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Where the SQL gateways are, and a channel to each that was used, for as long as it is there. Every scope stays with one gateway a resource, and
 * all scopes of one transaction choose the same among the same ones (protocol 5.6). Its thread starts with the first
 * use. Thread-safe.
 */
public final class SqlGateways implements AutoCloseable {

    private static final long LOCATION_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final int INBOUND_BYTES_MAX = 4 * 1024 * 1024 + 64 * 1024;
    private static final long KEEP_ALIVE_SECONDS = 30;
    private static final long KEEP_ALIVE_TIMEOUT_SECONDS = 10;
    private static final long IDLE_MINUTES = 5;

    private final ClientEngine engine;
    private final boolean insecure;
    private final NanoClock clock;

    @GuardedBy("this")
    private final Map<String, Location> locations = new HashMap<>();

    /** What the last answer about each resource named: addresses come and go. */
    @GuardedBy("this")
    private final Map<String, List<String>> named = new HashMap<>();

    /** By address. */
    @GuardedBy("this")
    private final Map<String, Gateway> gateways = new HashMap<>();

    /** Of every open scope that used remote SQL: its gateway a resource. */
    @GuardedBy("this")
    private final Map<Long, Map<String, Gateway>> chosen = new HashMap<>();

    @GuardedBy("this")
    private @Nullable NettyLoop loop;

    @GuardedBy("this")
    private boolean closed;

    /** @param insecure whether plaintext may leave this machine */
    public SqlGateways(ClientEngine engine, boolean insecure) {
        this(engine, insecure, NanoClock.SYSTEM);
    }

    SqlGateways(ClientEngine engine, boolean insecure, NanoClock clock) {
        this.engine = engine;
        this.insecure = insecure;
        this.clock = clock;
    }

    private record Location(CompletableFuture<List<String>> addresses, long untilNanos) {}

    /** A gateway and the channel to it. */
    record Gateway(String address, ManagedChannel managed, Channel channel) {

        /** A resource has several: which one it was, in an error. */
        String of(String resource) {
            return resource + " at " + address;
        }
    }

    /** SQL on a resource under the scope's transaction. */
    public TransactionSql sql(CallScope scope, String resource) {
        return RemoteSql.of(this, scope, resource);
    }

    /** True on a thread that brings answers and must not wait for one. */
    public synchronized boolean isLoopThread() {
        return engine.isLoopThread() || (loop != null && loop.isCurrentThread());
    }

    /**
     * The gateway at which the scope uses the resource; waits a moment for one, but not longer than the transaction or
     * the call may take. Fails with {@link TrothException}.
     */
    CompletableFuture<Gateway> of(CallScope scope, String resource, long timeoutMillis) {
        synchronized (this) {
            Gateway known = chosen.getOrDefault(scope.scopeId(), Map.of()).get(resource);
            if (known != null) {
                return CompletableFuture.completedFuture(known);
            }
        }
        CompletableFuture<Gateway> found =
                addresses(resource).thenApply(addresses -> choose(scope, resource, addresses));
        if (!found.isDone()) {
            engine.schedule(
                    () -> found.completeExceptionally(new TrothException(new Reason(
                            ErrorCode.DEADLINE_EXCEEDED, "no agent that offers SQL on " + resource + " in time"))),
                    Math.min(timeoutMillis, scope.remainingMillis()));
        }
        return found;
    }

    private CompletableFuture<List<String>> addresses(String resource) {
        Location mine;
        synchronized (this) {
            Location known = locations.get(resource);
            boolean good = known != null
                    && known.untilNanos() - clock.nanos() > 0
                    && !known.addresses().isCompletedExceptionally();
            if (known != null && good) {
                return known.addresses();
            }
            mine = new Location(new CompletableFuture<>(), clock.nanos() + LOCATION_NANOS);
            locations.put(resource, mine);
        }
        var unused = engine.locate(resource).whenComplete((addresses, failure) -> {
            if (failure != null) {
                mine.addresses().completeExceptionally(failure);
                return;
            }
            forgetUnnamed(resource, addresses);
            if (addresses.isEmpty()) {
                mine.addresses()
                        .completeExceptionally(new TrothException(new Reason(
                                ErrorCode.UNKNOWN_RESOURCE,
                                "no connected agent offers SQL on the resource " + resource)));
            } else {
                mine.addresses().complete(addresses);
            }
        });
        return mine.addresses();
    }

    private Gateway choose(CallScope scope, String resource, List<String> addresses) {
        Gateway now;
        synchronized (this) {
            Gateway earlier = chosen.getOrDefault(scope.scopeId(), Map.of()).get(resource);
            if (earlier != null) {
                return earlier;
            }
            now = gateway(highest(scope, addresses));
            chosen.computeIfAbsent(scope.scopeId(), id -> new HashMap<>()).put(resource, now);
        }
        // At once when the scope has ended meanwhile; the call then fails at the interceptor.
        scope.onClose(() -> forget(scope));
        return now;
    }

    /** Forgets the gateways that no answer names any more and no open scope uses; a call that runs there still ends. */
    private void forgetUnnamed(String resource, List<String> addresses) {
        List<Gateway> over = new ArrayList<>();
        synchronized (this) {
            if (addresses.isEmpty()) {
                named.remove(resource);
            } else {
                named.put(resource, addresses);
            }
            Set<String> needed = new HashSet<>();
            named.values().forEach(needed::addAll);
            chosen.values().forEach(byResource -> byResource.values().forEach(used -> needed.add(used.address())));
            for (Gateway gateway : List.copyOf(gateways.values())) {
                if (!needed.contains(gateway.address())) {
                    gateways.remove(gateway.address());
                    over.add(gateway);
                }
            }
        }
        over.forEach(gateway -> gateway.managed().shutdown());
    }

    /** By rendezvous hashing: whoever knows the same addresses chooses the same for the same transaction. */
    private static String highest(CallScope scope, List<String> addresses) {
        String best = addresses.get(0);
        for (String address : addresses) {
            int byHash = Integer.compare(weight(scope, address), weight(scope, best));
            if (byHash > 0 || (byHash == 0 && address.compareTo(best) > 0)) {
                best = address;
            }
        }
        return best;
    }

    private static int weight(CallScope scope, String address) {
        // Text hashes are the same in every process. Those of two addresses differ by the same number for every
        // transaction, so that without mixing (MurmurHash3's last step) one address could win nearly always.
        int hash = (scope.tx() + "@" + address).hashCode();
        hash = (hash ^ (hash >>> 16)) * 0x85EBCA6B;
        hash = (hash ^ (hash >>> 13)) * 0xC2B2AE35;
        return hash ^ (hash >>> 16);
    }

    @GuardedBy("this")
    private Gateway gateway(String address) {
        Gateway known = gateways.get(address);
        if (known != null) {
            return known;
        }
        if (closed) {
            throw new TrothException(new Reason(ErrorCode.NO_COORDINATOR, "this client is closed"));
        }
        Endpoint endpoint = Endpoint.parse(address);
        ClientSettings settings = engine.settings();
        if (settings.tls() == null && !insecure && !endpoint.isLoopback()) {
            throw new TrothException(new Reason(
                    ErrorCode.INVALID_ARGUMENT,
                    "the SQL gateway " + endpoint + " is not on this machine: give the client tls(..), or insecure()"));
        }
        NettyLoop running = loop;
        if (running == null) {
            running = new NettyLoop(settings.clientName() + "-sql");
            loop = running;
        }
        ManagedChannel managed = NettyChannelBuilder.forAddress(
                        endpoint.host(), endpoint.port(), TlsFiles.credentials(settings.tls()))
                .eventLoopGroup(running.group())
                .channelType(LinkLoops.channelType())
                .directExecutor()
                .disableRetry()
                .keepAliveTime(KEEP_ALIVE_SECONDS, TimeUnit.SECONDS)
                .keepAliveTimeout(KEEP_ALIVE_TIMEOUT_SECONDS, TimeUnit.SECONDS)
                .idleTimeout(IDLE_MINUTES, TimeUnit.MINUTES)
                .maxInboundMessageSize(INBOUND_BYTES_MAX)
                .maxInboundMetadataSize(TrothClientInterceptor.METADATA_BYTES_MAX)
                .build();
        Gateway made =
                new Gateway(address, managed, ClientInterceptors.intercept(managed, new TrothClientInterceptor()));
        gateways.put(address, made);
        return made;
    }

    private void forget(CallScope scope) {
        List<Gateway> over = new ArrayList<>();
        synchronized (this) {
            Map<String, Gateway> used = chosen.remove(scope.scopeId());
            for (Gateway gateway : used == null ? List.<Gateway>of() : used.values()) {
                if (isOver(gateway)) {
                    over.add(gateway);
                }
            }
        }
        over.forEach(gateway -> gateway.managed().shutdown());
    }

    /**
     * A call to the gateway was lost: the next transaction asks anew where it is, and connects anew. One that works there
     * stays: as long as the agent lives, so do its branches, and the channel connects again by itself.
     */
    void lost(Gateway gateway) {
        boolean over;
        synchronized (this) {
            locations.clear();
            gateways.remove(gateway.address(), gateway);
            over = isOver(gateway);
        }
        if (over) {
            gateway.managed().shutdown();
        }
    }

    @GuardedBy("this")
    private boolean isOver(Gateway gateway) {
        return !gateway.equals(gateways.get(gateway.address()))
                && chosen.values().stream().noneMatch(used -> used.containsValue(gateway));
    }

    /** Ends every call. */
    @Override
    public void close() {
        Set<Gateway> open;
        NettyLoop running;
        synchronized (this) {
            closed = true;
            open = new HashSet<>(gateways.values());
            chosen.values().forEach(used -> open.addAll(used.values()));
            gateways.clear();
            chosen.clear();
            running = loop;
        }
        open.forEach(gateway -> gateway.managed().shutdownNow());
        if (running != null) {
            running.close();
        }
    }
}
