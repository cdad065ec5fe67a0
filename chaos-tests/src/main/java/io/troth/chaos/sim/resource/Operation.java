package io.troth.chaos.sim.resource;

/**
 * One statement of a service, on one row. A row that was never written is an empty list of numbers.
 *
 * @param call the number of the call under which it runs
 * @param scope tells one execution of a call from another
 * @param kind what it does
 * @param key the row
 * @param argument the number to add or to append
 */
public record Operation(long call, long scope, Kind kind, String key, long argument) {

    /** What a statement does. */
    public enum Kind {
        READ,
        /** Reads, and keeps others from changing the row. */
        READ_LOCKED,
        /** Adds to the only number of the row. */
        ADD,
        /** Appends to the row. */
        APPEND
    }

    public boolean writes() {
        return kind == Kind.ADD || kind == Kind.APPEND;
    }

    /** The same in the execution of a call. */
    public Operation under(long number, long execution) {
        return new Operation(number, execution, kind, key, argument);
    }
}
