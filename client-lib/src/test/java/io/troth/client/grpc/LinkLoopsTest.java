package io.troth.client.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.grpc.netty.shaded.io.netty.channel.epoll.Epoll;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollSocketChannel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Goal: the links do not get slower unnoticed, such as by a version of gRPC whose native code does not fit. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
class LinkLoopsTest {

    @Test
    void readsByEpoll() {
        assertEquals(EpollSocketChannel.class, LinkLoops.channelType(), () -> "" + Epoll.unavailabilityCause());
    }
}
