package io.troth.coordinator.grpc;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import io.netty.util.concurrent.EventExecutor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A stream that came before there was anybody to serve it, and is served as soon as there is. Nothing is read from it in
 * the meantime. What gRPC tells comes on the stream's event loop.
 */
final class WaitingCall<Q, R> extends ServerCall.Listener<Q> {

    private final ServerCall<Q, R> call;
    private final Metadata headers;
    private final EventExecutor loop;
    private final Consumer<WaitingCall<?, ?>> gone;

    // On the loop.
    private ServerCall.@Nullable Listener<Q> served;
    /** What was told before {@code served} was there; a handler may be told of a message while it starts. */
    private final List<Consumer<ServerCall.Listener<Q>>> early = new ArrayList<>();

    private boolean taken;
    private boolean over;

    /** {@code gone} hears that the peer waits no more; {@code loop} is the one whose thread calls this. */
    WaitingCall(ServerCall<Q, R> call, Metadata headers, EventExecutor loop, Consumer<WaitingCall<?, ?>> gone) {
        this.call = call;
        this.headers = headers;
        this.loop = loop;
        this.gone = gone;
    }

    String method() {
        return call.getMethodDescriptor().getFullMethodName();
    }

    /** From now on the handler serves it; it must be that of the same method. Any thread. */
    void serve(ServerCallHandler<Q, R> handler) {
        loop.execute(() -> {
            if (!over) {
                taken = true;
                ServerCall.Listener<Q> listener = handler.startCall(call, headers);
                served = listener;
                early.forEach(told -> told.accept(listener));
                early.clear();
            }
        });
    }

    /** It is ended by this. Any thread. */
    void end(Consumer<ServerCall<Q, R>> end) {
        loop.execute(() -> {
            if (!over) {
                over = true;
                end.accept(call);
            }
        });
    }

    private void over() {
        over = true;
        gone.accept(this);
    }

    private void tell(Consumer<ServerCall.Listener<Q>> told) {
        if (served == null) {
            early.add(told);
        } else {
            told.accept(served);
        }
    }

    @Override
    public void onMessage(Q message) {
        tell(listener -> listener.onMessage(message));
    }

    @Override
    public void onHalfClose() {
        if (taken) {
            tell(ServerCall.Listener::onHalfClose);
        } else if (!over) {
            over();
            call.close(Status.OK, new Metadata());
        }
    }

    @Override
    public void onCancel() {
        if (taken) {
            tell(ServerCall.Listener::onCancel);
        } else {
            over();
        }
    }

    @Override
    public void onComplete() {
        if (taken) {
            tell(ServerCall.Listener::onComplete);
        }
    }

    @Override
    public void onReady() {
        tell(ServerCall.Listener::onReady);
    }
}
