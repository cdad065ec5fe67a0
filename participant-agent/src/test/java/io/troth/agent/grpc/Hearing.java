package io.troth.agent.grpc;

import io.grpc.stub.ServerCallStreamObserver;
import io.troth.proto.v1.ExecuteResponse;
import java.util.concurrent.CompletableFuture;

/** Looks for a place as soon as it hears of an error. */
final class Hearing extends ServerCallStreamObserver<ExecuteResponse> {

    private final SqlWorkers workers;
    private final CompletableFuture<Boolean> room;

    Hearing(SqlWorkers workers, CompletableFuture<Boolean> room) {
        this.workers = workers;
        this.room = room;
    }

    @Override
    public void onError(Throwable error) {
        room.complete(workers.enter());
    }

    @Override
    public void onNext(ExecuteResponse response) {
        room.completeExceptionally(new IllegalStateException("answered: " + response));
    }

    @Override
    public void onCompleted() {
        // Said with the answer.
    }

    @Override
    public boolean isReady() {
        return true;
    }

    @Override
    public boolean isCancelled() {
        return false;
    }

    @Override
    public void setOnReadyHandler(Runnable handler) {
        // Ready from the beginning.
    }

    @Override
    public void setOnCancelHandler(Runnable handler) {
        // Nobody cancels.
    }

    @Override
    public void setCompression(String compression) {
        // Nothing leaves.
    }

    @Override
    public void setMessageCompression(boolean enable) {
        // Nothing leaves.
    }

    @Override
    public void disableAutoInboundFlowControl() {
        // There is one request.
    }

    @Override
    public void request(int count) {
        // There is one request.
    }
}
