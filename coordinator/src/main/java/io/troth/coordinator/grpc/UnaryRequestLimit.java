package io.troth.coordinator.grpc;

import com.google.protobuf.MessageLite;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.StatusRuntimeException;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import java.util.Objects;

/**
 * Refuses the requests of unary calls that are larger than an entry of a stream may be: the transport lets batches
 * through, and a call that works off a whole batch's bytes would hold up the engine, with which it shares a thread.
 */
final class UnaryRequestLimit implements ServerInterceptor {

    private final int bytesMax;
    private final Refusals refusals;

    UnaryRequestLimit(int bytesMax, Refusals refusals) {
        this.bytesMax = bytesMax;
        this.refusals = refusals;
    }

    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
        return new SimpleForwardingServerCallListener<Q>(next.startCall(call, headers)) {

            private boolean refused;

            @Override
            public void onMessage(Q message) {
                int bytes = ((MessageLite) message).getSerializedSize();
                if (bytes > bytesMax) {
                    refused = true;
                    refuse(call, bytes);
                } else {
                    super.onMessage(message);
                }
            }

            @Override
            public void onHalfClose() {
                if (!refused) {
                    super.onHalfClose();
                }
            }
        };
    }

    private void refuse(ServerCall<?, ?> call, int bytes) {
        Reason reason =
                new Reason(ErrorCode.LIMIT_EXCEEDED, "the request has " + bytes + " bytes, at most " + bytesMax);
        refusals.refused(reason, "a unary call");
        StatusRuntimeException why = Statuses.exception(reason);
        call.close(why.getStatus(), Objects.requireNonNullElseGet(why.getTrailers(), Metadata::new));
    }
}
