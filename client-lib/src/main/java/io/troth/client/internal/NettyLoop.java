package io.troth.client.internal;

import io.grpc.netty.shaded.io.netty.channel.EventLoop;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.troth.client.grpc.LinkLoops;
import java.util.concurrent.TimeUnit;

/** An event loop of gRPC's netty. */
final class NettyLoop implements Loop {

    private static final long QUIET_MILLIS = 0;
    private static final long CLOSE_MILLIS = 2_000;

    private final MultiThreadIoEventLoopGroup group;
    private final EventLoop loop;

    NettyLoop(String clientName) {
        String name = "troth-client" + (clientName.isEmpty() ? "" : "-" + clientName);
        this.group = LinkLoops.open(name);
        this.loop = group.next();
    }

    /** For the channel: its connections live on the same thread. */
    MultiThreadIoEventLoopGroup group() {
        return group;
    }

    @Override
    public void execute(Runnable task) {
        LinkLoops.execute(loop, task);
    }

    @Override
    public void schedule(Runnable task, long delayMillis) {
        LinkLoops.schedule(loop, task, delayMillis);
    }

    @Override
    public boolean isCurrentThread() {
        return loop.inEventLoop();
    }

    @Override
    public void close() {
        var unused = group.shutdownGracefully(QUIET_MILLIS, CLOSE_MILLIS, TimeUnit.MILLISECONDS);
    }
}
