package io.troth.core;

/** An invariant does not hold: the engine must stop the process and keep its files. Never caught to go on. */
public final class ProtocolViolation extends IllegalStateException {

    private static final long serialVersionUID = 1L;

    private final Invariant invariant;

    public ProtocolViolation(Invariant invariant, String detail) {
        super(invariant.name() + ": " + detail);
        this.invariant = invariant;
    }

    /** The one that is broken. */
    public Invariant invariant() {
        return invariant;
    }
}
