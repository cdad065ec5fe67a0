package io.troth.coordinator.server;

import io.troth.coordinator.grpc.EdgeListener;
import io.troth.coordinator.metrics.CoordinatorMetrics;
import io.troth.core.Reason;

/** Tells the meters what happens at the edge: neither package knows the other. Any thread. */
record EdgeMeters(CoordinatorMetrics metrics) implements EdgeListener {

    @Override
    public void refused(Reason reason) {
        metrics.refusedAtEdge(reason);
    }

    @Override
    public void streamOpened(Kind kind) {
        metrics.streamOpened(peer(kind));
    }

    @Override
    public void streamClosed(Kind kind) {
        metrics.streamClosed(peer(kind));
    }

    private static CoordinatorMetrics.Peer peer(Kind kind) {
        return switch (kind) {
            case CLIENT -> CoordinatorMetrics.Peer.CLIENT;
            case AGENT -> CoordinatorMetrics.Peer.AGENT;
        };
    }
}
