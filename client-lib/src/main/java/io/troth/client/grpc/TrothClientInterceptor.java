package io.troth.client.grpc;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientStreamTracer;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.troth.client.context.CallScope;
import io.troth.client.context.OutgoingCall;
import io.troth.core.BranchList;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Carries the current transaction along with every call of a channel, and brings the branch list of the reply back
 * (protocol 5). Installed once a channel: {@code ClientInterceptors.intercept(channel, new TrothClientInterceptor())}.
 * Outside a transaction it does nothing.
 *
 * <p>A call under T must not be made twice: it never waits for ready, and a second attempt that gRPC makes on its own (a
 * retry or hedging policy of the service config; attempts that provably never left are allowed) makes T rollback-only.
 * Do not configure such policies for services of transactions. A reply without a readable list, a call that is
 * cancelled included, makes T rollback-only. Thread-safe.
 */
public final class TrothClientInterceptor implements ClientInterceptor {

    /** For calls to services that do not speak Troth: they take no part in T and must not see its session key. */
    public static final CallOptions.Key<Boolean> TROTH_NONE = CallOptions.Key.createWithDefault("troth-none", false);

    /** The inbound metadata size that channels and servers of transactions need, for long branch lists; in bytes. */
    public static final int METADATA_BYTES_MAX = 64 * 1024;

    @Override
    public <Q, R> ClientCall<Q, R> interceptCall(MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
        CallScope scope = CallScope.current();
        if (scope == null || options.getOption(TROTH_NONE)) {
            return next.newCall(method, options);
        }
        long remainingMillis = scope.remainingMillis();
        CallOptions underDeadline = withinDeadline(options, remainingMillis)
                .withoutWaitForReady()
                .withStreamTracerFactory(new AttemptWatch(scope));
        return new CallUnderTransaction<>(
                next.newCall(method, underDeadline), scope, remainingMillis, method.getFullMethodName());
    }

    private static CallOptions withinDeadline(CallOptions options, long remainingMillis) {
        boolean sooner = options.getDeadline() != null
                && options.getDeadline().timeRemaining(TimeUnit.MILLISECONDS) < remainingMillis;
        return sooner ? options : options.withDeadlineAfter(remainingMillis, TimeUnit.MILLISECONDS);
    }

    /** Sees every attempt that gRPC makes for a call. */
    private static final class AttemptWatch extends ClientStreamTracer.Factory {

        private final CallScope scope;

        AttemptWatch(CallScope scope) {
            this.scope = scope;
        }

        @Override
        public ClientStreamTracer newClientStreamTracer(ClientStreamTracer.StreamInfo info, Metadata headers) {
            if (info.getPreviousAttempts() > 0 && !info.isTransparentRetry()) {
                scope.setRollbackOnly(new Reason(
                        ErrorCode.DUPLICATE_CALL, "gRPC made a second attempt of a call under a transaction"));
            }
            return new ClientStreamTracer() {};
        }
    }

    private static final class CallUnderTransaction<Q, R> extends SimpleForwardingClientCall<Q, R> {

        private final CallScope scope;
        private final long remainingMillis;
        private final String method;
        private volatile @Nullable OutgoingCall outgoing;

        CallUnderTransaction(ClientCall<Q, R> call, CallScope scope, long remainingMillis, String method) {
            super(call);
            this.scope = scope;
            this.remainingMillis = remainingMillis;
            this.method = method;
        }

        @Override
        public void start(Listener<R> listener, Metadata headers) {
            OutgoingCall call = OutgoingCall.begin(scope, method, remainingMillis);
            outgoing = call;
            try {
                headers.discardAll(TrothMetadata.CONTEXT);
                headers.put(TrothMetadata.CONTEXT, call.header());
                super.start(new ReplyListener<>(listener, call), headers);
            } catch (RuntimeException | Error e) {
                call.failed("could not be started: " + e.getMessage());
                throw e;
            }
        }

        /** A reply may be on its way to the caller, who has given it up: its list must not count any more. */
        @Override
        public void cancel(@Nullable String message, @Nullable Throwable cause) {
            OutgoingCall call = outgoing;
            if (call != null) {
                call.failed("was cancelled by its caller" + (message == null ? "" : ": " + message));
            }
            super.cancel(message, cause);
        }
    }

    private static final class ReplyListener<R> extends SimpleForwardingClientCallListener<R> {

        private final OutgoingCall call;

        ReplyListener(ClientCall.Listener<R> listener, OutgoingCall call) {
            super(listener);
            this.call = call;
        }

        /** The list counts before the application hears of the reply: it may commit at once. */
        @Override
        public void onClose(Status status, Metadata trailers) {
            BranchList list = TrothMetadata.branches(trailers);
            if (list == null) {
                call.failed(
                        "ended with " + TrothStatus.textOf(status.asRuntimeException()) + " and without a branch list");
            } else {
                call.replied(list, trailers.get(TrothMetadata.REASON));
            }
            super.onClose(status, trailers);
        }
    }
}
