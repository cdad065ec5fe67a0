package io.troth.client.grpc;

import io.grpc.ChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoop;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import java.util.concurrent.TimeUnit;

/**
 * How clients and agents connect to a coordinator. Each attempt has a channel of its own, so that the pauses between
 * attempts are the caller's alone.
 */
public final class CoordinatorChannel {

    // gRPC asks no sooner; see SignsOfLife.
    private static final long KEEP_ALIVE_MILLIS = 10_000;
    private static final long KEEP_ALIVE_TIMEOUT_MILLIS = 5_000;
    private static final int INBOUND_BYTES_MAX = 4 * 1024 * 1024;

    private CoordinatorChannel() {}

    /** Connects at the first call; calls hear of everything on the thread of the group, which must be one. */
    public static ManagedChannel open(Endpoint target, ChannelCredentials credentials, EventLoopGroup group) {
        EventLoop loop = group.next();
        return NettyChannelBuilder.forAddress(target.host(), target.port(), credentials)
                .eventLoopGroup(group)
                .channelType(LinkLoops.channelType())
                .executor(task -> runOn(loop, task))
                .disableRetry()
                .keepAliveTime(KEEP_ALIVE_MILLIS, TimeUnit.MILLISECONDS)
                .keepAliveTimeout(KEEP_ALIVE_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)
                .maxInboundMessageSize(INBOUND_BYTES_MAX)
                .build();
    }

    /** gRPC itself tells of a name that cannot be resolved on the thread that has looked it up. */
    private static void runOn(EventLoop loop, Runnable task) {
        if (loop.inEventLoop()) {
            task.run();
        } else {
            LinkLoops.execute(loop, task);
        }
    }
}
