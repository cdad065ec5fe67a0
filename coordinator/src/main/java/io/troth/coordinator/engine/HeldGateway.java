package io.troth.coordinator.engine;

import io.troth.core.EpochId;
import io.troth.core.Reason;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.StreamId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The engine's way to the streams, which can be held while a write of the log hangs (protocol L4: until it has returned
 * nobody knows what is in the log). Held messages keep their order on each stream and leave when the write has returned,
 * or never, when it has failed. Only refusals pass: they say that nothing was done, and no outcome.
 */
final class HeldGateway implements StreamGateway {

    private sealed interface Message {}

    private record ToAgent(AgentMessage message) implements Message {}

    private record ToClient(ClientMessage message) implements Message {}

    private final StreamGateway target;
    private final Map<StreamId, List<Message>> held = new LinkedHashMap<>();
    private boolean holding;

    HeldGateway(StreamGateway target) {
        this.target = target;
    }

    boolean isHolding() {
        return holding;
    }

    void hold() {
        holding = true;
    }

    /** Sends what was held, and holds no more. */
    void release() {
        holding = false;
        held.forEach((stream, messages) -> {
            for (Message message : messages) {
                if (message instanceof ToAgent agent) {
                    target.sendToAgent(stream, agent.message());
                } else if (message instanceof ToClient client) {
                    target.sendToClient(stream, client.message());
                }
            }
        });
        held.clear();
    }

    /** Forgets what was held, and holds no more. */
    void discard() {
        holding = false;
        held.clear();
    }

    /** The stream is gone: what is held for it has nowhere to go. */
    void forget(StreamId stream) {
        held.remove(stream);
    }

    @Override
    public void sendToAgent(StreamId stream, AgentMessage message) {
        if (holding && !(message instanceof AgentMessage.EnlistRefused)) {
            held.computeIfAbsent(stream, key -> new ArrayList<>()).add(new ToAgent(message));
        } else {
            target.sendToAgent(stream, message);
        }
    }

    @Override
    public void sendToClient(StreamId stream, ClientMessage message) {
        if (holding && !(message instanceof ClientMessage.Refused)) {
            held.computeIfAbsent(stream, key -> new ArrayList<>()).add(new ToClient(message));
        } else {
            target.sendToClient(stream, message);
        }
    }

    @Override
    public void close(StreamId stream, Reason reason) {
        held.remove(stream);
        target.close(stream, reason);
    }

    @Override
    public void flush(@Nullable EpochId epoch, long durableBatch) {
        target.flush(epoch, durableBatch);
    }
}
