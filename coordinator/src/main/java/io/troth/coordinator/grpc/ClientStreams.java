package io.troth.coordinator.grpc;

import io.grpc.ServerServiceDefinition;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.netty.util.concurrent.EventExecutor;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.ResourceName;
import io.troth.core.TrothException;
import io.troth.core.coordinator.AgentHello;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.CoordinatorStateMachine;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.StreamId;
import io.troth.proto.v1.ClientEntry;
import io.troth.proto.v1.ClientReply;
import io.troth.proto.v1.ClientServiceGrpc;
import io.troth.proto.v1.ClientStreamResponse;
import io.troth.proto.v1.ResourceLocated;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** {@code ClientService}: the streams of client libraries. */
final class ClientStreams {

    private final PeerStream.Shared shared;
    private final EventLoops loops;
    private final EdgeListener listener;
    private final AtomicInteger open = new AtomicInteger();

    ClientStreams(PeerStream.Shared shared, EventLoops loops, EdgeListener listener) {
        this.shared = shared;
        this.loops = loops;
        this.listener = listener;
    }

    ServerServiceDefinition definition() {
        return RawMethods.bidi(
                ClientServiceGrpc.getServiceDescriptor(),
                ClientServiceGrpc.getClientStreamMethod(),
                shared.limits(),
                this::open);
    }

    private StreamObserver<RawBatch.Unread> open(StreamObserver<ClientStreamResponse> responses) {
        ServerCallStreamObserver<ClientStreamResponse> peer =
                (ServerCallStreamObserver<ClientStreamResponse>) responses;
        StreamId id = shared.inbox().newStream();
        if (open.incrementAndGet() > shared.limits().clientStreamsMax()) {
            open.decrementAndGet();
            Reason reason = new Reason(ErrorCode.OVERLOADED, "too many client streams");
            shared.refusals().refused(reason, "client stream " + id.value());
            return RawMethods.refused(peer, reason);
        }
        Stream stream = new Stream(id, loops.current(), peer);
        listener.streamOpened(EdgeListener.Kind.CLIENT);
        shared.gateway().addClient(stream);
        return stream;
    }

    /** One client. Nothing is read from it before it was greeted, and it is greeted when this coordinator is ready. */
    final class Stream extends PeerStream<ClientMessage, ClientReply, ClientStreamResponse> {

        private final AtomicBoolean greeted = new AtomicBoolean();

        private Stream(StreamId id, EventExecutor loop, ServerCallStreamObserver<ClientStreamResponse> peer) {
            super(id, loop, ClientStreams.this.shared, peer);
        }

        /** Says who this coordinator is and starts to read; once. Any thread. */
        void greet(Head head) {
            if (head.epoch() != null && greeted.compareAndSet(false, true)) {
                ClientReply state = shared.gateway().writer().state(head.epoch());
                execute(() -> {
                    if (!isOver()) {
                        write(frame(head, List.of(state)));
                        requestOne();
                    }
                });
            }
        }

        @Override
        boolean decode(RawBatch batch, List<Event> events) {
            boolean located = false;
            for (int i = 0; i < batch.size(); i++) {
                ClientEntry entry = batch.entry(i, ClientEntry.parser());
                try {
                    Event event = shared.reader().event(id, entry);
                    if (event != null) {
                        events.add(event);
                    } else if (entry.hasLocateResource()) {
                        locate(
                                entry.getCorrelationId(),
                                ResourceName.check(entry.getLocateResource().getResource()));
                        located = true;
                    } else {
                        throw new IllegalArgumentException("the entry says nothing that this build knows");
                    }
                } catch (IllegalArgumentException e) {
                    String detail = e.getMessage() == null ? "" : e.getMessage();
                    answerRefused(entry.getCorrelationId(), new Reason(ErrorCode.INVALID_ARGUMENT, detail));
                } catch (TrothException e) {
                    answerRefused(entry.getCorrelationId(), e.reason());
                }
            }
            return located;
        }

        /** The request changed nothing, and the stream goes on. */
        private void answerRefused(long correlation, Reason reason) {
            shared.refusals().refused(reason, describe());
            if (correlation != 0) {
                addDirectly(entry(new ClientMessage.Refused(correlation, reason)));
            }
        }

        private void locate(long correlation, String resource) {
            var unused = shared.inbox()
                    .look(machine -> located(machine, resource))
                    .whenComplete((located, failure) -> {
                        if (located != null) {
                            addDirectly(ClientReply.newBuilder()
                                    .setCorrelationId(correlation)
                                    .setResourceLocated(located)
                                    .build());
                        } else {
                            Reason reason = Reason.of(ErrorCode.NOT_READY);
                            addDirectly(entry(new ClientMessage.Refused(correlation, reason)));
                        }
                    });
        }

        private ResourceLocated located(CoordinatorStateMachine machine, String resource) {
            ResourceLocated.Builder located = ResourceLocated.newBuilder().setResource(resource);
            for (AgentHello agent : machine.agents(shared.limits().agentStreamsMax())) {
                for (AgentHello.AgentResource offered : agent.resources()) {
                    if (offered.name().equals(resource) && offered.sqlAddress() != null) {
                        located.addSqlAddresses(offered.sqlAddress());
                    }
                }
            }
            return located.build();
        }

        @Override
        @Nullable
        Event disconnected() {
            return new Event.ClientDisconnected(id);
        }

        @Override
        ClientReply entry(ClientMessage message) {
            return shared.gateway().writer().reply(message);
        }

        @Override
        ClientStreamResponse frame(Head head, List<ClientReply> entries) {
            return WireWriter.clientFrame(head, entries);
        }

        @Override
        void removed() {
            open.decrementAndGet();
            listener.streamClosed(EdgeListener.Kind.CLIENT);
            shared.gateway().removeClient(id);
        }

        @Override
        String describe() {
            return "client stream " + id.value();
        }
    }
}
