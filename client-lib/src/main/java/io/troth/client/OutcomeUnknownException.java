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
    private final String name;

    OutcomeUnknownException(OutcomeToken token, String name, Reason reason) {
        super(reason);
        this.token = token;
        this.text = token.toString();
        this.name = name;
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
        return "the outcome of " + RolledBackException.called(name, tx().toString()) + " is not known: "
                + super.getMessage();
    }
}
