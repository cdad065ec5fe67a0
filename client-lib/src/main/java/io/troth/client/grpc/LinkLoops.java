package io.troth.client.grpc;

import io.grpc.netty.shaded.io.netty.channel.Channel;
import io.grpc.netty.shaded.io.netty.channel.EventLoop;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.Epoll;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollIoHandler;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.nio.NioIoHandler;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioSocketChannel;
import io.grpc.netty.shaded.io.netty.util.concurrent.DefaultThreadFactory;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * The event loops of connections to coordinators and SQL gateways: epoll where the system has it, else NIO.
 *
 * <p>Nearly all that a link sends comes from another thread, which wakes the loop. Netty's NIO loop then wakes itself once
 * more, so that each such message costs two turns of it.
 */
public final class LinkLoops {

    private LinkLoops() {}

    /**
     * One loop with one daemon thread, which starts with its first task.
     *
     * @param threadName what the thread's name begins with
     */
    public static MultiThreadIoEventLoopGroup open(String threadName) {
        return new MultiThreadIoEventLoopGroup(
                1,
                new DefaultThreadFactory(threadName, true),
                Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
    }

    /** The type of the connections that such a loop serves. */
    public static Class<? extends Channel> channelType() {
        return Epoll.isAvailable() ? EpollSocketChannel.class : NioSocketChannel.class;
    }

    /** Runs the task on the loop's thread. Dropped when the loop is closed. Any thread. */
    public static void execute(EventLoop loop, Runnable task) {
        try {
            loop.execute(task);
        } catch (RejectedExecutionException e) {
            // Closed: nobody waits for it any more.
        }
    }

    /** The same after a delay. */
    public static void schedule(EventLoop loop, Runnable task, long delayMillis) {
        try {
            var unused = loop.schedule(task, delayMillis, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            // Closed: nobody waits for it any more.
        }
    }
}
