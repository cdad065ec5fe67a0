package io.troth.client.internal;

import io.troth.proto.v1.ClientReply;
import io.troth.proto.v1.CoordinatorState;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Counts the streams of a link that came up and went down, and believes each. */
final class HeardStreams implements CoordinatorLink.Listener {

    private final AtomicInteger up = new AtomicInteger();
    private final AtomicInteger down = new AtomicInteger();

    int ups() {
        return up.get();
    }

    int downs() {
        return down.get();
    }

    @Override
    public boolean up(CoordinatorState state) {
        up.incrementAndGet();
        return true;
    }

    @Override
    public void replies(List<ClientReply> replies) {}

    @Override
    public void down() {
        down.incrementAndGet();
    }
}
