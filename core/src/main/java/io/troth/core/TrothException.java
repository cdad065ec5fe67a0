package io.troth.core;

/**
 * What Troth throws at its edges: always with a code out of the closed catalogue. It never says more than is certain: a
 * code for which {@link ErrorCode#retryable()} holds means that nothing of the work is left.
 */
public class TrothException extends RuntimeException {

    private final transient Reason reason;

    public TrothException(Reason reason) {
        super(reason.toString());
        this.reason = reason;
    }

    public TrothException(Reason reason, Throwable cause) {
        super(reason.toString(), cause);
        this.reason = reason;
    }

    /** The code and a sentence for people. */
    public final Reason reason() {
        return reason;
    }

    /** The stable code. */
    public final ErrorCode code() {
        return reason.code();
    }
}
