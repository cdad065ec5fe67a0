package io.troth.coordinator.server;

import io.troth.coordinator.engine.StreamGateway;
import io.troth.core.EpochId;
import io.troth.core.Reason;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.StreamId;
import org.jspecify.annotations.Nullable;

final class NoStreams implements StreamGateway {
    @Override
    public void sendToAgent(StreamId stream, AgentMessage message) {}

    @Override
    public void sendToClient(StreamId stream, ClientMessage message) {}

    @Override
    public void close(StreamId stream, Reason reason) {}

    @Override
    public void flush(@Nullable EpochId epoch, long durableBatch) {}
}
