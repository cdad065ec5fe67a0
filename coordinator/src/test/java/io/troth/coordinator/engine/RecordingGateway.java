package io.troth.coordinator.engine;

import io.troth.core.EpochId;
import io.troth.core.Reason;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.StreamId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Streams in memory: what was sent has left only when it was flushed. */
public final class RecordingGateway implements StreamGateway {

    /** What has left; exactly one of the messages is there. */
    public record Sent(
            StreamId stream,
            @Nullable AgentMessage toAgent,
            @Nullable ClientMessage toClient) {}

    private final List<Sent> buffered = new ArrayList<>();
    private final List<Sent> left = new ArrayList<>();
    private final Deque<Sent> undelivered = new ArrayDeque<>();
    private final List<StreamId> closed = new ArrayList<>();
    private int flushes;
    private @Nullable EpochId flushedEpoch;
    private long flushedBatch;

    @Override
    public void sendToAgent(StreamId stream, AgentMessage message) {
        buffered.add(new Sent(stream, message, null));
    }

    @Override
    public void sendToClient(StreamId stream, ClientMessage message) {
        buffered.add(new Sent(stream, null, message));
    }

    @Override
    public void close(StreamId stream, Reason reason) {
        closed.add(stream);
    }

    @Override
    public void flush(@Nullable EpochId epoch, long durableBatch) {
        flushes++;
        flushedEpoch = epoch;
        flushedBatch = durableBatch;
        left.addAll(buffered);
        undelivered.addAll(buffered);
        buffered.clear();
    }

    /** The next message that has left and was not taken yet, null when there is none. */
    @Nullable
    Sent next() {
        return undelivered.poll();
    }

    /** Everything that has left. */
    public List<Sent> left() {
        return List.copyOf(left);
    }

    /** What has left to clients, as answers. */
    public List<ClientMessage.Answer> answers() {
        return left.stream()
                .filter(sent -> sent.toClient() instanceof ClientMessage.Answer)
                .map(sent -> (ClientMessage.Answer) sent.toClient())
                .toList();
    }

    /** How many messages to agents that have left are like this. */
    public long toAgents(Predicate<AgentMessage> like) {
        return left.stream()
                .filter(sent -> sent.toAgent() != null && like.test(sent.toAgent()))
                .count();
    }

    /** How many messages to clients that have left are like this. */
    public long toClients(Predicate<ClientMessage> like) {
        return left.stream()
                .filter(sent -> sent.toClient() != null && like.test(sent.toClient()))
                .count();
    }

    List<StreamId> closed() {
        return List.copyOf(closed);
    }

    int flushes() {
        return flushes;
    }

    @Nullable
    EpochId flushedEpoch() {
        return flushedEpoch;
    }

    long flushedBatch() {
        return flushedBatch;
    }
}
