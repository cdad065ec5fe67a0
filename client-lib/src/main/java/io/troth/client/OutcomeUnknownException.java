package io.troth.client;

import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import io.troth.core.TrothException;

/**
 * Commit was asked for and no certain answer came: the transaction may be committed or rolled back. Do not run the work
 * again before {@link TrothClient#outcome(OutcomeToken)} has told which.
 */
public final class OutcomeUnknownException extends TrothException {

    private final transient OutcomeToken token;

    OutcomeUnknownException(OutcomeToken token, Reason reason) {
        super(reason);
        this.token = token;
    }

    /** The transaction. */
    public GlobalTxId tx() {
        return token.tx();
    }

    /** What a certain question needs. */
    public OutcomeToken token() {
        return token;
    }

    @Override
    public String getMessage() {
        return "the outcome of transaction " + token.tx() + " is not known: " + super.getMessage();
    }
}
