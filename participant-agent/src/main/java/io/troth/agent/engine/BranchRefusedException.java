package io.troth.agent.engine;

import io.troth.core.Reason;

/** A branch takes no work: the reason says why, its code carries the SQLState for the caller. Nothing has happened. */
public final class BranchRefusedException extends Exception {

    private static final long serialVersionUID = 1L;

    private final transient Reason reason;

    public BranchRefusedException(Reason reason) {
        super(reason.toString());
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
