package io.troth.coordinator.grpc;

import io.troth.coordinator.admin.Requests;
import io.troth.coordinator.engine.EngineInbox;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.RequestId;
import io.troth.core.coordinator.StreamId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A client stream without a wire, for the unary services: it never breaks while the process lives. Each request is a
 * future that its answer completes, on the engine thread.
 */
final class InProcessStream implements Outlet<ClientMessage>, Requests {

    private final EngineInbox inbox;
    private final StreamId id;
    private final int waitingMax;
    private final AtomicLong correlations = new AtomicLong();
    private final Map<Long, CompletableFuture<ClientMessage>> waiting = new ConcurrentHashMap<>();
    private volatile @Nullable Reason finished;
    private volatile @Nullable Reason notAccepting;

    // Engine thread.
    private final List<ClientMessage> pending = new ArrayList<>();

    /** @param waitingMax how many requests may wait at the same time */
    InProcessStream(EngineInbox inbox, GrpcStreamGateway gateway, int waitingMax) {
        this.inbox = inbox;
        this.waitingMax = waitingMax;
        id = inbox.newStream();
        gateway.addClient(id, this);
    }

    StreamId id() {
        return id;
    }

    /** Why no transaction may begin, as said with the last opened session; null when it may. */
    @Nullable
    Reason notAccepting() {
        return notAccepting;
    }

    @Override
    public CompletableFuture<ClientMessage> ask(Function<RequestId, Event> request) {
        if (waiting.size() >= waitingMax) {
            return CompletableFuture.failedFuture(
                    new TrothException(new Reason(ErrorCode.OVERLOADED, "too many unary requests wait")));
        }
        long correlation = correlations.incrementAndGet();
        CompletableFuture<ClientMessage> answer = new CompletableFuture<>();
        waiting.put(correlation, answer);
        // However it ends, a cancelled call included, nobody waits for it any more.
        var unused = answer.whenComplete((message, failure) -> waiting.remove(correlation));
        Reason over = finished;
        if (over != null) {
            answer.completeExceptionally(new TrothException(over));
        } else {
            inbox.submit(List.of(request.apply(new RequestId(id, correlation))), () -> {});
        }
        return answer;
    }

    @Override
    public boolean add(ClientMessage message) {
        pending.add(message);
        return pending.size() == 1;
    }

    @Override
    public boolean close(Reason reason) {
        finish(Redirect.nowhere(reason));
        return false;
    }

    @Override
    public void flush() {
        List<ClientMessage> batch = List.copyOf(pending);
        pending.clear();
        // That no transaction may begin is said after a session that was opened all the same: heard first here.
        for (ClientMessage message : batch) {
            if (message instanceof ClientMessage.SessionOpened) {
                notAccepting = null;
            } else if (message instanceof ClientMessage.Accepting accepting) {
                notAccepting = accepting.accepting() ? null : accepting.reason();
            }
        }
        for (ClientMessage message : batch) {
            CompletableFuture<ClientMessage> answer = waiting.get(message.accept(CORRELATION));
            if (answer != null) {
                answer.complete(message);
            }
        }
    }

    @Override
    public void finish(Redirect redirect) {
        Reason reason = redirect.reason();
        finished = reason;
        for (CompletableFuture<ClientMessage> answer : List.copyOf(waiting.values())) {
            answer.completeExceptionally(new TrothException(reason));
        }
    }

    private static final ClientMessage.Visitor<Long> CORRELATION = new ClientMessage.Visitor<>() {
        @Override
        public Long sessionOpened(ClientMessage.SessionOpened message) {
            return message.correlation();
        }

        @Override
        public Long accepting(ClientMessage.Accepting message) {
            return 0L;
        }

        @Override
        public Long answer(ClientMessage.Answer message) {
            return message.correlation();
        }

        @Override
        public Long refused(ClientMessage.Refused message) {
            return message.correlation();
        }
    };
}
