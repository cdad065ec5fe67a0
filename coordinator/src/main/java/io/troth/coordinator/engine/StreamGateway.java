package io.troth.coordinator.engine;

import io.troth.core.EpochId;
import io.troth.core.Reason;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.StreamId;
import org.jspecify.annotations.Nullable;

/**
 * Where the engine sends. Engine thread only; never blocks; a stream that is gone swallows what is sent to it. What is
 * sent waits for {@link #flush}, which lets everything that is ready leave as one batch a stream: batching costs no
 * latency and needs no linger timer.
 */
public interface StreamGateway {

    /** Adds to the stream's next batch. */
    void sendToAgent(StreamId stream, AgentMessage message);

    /** Adds to the stream's next batch. */
    void sendToClient(StreamId stream, ClientMessage message);

    /** Ends the stream after its next batch, with the status that belongs to the code. */
    void close(StreamId stream, Reason reason);

    /**
     * Lets each stream to which something was sent since the last flush send it.
     *
     * @param epoch the epoch this coordinator leads; null until it is ready
     * @param durableBatch the highest batch number of the log that is known to be durable
     */
    void flush(@Nullable EpochId epoch, long durableBatch);

    /** This coordinator has become one to send clients to, or is none any more: its log hangs, it stops, and the like. */
    default void ready(boolean ready) {}
}
