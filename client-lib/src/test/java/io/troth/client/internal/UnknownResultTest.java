package io.troth.client.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.troth.client.grpc.Endpoint;
import io.troth.core.ErrorCode;
import io.troth.core.TrothException;
import io.troth.proto.v1.QueryColumns;
import io.troth.proto.v1.QueryRequest;
import io.troth.proto.v1.QueryResponse;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Goal: no part of a result is passed over. Method: a message without content, which is how one of a newer gateway looks. */
class UnknownResultTest {

    private static final SqlGateways.Gateway GATEWAY = new SqlGateways.Gateway("localhost:1", null, null);

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
        public void onNext(QueryRequest request) {
            if (cancelled != null) {
                // As gRPC's.
                throw new IllegalStateException("call was cancelled");
            }
        }

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
    void closingTakenRowsSaysWhyTheCallHasEnded() {
        ClientEngine engine = ClientEngine.start(
                ClientSettings.of(List.of(new Endpoint("localhost", 1))),
                () -> 0,
                new TimersByHand(),
                new SilentLink());
        RemoteRows rows = new RemoteRows("accounts", new SqlGateways(engine, false), GATEWAY);
        rows.beforeStart(call);
        rows.onNext(KNOWN);
        rows.onNext(UNKNOWN);
        rows.onError(Status.CANCELLED.withDescription(call.cancelled).asRuntimeException());
        TrothException thrown = assertThrows(TrothException.class, rows::close);
        assertEquals(ErrorCode.ROLLBACK_ONLY, thrown.code());
        assertTrue(thrown.getMessage().contains("does not know"), thrown.getMessage());
    }

    @Test
    void takenRowsEndTheCallAtWhatTheyDoNotKnow() {
        RemoteRows rows = new RemoteRows("accounts", null, GATEWAY);
        rows.beforeStart(call);
        rows.onNext(KNOWN);
        assertNull(call.cancelled);
        rows.onNext(UNKNOWN);
        assertTrue(String.valueOf(call.cancelled).contains("does not know"), call.cancelled);
    }
}
