package io.troth.client.internal;

import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.troth.client.SqlRow;
import io.troth.proto.v1.CloseQuery;
import io.troth.proto.v1.QueryRequest;
import io.troth.proto.v1.QueryResponse;
import io.troth.proto.v1.SqlColumn;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A query whose rows are handed to an action as they come. On the gateway loop's thread but for the start. */
final class PushedRows implements ClientResponseObserver<QueryRequest, QueryResponse> {

    private final Consumer<? super SqlRow> action;
    private final CompletableFuture<Long> future = new CompletableFuture<>();
    private @Nullable ClientCallStreamObserver<QueryRequest> requests;
    private List<SqlColumn> columns = List.of();
    private long count;
    private @Nullable Throwable actionFailure;

    PushedRows(Consumer<? super SqlRow> action) {
        this.action = action;
    }

    /** What the application's action threw, on its way through our stages. */
    static final class ActionFailedException extends RuntimeException {

        private static final long serialVersionUID = 1L;
        private final transient Throwable original;

        ActionFailedException(Throwable original) {
            super(original);
            this.original = original;
        }

        Throwable original() {
            return original;
        }
    }

    /** The number of rows, when the call has ended. */
    CompletableFuture<Long> future() {
        return future;
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<QueryRequest> itsRequests) {
        requests = itsRequests;
    }

    void start(QueryRequest start) {
        requests().onNext(start);
    }

    @Override
    public void onNext(QueryResponse response) {
        SqlErrors.refuseUnknown(response, requests());
        switch (response.getResponseCase()) {
            case COLUMNS -> columns = response.getColumns().getColumnsList();
            case ROWS -> response.getRows().getRowsList().forEach(this::hand);
            case END, RESPONSE_NOT_SET -> {
                // The trailers or the end of a call that was cancelled follow.
            }
        }
    }

    private void hand(io.troth.proto.v1.SqlRow row) {
        if (actionFailure != null) {
            return;
        }
        count++;
        try {
            action.accept(new RemoteRow(columns, row));
        } catch (RuntimeException | Error e) {
            actionFailure = e;
            requests()
                    .onNext(QueryRequest.newBuilder()
                            .setClose(CloseQuery.getDefaultInstance())
                            .build());
        }
    }

    @Override
    public void onError(Throwable cause) {
        future.completeExceptionally(actionFailure == null ? cause : new ActionFailedException(actionFailure));
    }

    @Override
    public void onCompleted() {
        if (actionFailure == null) {
            future.complete(count);
        } else {
            future.completeExceptionally(new ActionFailedException(actionFailure));
        }
    }

    private ClientCallStreamObserver<QueryRequest> requests() {
        return Objects.requireNonNull(requests, "started");
    }
}
