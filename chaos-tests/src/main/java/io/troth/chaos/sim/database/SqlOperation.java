package io.troth.chaos.sim.database;

import io.troth.chaos.sim.check.Step;

/**
 * One statement of an application, on one row. A row that was never written is an empty list.
 *
 * @param call the number of the call under which it runs
 * @param scope tells one execution of the call from another
 * @param kind what it does
 * @param key the row
 * @param argument the number to add or to append
 */
public record SqlOperation(long call, long scope, Kind kind, String key, long argument) {

    /** What a statement does. */
    public enum Kind {
        /** Sees the last committed state, or the branch's own; takes no lock. */
        READ,
        /** Sees the same, and keeps others from changing the row until the branch ends. */
        READ_LOCKED,
        /** Adds to the only number of the row; refused by the database when it would become negative. */
        ADD,
        /** Appends to the row. */
        APPEND
    }

    public static SqlOperation read(long call, String key) {
        return new SqlOperation(call, call, Kind.READ, key, 0);
    }

    public static SqlOperation readLocked(long call, String key) {
        return new SqlOperation(call, call, Kind.READ_LOCKED, key, 0);
    }

    public static SqlOperation add(long call, String key, long delta) {
        return new SqlOperation(call, call, Kind.ADD, key, delta);
    }

    /** The same in the execution of a call. */
    public SqlOperation under(long number, long execution) {
        return new SqlOperation(number, execution, kind, key, argument);
    }

    public boolean writes() {
        return kind == Kind.ADD || kind == Kind.APPEND;
    }

    Step.Kind step() {
        return switch (kind) {
            case ADD -> Step.Kind.ADD;
            case APPEND -> Step.Kind.APPEND;
            case READ_LOCKED -> Step.Kind.READ_LOCKED;
            case READ -> Step.Kind.READ;
        };
    }
}
