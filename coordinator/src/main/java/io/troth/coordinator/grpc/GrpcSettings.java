package io.troth.coordinator.grpc;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * How the coordinator's gRPC server listens.
 *
 * @param address where it listens; port 0 takes a free one
 * @param tls null for plaintext
 * @param limits what peers may send
 * @param ioThreads event loops, at least 1; each stream stays on one of them, and the first is for the engine, too
 * @param transactionTimeoutMillis of a transaction of the unary facade that does not say
 * @param transactionTimeoutMaxMillis the longest that the unary facade gives
 * @param helloTimeoutMillis how long an agent may take to say who it is
 * @param handshakeTimeoutMillis how long a new connection may take until it can be used
 * @param keepAliveMillis after so much silence a connection is asked whether it lives
 * @param keepAliveTimeoutMillis how long it may take to answer that
 */
public record GrpcSettings(
        InetSocketAddress address,
        @Nullable TlsFiles tls,
        WireLimits limits,
        int ioThreads,
        long transactionTimeoutMillis,
        long transactionTimeoutMaxMillis,
        long helloTimeoutMillis,
        long handshakeTimeoutMillis,
        long keepAliveMillis,
        long keepAliveTimeoutMillis) {

    public GrpcSettings {
        boolean positive = ioThreads > 0
                && transactionTimeoutMillis > 0
                && helloTimeoutMillis > 0
                && handshakeTimeoutMillis > 0
                && keepAliveMillis > 0
                && keepAliveTimeoutMillis > 0;
        if (!positive) {
            throw new IllegalArgumentException("threads and times must be positive");
        }
        if (transactionTimeoutMaxMillis < transactionTimeoutMillis) {
            throw new IllegalArgumentException("the longest timeout is shorter than the default one");
        }
    }

    /** The defaults of the product on this port of the loopback address; 0 takes a free port. */
    public static GrpcSettings loopback(int port) {
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        return new GrpcSettings(address, null, WireLimits.DEFAULTS, 1, 60_000, 3_600_000, 10_000, 5_000, 10_000, 5_000);
    }

    GrpcSettings withLimits(WireLimits other) {
        return new GrpcSettings(
                address,
                tls,
                other,
                ioThreads,
                transactionTimeoutMillis,
                transactionTimeoutMaxMillis,
                helloTimeoutMillis,
                handshakeTimeoutMillis,
                keepAliveMillis,
                keepAliveTimeoutMillis);
    }
}
