package io.troth.coordinator.grpc;

import io.grpc.ServerServiceDefinition;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.netty.util.concurrent.EventExecutor;
import io.troth.core.ClusterId;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.StreamId;
import io.troth.proto.v1.AgentEntry;
import io.troth.proto.v1.AgentOrder;
import io.troth.proto.v1.AgentServiceGrpc;
import io.troth.proto.v1.AgentStreamResponse;
import io.troth.proto.v1.Enlist;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** {@code AgentService}: the streams of participant agents. */
final class AgentStreams {

    private final PeerStream.Shared shared;
    private final EventLoops loops;
    private final EdgeListener listener;
    private final long helloTimeoutMillis;
    private final AtomicInteger open = new AtomicInteger();

    AgentStreams(PeerStream.Shared shared, EventLoops loops, EdgeListener listener, long helloTimeoutMillis) {
        this.shared = shared;
        this.loops = loops;
        this.listener = listener;
        this.helloTimeoutMillis = helloTimeoutMillis;
    }

    ServerServiceDefinition definition() {
        return RawMethods.bidi(
                AgentServiceGrpc.getServiceDescriptor(),
                AgentServiceGrpc.getAgentStreamMethod(),
                shared.limits(),
                this::open);
    }

    private StreamObserver<RawBatch.Unread> open(StreamObserver<AgentStreamResponse> responses) {
        ServerCallStreamObserver<AgentStreamResponse> peer = (ServerCallStreamObserver<AgentStreamResponse>) responses;
        StreamId id = shared.inbox().newStream();
        if (open.incrementAndGet() > shared.limits().agentStreamsMax()) {
            open.decrementAndGet();
            Reason reason = new Reason(ErrorCode.OVERLOADED, "too many agent streams");
            shared.refusals().refused(reason, "agent stream " + id.value());
            return RawMethods.refused(peer, reason);
        }
        Stream stream = new Stream(id, loops.current(), peer);
        listener.streamOpened(EdgeListener.Kind.AGENT);
        shared.gateway().addAgent(stream);
        stream.requestOne();
        var unused = stream.loop.schedule(stream::checkHello, helloTimeoutMillis, TimeUnit.MILLISECONDS);
        return stream;
    }

    /** One agent. The core hears of it with its hello, and of nothing before it. */
    final class Stream extends PeerStream<AgentMessage, AgentOrder, AgentStreamResponse> {

        /** Loop thread. */
        private boolean saidHello;

        private Stream(StreamId id, EventExecutor loop, ServerCallStreamObserver<AgentStreamResponse> peer) {
            super(id, loop, AgentStreams.this.shared, peer);
        }

        private void checkHello() {
            if (!saidHello) {
                refuse(new Reason(ErrorCode.INVALID_ARGUMENT, "no hello within " + helloTimeoutMillis + " ms"));
            }
        }

        @Override
        boolean decode(RawBatch batch, List<Event> events) {
            for (int i = 0; i < batch.size(); i++) {
                AgentEntry entry = batch.entry(i, AgentEntry.parser());
                try {
                    if (!saidHello) {
                        checkFirst(entry);
                    }
                    Event event = shared.reader().event(id, entry);
                    if (event == null) {
                        // A newer agent may say more; that this build does not hear it changes nothing.
                        shared.refusals()
                                .refused(new Reason(ErrorCode.INVALID_ARGUMENT, "an unknown entry"), describe());
                    } else {
                        events.add(event);
                        saidHello = true;
                    }
                } catch (IllegalArgumentException e) {
                    Reason reason = new Reason(
                            ErrorCode.INVALID_ARGUMENT, "entry " + entry.getEntryCase() + ": " + e.getMessage());
                    if (!answersEnlist(entry, reason)) {
                        throw new TrothException(reason, e);
                    }
                }
            }
            return false;
        }

        private void checkFirst(AgentEntry entry) {
            if (!entry.hasHello()) {
                throw new IllegalArgumentException("an agent says first who it is");
            }
            long cluster = entry.getHello().getClusterId();
            ClusterId own = shared.gateway().cluster();
            if (cluster != 0 && cluster != own.value()) {
                throw new TrothException(new Reason(
                        ErrorCode.WRONG_CLUSTER,
                        "this coordinator is of cluster " + own + ", the agent of " + new ClusterId(cluster)));
            }
        }

        /** True when it was an enlist that can at least be named: it is refused and the stream goes on. */
        private boolean answersEnlist(AgentEntry entry, Reason reason) {
            if (!saidHello || !entry.hasEnlist()) {
                return false;
            }
            Enlist enlist = entry.getEnlist();
            try {
                addDirectly(entry(new AgentMessage.EnlistRefused(
                        WireReader.tx(enlist.getTx()), WireReader.branch(enlist.getBranch()), reason)));
            } catch (IllegalArgumentException e) {
                return false;
            }
            shared.refusals().refused(reason, describe());
            return true;
        }

        @Override
        @Nullable
        Event disconnected() {
            return saidHello ? new Event.AgentDisconnected(id) : null;
        }

        @Override
        AgentOrder entry(AgentMessage message) {
            return shared.gateway().writer().order(message);
        }

        @Override
        AgentStreamResponse frame(Head head, List<AgentOrder> entries) {
            return WireWriter.agentFrame(head, entries);
        }

        @Override
        void removed() {
            open.decrementAndGet();
            listener.streamClosed(EdgeListener.Kind.AGENT);
            shared.gateway().removeAgent(id);
        }

        @Override
        String describe() {
            return "agent stream " + id.value();
        }
    }
}
