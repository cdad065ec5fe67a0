package io.troth.client.grpc;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.troth.client.context.CallScope;
import io.troth.client.context.NanoClock;
import io.troth.core.BranchList;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TransactionContext;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs a served call under the transaction that came with it, and sends back what was done (protocol 5). The scope is
 * closed before the trailers leave: nested calls that have not returned make T rollback-only, and what the call left
 * behind on other threads is refused. An error reply makes T rollback-only, unless its status is exempt. One whose cause
 * ({@code Status.withCause}, or what the service threw) says that the work is worth another try tells the caller so.
 *
 * <p>Installed once a server, as the outermost interceptor that may end a call; only one that finds out who calls stands
 * better before it, so that nobody else's calls are remembered. Thread-safe.
 */
public final class TrothServerInterceptor implements ServerInterceptor {

    /**
     * The most calls that are remembered against being served twice, each until its transaction's time is over: with
     * timeouts of a minute 3,333 calls a second. They take some 35 MB then.
     */
    public static final int SERVED_CALLS_MAX = 200_000;

    private static final Logger LOG = LoggerFactory.getLogger(TrothServerInterceptor.class);
    private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Set<Status.Code> exempt;
    private final NanoClock clock;
    private final Predicate<TransactionContext> known;
    private final ServedCalls served;
    private final int servedCallsMax;
    private final AtomicLong quietUntilNanos;

    /** Every error reply makes T rollback-only. */
    public TrothServerInterceptor() {
        this(Set.of());
    }

    /**
     * Some errors leave T free to commit: those by which the service says that it has done nothing, such as NOT_FOUND.
     *
     * @param exempt statuses that do not make T rollback-only
     */
    public TrothServerInterceptor(Set<Status.Code> exempt) {
        this(exempt, SERVED_CALLS_MAX);
    }

    /**
     * The same, with another bound.
     *
     * @param servedCallsMax instead of {@link #SERVED_CALLS_MAX}; beyond it calls are refused as OVERLOADED
     * @throws IllegalArgumentException when it is not positive
     */
    public TrothServerInterceptor(Set<Status.Code> exempt, int servedCallsMax) {
        this(exempt, servedCallsMax, context -> true);
    }

    /**
     * The same for a service that can tell whether there may be such a transaction; {@code TrothAgent.knows} does. The
     * header alone is anybody's word: calls of which nothing else is known take a tenth of what is remembered at most.
     *
     * @param known called with every call, on its thread; must be quick
     */
    public TrothServerInterceptor(Set<Status.Code> exempt, int servedCallsMax, Predicate<TransactionContext> known) {
        this(exempt, servedCallsMax, known, NanoClock.SYSTEM);
    }

    TrothServerInterceptor(
            Set<Status.Code> exempt, int servedCallsMax, Predicate<TransactionContext> known, NanoClock clock) {
        if (servedCallsMax < 1) {
            throw new IllegalArgumentException("at least 1 call must be remembered, not " + servedCallsMax);
        }
        this.exempt = Set.copyOf(exempt);
        this.clock = clock;
        this.known = known;
        this.servedCallsMax = servedCallsMax;
        this.quietUntilNanos = new AtomicLong(clock.nanos());
        this.served = new ServedCalls(servedCallsMax, clock);
    }

    /** How many calls are remembered now. */
    public int servedCalls() {
        return served.size();
    }

