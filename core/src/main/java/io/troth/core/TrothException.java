package io.troth.core;

/**
 * What Troth throws at its edges: always with a code out of the closed catalogue. It never says more than is certain: a
 * code for which {@link ErrorCode#retryable()} holds means that nothing of the work is left.
 */
public class TrothException extends RuntimeException {

    // Not the reason itself, which is not serializable, as an exception is.
    private final ErrorCode code;
    private final String detail;

    public TrothException(Reason reason) {
        super(reason.toString());
        this.code = reason.code();
        this.detail = reason.detail();
    }

    public TrothException(Reason reason, Throwable cause) {
        super(reason.toString(), cause);
        this.code = reason.code();
        this.detail = reason.detail();
    }

    /** The code and a sentence for people. */
    public final Reason reason() {
        return new Reason(code, detail);
    }

    /** The stable code. */
    public final ErrorCode code() {
        return code;
    }
}
