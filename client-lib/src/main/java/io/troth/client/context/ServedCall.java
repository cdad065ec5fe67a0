package io.troth.client.context;

import io.troth.core.BranchList;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TransactionContext;
import io.troth.core.TrothException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A call that this service serves under a transaction (protocol 5), over whatever carries headers, such as HTTP; over gRPC
 * {@code TrothServerInterceptor} does the same. What the thread does until {@link #close()} is done under the transaction:
 *
 * <pre>{@code
 * try (ServedCall call = ServedCall.begin(request.header(OutgoingCall.HEADER))) {
 *     Response response = serve(request);
 *     if (response.status() >= 400) {
 *         call.failed("status " + response.status());
 *     }
 *     response.header(OutgoingCall.REPLY_HEADER, call.end());
 *     call.reason().ifPresent(reason -> response.header(OutgoingCall.REASON_HEADER, reason));
 *     send(response);
 * }
 * }</pre>
 *
 * <p>The list counts the work of the call, so the reply must not leave before {@link #end()}. One that leaves without the
 * list makes the transaction rollback-only at the caller. One thread begins and closes it.
 */
public final class ServedCall implements AutoCloseable {

    private final CallScope scope;
    private final CallScope.Binding binding;

    private ServedCall(CallScope scope) {
        this.scope = scope;
        this.binding = scope.attach();
    }

    /**
     * Begins to serve; the transaction is the current one of this thread then.
     *
     * @param header the value of the request's header; a request that has none is outside every transaction, and to be
     *     served without this
     * @throws TrothException INVALID_ARGUMENT when it is none, DEADLINE_EXCEEDED when the transaction's time is over: answer
     *     with an error and without a list
     */
    public static ServedCall begin(@Nullable String header) {
        return begin(header, NanoClock.SYSTEM);
    }

    static ServedCall begin(@Nullable String header, NanoClock clock) {
        if (header == null) {
            throw new TrothException(new Reason(
                    ErrorCode.INVALID_ARGUMENT,
                    "no " + OutgoingCall.HEADER + ": the request is outside every transaction"));
        }
        TransactionContext context;
        try {
            context = TransactionContext.parse(header);
        } catch (IllegalArgumentException e) {
            throw new TrothException(new Reason(ErrorCode.INVALID_ARGUMENT, String.valueOf(e.getMessage())), e);
        }
        if (context.remainingMillis() == 0) {
            throw new TrothException(
                    new Reason(ErrorCode.DEADLINE_EXCEEDED, "the time of " + context.tx() + " is over"));
        }
        return new ServedCall(new CallScope(context, clock));
    }

    /** The reply tells of an error, so the transaction is rollback-only, unless the service has done nothing (5.5). */
    public void failed(String why) {
        scope.setFailed(why, null);
    }

    /**
     * The same, by an exception. What it says about another try reaches the caller by {@link #reason()}, so that it runs the
     * transaction again after a deadlock, for one, where its options say so.
     */
    public void failed(Throwable cause) {
        scope.setFailed(cause.toString(), cause);
    }

    /**
     * Ends the work: what starts under the call from now on is refused, and what still runs makes the transaction
     * rollback-only.
     *
     * @return the value of the reply's header
     */
    public String end() {
        return scope.close().encode();
    }

    /**
     * Why the transaction is worth another try: the value of the reply's header {@link OutgoingCall#REASON_HEADER}.
     *
     * @return empty for a reply that needs no such header
     */
    public Optional<String> reason() {
        return Optional.ofNullable(scope.retryableCode()).map(ErrorCode::name);
    }

    /** Ends the work, if nobody has, and unbinds the thread. */
    @Override
    public void close() {
        binding.close();
        BranchList unused = scope.close();
    }
}
