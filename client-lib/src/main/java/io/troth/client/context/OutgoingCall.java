package io.troth.client.context;

import io.troth.core.BranchList;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TransactionContext;
import io.troth.core.TrothException;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * A call of another service under the current transaction (protocol 5), over whatever carries headers, such as HTTP; over
 * gRPC {@code TrothClientInterceptor} does the same. The request carries {@link #header()}, and the reply the branch list
 * that {@link ServedCall#end()} gave the service:
 *
 * <pre>{@code
 * try (OutgoingCall call = OutgoingCall.begin("POST /stock").orElseThrow()) {
 *     request.header(OutgoingCall.HEADER, call.header());
 *     Response response = send(request);
 *     call.replied(response.header(OutgoingCall.REPLY_HEADER), response.header(OutgoingCall.REASON_HEADER));
 * }
 * }</pre>
 *
 * <p>The transaction becomes rollback-only when no readable list comes. A call must not be made twice under one header: no
 * retry by the HTTP client or a proxy. The header is for services of the transaction only; who has it may work under it.
 * Thread-safe: a reply may come on any thread.
 */
public final class OutgoingCall implements AutoCloseable {

    /** The name of the request's header. */
    public static final String HEADER = TransactionContext.HEADER;

    /** The name of the reply's header; its value has at most {@link BranchList#LENGTH_MAX} characters. */
    public static final String REPLY_HEADER = BranchList.TRAILER;

    /** The name of the reply's header that says why the transaction is worth another try, where a reply has it. */
    public static final String REASON_HEADER = "troth-reason";

    private final CallScope scope;
    private final String what;
    private final TransactionContext context;
    private final AtomicBoolean over = new AtomicBoolean();

    private OutgoingCall(CallScope scope, String what, TransactionContext context) {
        this.scope = scope;
        this.what = what;
        this.context = context;
    }

    /**
     * Begins a call under the transaction of this thread. Commit waits until it has ended: {@link #close()} must follow.
     *
     * @param what the called one, for messages
     * @return empty outside every transaction: then there is no header to send
     * @throws TrothException SCOPE_CLOSED when the transaction or the served call has ended, DEADLINE_EXCEEDED when its time is
     *     over
     */
    public static Optional<OutgoingCall> begin(String what) {
        CallScope scope = CallScope.current();
        return scope == null ? Optional.empty() : Optional.of(begin(scope, what, scope.remainingMillis()));
    }

    /** The same under a scope, when so much of its time is left. */
    public static OutgoingCall begin(CallScope scope, String what, long remainingMillis) {
        scope.enter();
        if (remainingMillis == 0) {
            Reason reason = new Reason(ErrorCode.DEADLINE_EXCEEDED, "the time of " + scope.tx() + " is over");
            scope.setRollbackOnly(reason);
            scope.exit();
            throw new TrothException(reason);
        }
        scope.share();
        long number = ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE);
        return new OutgoingCall(
                scope, what, new TransactionContext(scope.cluster(), scope.tx(), scope.key(), number, remainingMillis));
    }

    /** The value of the request's header. */
    public String header() {
        return context.encode();
    }

    /** How long the caller should wait for the reply at most: what was left of the transaction's time at the begin. */
    public long remainingMillis() {
        return context.remainingMillis();
    }

    /** As {@link #replied(String, String)}, for a service that says nothing about another try. */
    public void replied(@Nullable String header) {
        replied(header, null);
    }

    /**
     * The reply has come; also one that tells of an error.
     *
     * @param header the value of its {@link #REPLY_HEADER}; null when it has none
     * @param reason the value of its {@link #REASON_HEADER}; null when it has none. With one that is known to be worth it
     *     {@code inTransaction} runs its body again where {@code withRetries} lets it
     */
    public void replied(@Nullable String header, @Nullable String reason) {
        if (header == null) {
            failed("was answered without a branch list");
            return;
        }
        BranchList list;
        try {
            list = BranchList.parse(header);
        } catch (IllegalArgumentException | ArithmeticException e) {
            failed("was answered with a branch list that cannot be read: " + e.getMessage());
            return;
        }
        replied(list, reason);
    }

    /** The same, with the list that the reply had. Only the first end of a call counts. */
    public void replied(BranchList list) {
        replied(list, null);
    }

    /** The same, with both. */
    public void replied(BranchList list, @Nullable String reason) {
        if (over.compareAndSet(false, true)) {
            scope.addReply(list, reason);
            scope.exit();
        }
    }

    /** There is no list, and never will be: the transaction is rollback-only. Only the first end of a call counts. */
    public void failed(String why) {
        if (over.compareAndSet(false, true)) {
            scope.setRollbackOnly(new Reason(ErrorCode.ROLLBACK_ONLY, "call " + what + " " + why));
            scope.exit();
        }
    }

    /** Ends a call that had no reply, as {@link #failed(String)} does; else does nothing. */
    @Override
    public void close() {
        failed("had no reply");
    }
}
