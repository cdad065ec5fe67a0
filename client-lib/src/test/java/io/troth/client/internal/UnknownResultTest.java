package io.troth.client.internal;

import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.stub.ClientCallStreamObserver;
import io.troth.proto.v1.QueryColumns;
import io.troth.proto.v1.QueryRequest;
import io.troth.proto.v1.QueryResponse;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Goal: no part of a result is passed over. Method: a message without content, which is how one of a newer gateway looks. */
class UnknownResultTest {

    private static final QueryResponse KNOWN = QueryResponse.newBuilder()
            .setColumns(QueryColumns.getDefaultInstance())
            .build();
    private static final QueryResponse UNKNOWN = QueryResponse.getDefaultInstance();

    private final Call call = new Call();

    /** Remembers why it was cancelled. */
    private static final class Call extends ClientCallStreamObserver<QueryRequest> {
        private @Nullable String cancelled;

        @Override
        public void cancel(@Nullable String message, @Nullable Throwable cause) {
            cancelled = message;
        }

        @Override
        public boolean isReady() {
            return true;
        }

        @Override
        public void setOnReadyHandler(Runnable handler) {}

        @Override
        public void request(int count) {}

        @Override
        public void setMessageCompression(boolean enable) {}

        @Override
        public void disableAutoInboundFlowControl() {}

        @Override
        public void disableAutoRequestWithInitial(int count) {}

        @Override
        public void onNext(QueryRequest request) {}

        @Override
        public void onError(Throwable cause) {}

        @Override
        public void onCompleted() {}
    }

    @Test
    void pushedRowsEndTheCallAtWhatTheyDoNotKnow() {
        PushedRows rows = new PushedRows(row -> {});
        rows.beforeStart(call);
        rows.onNext(KNOWN);
        assertNull(call.cancelled);
        rows.onNext(UNKNOWN);
        assertTrue(String.valueOf(call.cancelled).contains("does not know"), call.cancelled);
    }

    @Test
    void takenRowsEndTheCallAtWhatTheyDoNotKnow() {
        RemoteRows rows = new RemoteRows("accounts", null, null);
        rows.beforeStart(call);
        rows.onNext(KNOWN);
        assertNull(call.cancelled);
        rows.onNext(UNKNOWN);
        assertTrue(String.valueOf(call.cancelled).contains("does not know"), call.cancelled);
    }
}