    /** The most calls that are remembered; with so many, others are refused as OVERLOADED. */
    public int servedCallsMax() {
        return servedCallsMax;
    }

    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
        List<String> values = TrothMetadata.all(headers, TrothMetadata.CONTEXT);
        if (values.isEmpty()) {
            return next.startCall(call, headers);
        }
        TransactionContext context;
        try {
            if (values.size() > 1) {
                throw new IllegalArgumentException(TransactionContext.HEADER + " stands there twice");
            }
            context = TransactionContext.parse(values.get(0));
        } catch (IllegalArgumentException e) {
            return refuse(call, new Reason(ErrorCode.INVALID_ARGUMENT, String.valueOf(e.getMessage())));
        }
        Reason refusal = refusal(context);
        if (refusal != null) {
            return refuse(call, refusal);
        }
        CallScope scope = new CallScope(context, clock);
        ReplyUnderTransaction<Q, R> reply = new ReplyUnderTransaction<>(call, scope, exempt);
        Context bound = scope.bind(Context.current());
        try {
            return new ServedListener<>(Contexts.interceptCall(bound, reply, headers, next), reply, scope);
        } catch (RuntimeException | Error e) {
            reply.closeAfter(e);
            throw e;
        }
    }

    private @Nullable Reason refusal(TransactionContext context) {
        if (context.remainingMillis() == 0) {
            return new Reason(ErrorCode.DEADLINE_EXCEEDED, "the time of " + context.tx() + " is over");
        }
        boolean stranger = !known.test(context);
        return switch (served.admit(context.tx(), context.call(), context.remainingMillis(), stranger)) {
            case NEW -> null;
            case DUPLICATE ->
                new Reason(
                        ErrorCode.DUPLICATE_CALL,
                        "call " + context.call() + " of " + context.tx() + " was served before");
            case FULL ->
                full(servedCallsMax
                        + " calls under transactions are remembered, each until its transaction's time is over");
            case FULL_OF_STRANGERS ->
                full(served.strangersMax()
                        + " calls are remembered of transactions that nobody but their callers has told of here");
        };
    }

    /** The service does not hear of the call; whoever runs it has to know. One line a second. */
    private Reason full(String detail) {
        Reason reason = new Reason(ErrorCode.OVERLOADED, detail);
        long now = clock.nanos();
        long quietUntil = quietUntilNanos.get();
        if (now - quietUntil >= 0 && quietUntilNanos.compareAndSet(quietUntil, now + QUIET_NANOS)) {
            LOG.warn("calls are refused, {}; see docs/OPERATIONS.md, \"Under load\"", reason);
        }
        return reason;
    }

    private static <Q, R> ServerCall.Listener<Q> refuse(ServerCall<Q, R> call, Reason reason) {
        Metadata trailers = new Metadata();
        // Nothing was done here; but the caller counted on it, and a duplicate means that something else was.
        TrothMetadata.put(trailers, new BranchList(true, List.of()));
        TrothMetadata.put(trailers, reason);
        call.close(TrothStatus.status(reason), trailers);
        return new ServerCall.Listener<>() {};
    }

    /** The reply: closes the scope and says what was done. */
    private static final class ReplyUnderTransaction<Q, R> extends SimpleForwardingServerCall<Q, R> {

        private final CallScope scope;
        private final Set<Status.Code> exempt;
        private final AtomicBoolean closed = new AtomicBoolean();

        ReplyUnderTransaction(ServerCall<Q, R> call, CallScope scope, Set<Status.Code> exempt) {
            super(call);
            this.scope = scope;
            this.exempt = exempt;
        }

        @Override
        public void close(Status status, Metadata trailers) {
            if (closed.compareAndSet(false, true)) {
                if (!status.isOk() && !exempt.contains(status.getCode())) {
                    scope.setFailed(status.getCode().toString(), status.getCause());
                }
                TrothMetadata.put(trailers, scope.close());
                ErrorCode worthIt = scope.retryableCode();
                if (worthIt != null && !trailers.containsKey(TrothMetadata.REASON)) {
                    TrothMetadata.put(trailers, Reason.of(worthIt));
                }
            }
            super.close(status, trailers);
        }

        /** The service threw: gRPC would answer without the list. */
        void closeAfter(Throwable cause) {
            if (!closed.get()) {
                close(
                        Status.UNKNOWN
                                .withDescription("Application error processing RPC")
                                .withCause(cause),
                        new Metadata());
            }
        }
    }

    /** Sees the call's end also when no reply leaves, and the exceptions of the service. */
    private static final class ServedListener<Q, R> extends SimpleForwardingServerCallListener<Q> {

        private final ReplyUnderTransaction<Q, R> reply;
        private final CallScope scope;

        ServedListener(ServerCall.Listener<Q> listener, ReplyUnderTransaction<Q, R> reply, CallScope scope) {
            super(listener);
            this.reply = reply;
            this.scope = scope;
        }

        @Override
        public void onMessage(Q message) {
            guarded(() -> super.onMessage(message));
        }

        @Override
        public void onHalfClose() {
            guarded(super::onHalfClose);
        }

        @Override
        public void onReady() {
            guarded(super::onReady);
        }

        @Override
        public void onCancel() {
            // Nobody hears the reply any more: the work must not go on.
            scope.setRollbackOnly(new Reason(ErrorCode.ROLLBACK_ONLY, "the caller gave up call " + scope.call()));
            try {
                super.onCancel();
            } finally {
                var unused = scope.close();
            }
        }

        private void guarded(Runnable event) {
            try {
                event.run();
            } catch (RuntimeException | Error e) {
                reply.closeAfter(e);
                throw e;
            }
        }
    }
}
