package io.troth.coordinator.grpc;

import io.troth.coordinator.engine.StreamGateway;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.Reason;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.StreamId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Where the engine sends: finds the stream, collects, and flushes each stream that has something once. Made before the
 * engine, which is given it, and before {@link GrpcServer}, which fills it with streams.
 *
 * <p>The engine's methods are called on its thread; streams come and go on the event loops.
 */
public final class GrpcStreamGateway implements StreamGateway {

    private final ClusterId cluster;
    private final int shard;
    private final WireWriter writer;
    private final Map<StreamId, Outlet<AgentMessage>> agents = new ConcurrentHashMap<>();
    private final Map<StreamId, Outlet<ClientMessage>> clients = new ConcurrentHashMap<>();
    private volatile Head head = Head.NOT_READY;
    private volatile Consumer<Boolean> readiness = ready -> {};
    private volatile @Nullable Redirect finished;

    // Engine thread.
    private final List<Outlet<?>> dirty = new ArrayList<>();

    public GrpcStreamGateway(ClusterId cluster, int shard) {
        this.cluster = cluster;
        this.shard = shard;
        this.writer = new WireWriter(cluster, shard);
    }

    ClusterId cluster() {
        return cluster;
    }

    int shard() {
        return shard;
    }

    WireWriter writer() {
        return writer;
    }

    Head head() {
        return head;
    }

    /** Whom to tell, on the engine thread, when this coordinator becomes ready or is it no more. Before the first flush. */
    void onReadiness(Consumer<Boolean> listener) {
        readiness = listener;
    }

    void addAgent(AgentStreams.Stream stream) {
        agents.put(stream.id, stream);
        endWhenFinished(stream);
    }

    void removeAgent(StreamId stream) {
        agents.remove(stream);
    }

    /** Greets it now when the coordinator is ready, else the flush that brings the epoch does. */
    void addClient(ClientStreams.Stream stream) {
        clients.put(stream.id, stream);
        stream.greet(head);
        endWhenFinished(stream);
    }

    /** A stream inside this process. */
    void addClient(StreamId stream, Outlet<ClientMessage> outlet) {
        clients.put(stream, outlet);
    }

    void removeClient(StreamId stream) {
        clients.remove(stream);
    }

    /** Ends every stream, and those that open later: the leadership is over. Any thread. */
    void finish(Redirect redirect) {
        finished = redirect;
        clients.values().forEach(client -> client.finish(redirect));
        agents.values().forEach(agent -> agent.finish(redirect));
    }

    private void endWhenFinished(Outlet<?> outlet) {
        Redirect over = finished;
        if (over != null) {
            outlet.finish(over);
        }
    }

    @Override
    public void sendToAgent(StreamId stream, AgentMessage message) {
        Outlet<AgentMessage> outlet = agents.get(stream);
        if (outlet != null) {
            touch(outlet, outlet.add(message));
        }
    }

    @Override
    public void sendToClient(StreamId stream, ClientMessage message) {
        Outlet<ClientMessage> outlet = clients.get(stream);
        if (outlet != null) {
            touch(outlet, outlet.add(message));
        }
    }

    @Override
    public void close(StreamId stream, Reason reason) {
        Outlet<?> agent = agents.get(stream);
        Outlet<?> outlet = agent != null ? agent : clients.get(stream);
        if (outlet != null) {
            touch(outlet, outlet.close(reason));
        }
    }

    @Override
    public void flush(@Nullable EpochId epoch, long durableBatch) {
        Head before = head;
        boolean turned = before.isReady() != (epoch != null);
        if (turned || before.durableBatch() != durableBatch) {
            head = new Head(epoch, durableBatch);
        }
        if (turned) {
            for (Outlet<ClientMessage> client : clients.values()) {
                if (client instanceof ClientStreams.Stream stream) {
                    stream.greet(head);
                }
            }
        }
        for (Outlet<?> outlet : dirty) {
            outlet.flush();
        }
        dirty.clear();
    }

    @Override
    public void ready(boolean ready) {
        readiness.accept(ready);
    }

    private void touch(Outlet<?> outlet, boolean first) {
        if (first) {
            dirty.add(outlet);
        }
    }
}
