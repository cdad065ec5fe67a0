package io.troth.client.internal;

import static org.awaitility.Awaitility.await;

import io.troth.client.grpc.Endpoint;
import io.troth.proto.v1.ClientReply;
import io.troth.proto.v1.CoordinatorState;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Goal: no attempt to connect is the last. Method: an endpoint of which gRPC can make no channel. */
class GrpcCoordinatorLinkTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** As in an application that was packed without gRPC's name resolvers. */
    @Test
    void saysThatItCouldNotEvenTryAndTriesTheNextEndpoint() {
        Endpoint impossible = new Endpoint("no_host", 7700);
        Endpoint nobody = new Endpoint("localhost", 1);
        ClientSettings settings = ClientSettings.of(List.of(impossible, nobody));
        GrpcCoordinatorLink link = new GrpcCoordinatorLink(settings, new NettyLoop("of-a-test"));
        try {
            link.start(new Nobody());
            await().atMost(PATIENCE).until(() -> link.problem().startsWith(impossible + ": "));
            await().atMost(PATIENCE).until(() -> link.problem().startsWith(nobody + ": "));
            await().atMost(PATIENCE).until(() -> link.problem().startsWith(impossible + ": "));
        } finally {
            link.close();
        }
    }

    private static final class Nobody implements CoordinatorLink.Listener {
        @Override
        public boolean up(CoordinatorState state) {
            return false;
        }

        @Override
        public void replies(List<ClientReply> replies) {}

        @Override
        public void down() {}
    }
}
