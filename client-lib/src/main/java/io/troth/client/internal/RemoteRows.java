package io.troth.client.internal;

import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.troth.client.SqlRow;
import io.troth.client.SqlRows;
import io.troth.client.internal.SqlGateways.Gateway;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import io.troth.proto.v1.CloseQuery;
import io.troth.proto.v1.QueryRequest;
import io.troth.proto.v1.QueryResponse;
import io.troth.proto.v1.SqlColumn;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * A query whose rows are taken by the application. As many messages are asked for as were taken, and two more, so that
 * memory is bounded; the call's deadline bounds every wait.
 */
final class RemoteRows implements SqlRows, ClientResponseObserver<QueryRequest, QueryResponse> {

    private static final int MESSAGES_AHEAD = 2;

    private final String resource;
    private final SqlGateways gateways;
    private final Gateway gateway;

    /** What has come; its last element is the end. */
    private final BlockingQueue<Arrival> arrivals = new LinkedBlockingQueue<>();

    private @Nullable ClientCallStreamObserver<QueryRequest> requests;

    // The application's thread only.
    private List<SqlColumn> columns = List.of();
    private Iterator<io.troth.proto.v1.SqlRow> message =
            List.<io.troth.proto.v1.SqlRow>of().iterator();
    private boolean iterated;
    private boolean closed;
    private boolean ended;

    RemoteRows(String resource, SqlGateways gateways, Gateway gateway) {
        this.resource = resource;
        this.gateways = gateways;
        this.gateway = gateway;
    }

    /** A message, or the end: with a failure, or without. */
    private record Arrival(
            @Nullable QueryResponse response, @Nullable Throwable failure) {

        /** Whether the gateway need not be told to end the call, which can be told nothing more when it was cancelled. */
        boolean ends() {
            return response == null || response.getResponseCase() == QueryResponse.ResponseCase.RESPONSE_NOT_SET;
        }
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<QueryRequest> itsRequests) {
        requests = itsRequests;
        itsRequests.disableAutoRequestWithInitial(MESSAGES_AHEAD);
    }

    void start(QueryRequest start) {
        requests().onNext(start);
    }

    @Override
    public void onNext(QueryResponse response) {
        arrivals.add(new Arrival(response, null));
        SqlErrors.refuseUnknown(response, requests());
    }

    @Override
    public void onError(Throwable cause) {
        if (SqlErrors.isLost(cause)) {
            gateways.lost(gateway);
        }
        arrivals.add(new Arrival(null, cause));
    }

    @Override
    public void onCompleted() {
        arrivals.add(new Arrival(null, null));
    }

    @Override
    public Iterator<SqlRow> iterator() {
        if (iterated) {
            throw new IllegalStateException("the rows of a query can be taken once");
        }
        iterated = true;
        return new Taken();
    }

    @Override
    public Stream<SqlRow> stream() {
        int characteristics = Spliterator.ORDERED | Spliterator.NONNULL | Spliterator.IMMUTABLE;
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(iterator(), characteristics), false)
                .onClose(this::close);
    }

    private boolean hasMore() {
        if (closed && !ended) {
            throw new IllegalStateException("the rows are closed");
        }
        while (!message.hasNext() && !ended) {
            take();
        }
        return message.hasNext();
    }

    /** The rows one by one. */
    private final class Taken implements Iterator<SqlRow> {

        @Override
        public boolean hasNext() {
            return hasMore();
        }

        @Override
        public SqlRow next() {
            if (!hasMore()) {
                throw new NoSuchElementException("the query has no more rows");
            }
            return new RemoteRow(columns, message.next());
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        message = List.<io.troth.proto.v1.SqlRow>of().iterator();
        if (ended) {
            return;
        }
        if (arrivals.stream().noneMatch(Arrival::ends)) {
            requests()
                    .onNext(QueryRequest.newBuilder()
                            .setClose(CloseQuery.getDefaultInstance())
                            .build());
        }
        while (!ended) {
            take();
            message = List.<io.troth.proto.v1.SqlRow>of().iterator();
        }
    }

    /** Waits for one arrival. */
    private void take() {
        if (gateways.isLoopThread()) {
            throw new IllegalStateException("this is a thread of the client library, which brings the rows");
        }
        Arrival arrival;
        try {
            arrival = arrivals.take();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            ended = true;
            // Without its list the transaction cannot commit any more; nothing waits for the call then.
            requests().cancel("interrupted while rows were awaited", null);
            throw new TrothException(
                    new Reason(ErrorCode.ROLLBACK_ONLY, "interrupted while rows of " + resource + " were awaited"), e);
        }
        QueryResponse response = arrival.response();
        if (response == null) {
            ended = true;
            Throwable failure = arrival.failure();
            if (failure != null) {
                throw SqlErrors.of(gateway.of(resource), failure);
            }
            return;
        }
        requests().request(1);
        switch (response.getResponseCase()) {
            case COLUMNS -> columns = response.getColumns().getColumnsList();
            case ROWS -> message = response.getRows().getRowsList().iterator();
            case END, RESPONSE_NOT_SET -> {
                // The trailers or the end of a call that was cancelled follow.
            }
        }
    }

    private ClientCallStreamObserver<QueryRequest> requests() {
        return Objects.requireNonNull(requests, "started");
    }
}
