package io.troth.client.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.netty.shaded.io.netty.channel.MultiThreadIoEventLoopGroup;
import io.troth.proto.v1.ClientServiceGrpc;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Goal: whoever owns a link has one thread to think of. */
class CoordinatorChannelTest {

    private record Heard(Status.Code code, String thread) {}

    @Test
    void tellsOfANameThatCannotBeResolvedOnTheLinksThread() throws Exception {
        MultiThreadIoEventLoopGroup group = LinkLoops.open("link-of-a-test");
        // No name has a part as long as this, so that nobody is asked.
        Endpoint nowhere = new Endpoint("x".repeat(64) + ".invalid", 7700);
        ManagedChannel channel = CoordinatorChannel.open(nowhere, InsecureChannelCredentials.create(), group);
        try {
            CompletableFuture<Heard> closed = new CompletableFuture<>();
            group.execute(() -> channel.newCall(ClientServiceGrpc.getClientStreamMethod(), CallOptions.DEFAULT)
                    .start(
                            new ClientCall.Listener<>() {
                                @Override
                                public void onClose(Status status, Metadata trailers) {
                                    String thread = Thread.currentThread().getName();
                                    closed.complete(new Heard(status.getCode(), thread));
                                }
                            },
                            new Metadata()));
            Heard heard = closed.get(60, TimeUnit.SECONDS);
            assertEquals(Status.Code.UNAVAILABLE, heard.code());
            assertTrue(heard.thread().startsWith("link-of-a-test"), heard::toString);
        } finally {
            channel.shutdownNow();
            var unused = group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        }
    }
}
