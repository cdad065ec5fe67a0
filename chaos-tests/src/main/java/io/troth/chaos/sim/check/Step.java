package io.troth.chaos.sim.check;

import java.util.List;

/**
 * What one statement did to one row. A row is a list of numbers: a balance is a list of one number, a log is a list.
 *
 * @param kind what it did
 * @param key the row
 * @param argument the number added or appended; 0 for a read
 * @param seen the row as the statement left or found it
 */
public record Step(Kind kind, String key, long argument, List<Long> seen) {

    /** What a statement does. */
    public enum Kind {
        READ,
        /** A read after which nobody else may change the row until the branch ends. */
        READ_LOCKED,
        ADD,
        APPEND
    }

    public Step {
        seen = List.copyOf(seen);
    }

    /** Whether it changes the row. */
    public boolean writes() {
        return kind == Kind.ADD || kind == Kind.APPEND;
    }
}
