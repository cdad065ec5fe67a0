package io.troth.coordinator.grpc;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.netty.util.concurrent.EventExecutor;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Function;

/**
 * One unary call: answered on its own event loop, so that the engine thread only completes a future. A cancelled call is
 * ordinary: what it asked for goes on, and nobody is told.
 */
final class UnaryCall<R> {

    private final ServerCallStreamObserver<R> peer;
    private final EventExecutor loop;
    private final Refusals refusals;

    UnaryCall(StreamObserver<R> responses, EventExecutor loop, Refusals refusals) {
        this.peer = (ServerCallStreamObserver<R>) responses;
        this.loop = loop;
        this.refusals = refusals;
        peer.setOnCancelHandler(() -> {});
    }

    boolean isCancelled() {
        return peer.isCancelled();
    }

    /** Runs the body that asks; what it throws for bad input is the answer, and has changed nothing. */
    void run(Runnable body) {
        try {
            body.run();
        } catch (IllegalArgumentException | ArithmeticException e) {
            String detail = e.getMessage() == null ? "" : e.getMessage();
            refuse(new Reason(ErrorCode.INVALID_ARGUMENT, detail));
        } catch (TrothException e) {
            refuse(e.reason());
        }
    }

    private void refuse(Reason reason) {
        refusals.refused(reason, "a unary call");
        fail(new TrothException(reason));
    }

    /** Answers with what the future gives; the mapping runs on the loop. */
    <T> void answer(CompletableFuture<T> result, Function<T, R> mapping) {
        var unused = result.whenComplete((value, failure) -> execute(() -> {
            if (failure == null) {
                run(() -> answer(mapping.apply(value)));
            } else {
                fail(failure);
            }
        }));
    }

    /** Loop thread. */
    void answer(R response) {
        if (!peer.isCancelled()) {
            peer.onNext(response);
            peer.onCompleted();
        }
    }

    private void fail(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        Reason reason = cause instanceof TrothException known
                ? known.reason()
                : new Reason(ErrorCode.INTERNAL, String.valueOf(cause.getMessage()));
        if (!peer.isCancelled()) {
            peer.onError(Statuses.exception(reason));
        }
    }

    private void execute(Runnable task) {
        try {
            loop.execute(task);
        } catch (RejectedExecutionException e) {
            // The server is closed, and with it the call.
        }
    }
}
