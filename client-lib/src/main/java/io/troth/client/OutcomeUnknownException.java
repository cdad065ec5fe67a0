package io.troth.client;

import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import org.jspecify.annotations.Nullable;

/**
 * Commit was asked for and no certain answer came: the transaction may be committed or rolled back. Do not run the work
 * again before {@link TrothClient#outcome(OutcomeToken)} has told which.
 */
public final class OutcomeUnknownException extends TrothException {

    /** Null in an exception that was serialized. */
    private final transient @Nullable OutcomeToken token;

    private final String text;

    OutcomeUnknownException(OutcomeToken token, Reason reason) {
        super(reason);
        this.token = token;
        this.text = token.toString();
    }

    /** The transaction. */
    public GlobalTxId tx() {
        return token().tx();
    }

    /** What a certain question needs. */
    public OutcomeToken token() {
        OutcomeToken known = token;
        return known == null ? OutcomeToken.parse(text) : known;
    }

    @Override
    public String getMessage() {
        return "the outcome of transaction " + tx() + " is not known: " + super.getMessage();
    }
}
