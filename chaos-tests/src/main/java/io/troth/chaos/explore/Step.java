package io.troth.chaos.explore;

/** What can happen in a world, packed into an int, because millions of them are kept for the traces. */
final class Step {

    static final int LOG_ADVANCES = 0;
    static final int LOG_PROPOSES_AGAIN = 1;
    static final int LOG_IS_RESTORED = 2;
    /** {@code input}: the bits of the entries that are kept. */
    static final int ELECTION = 3;
    /** {@code actor}: the epoch. */
    static final int LEADER = 4;

    static final int AGENT = 5;
    /** {@code actor}: the agent who asked. */
    static final int DATABASE_ANSWERS = 6;
    /** {@code actor}: the resource. */
    static final int DATABASE_SETTLES = 7;
    /** {@code actor}: the transaction. */
    static final int CLIENT = 8;

    private static final int INPUT_BITS = 20;
    private static final int INPUTS_MAX = 1 << INPUT_BITS;

    private Step() {}

    static int of(int kind, int actor, int input) {
        return of(kind, actor, 0, input);
    }

    static int of(int kind, int actor, int fault, int input) {
        if (input >= INPUTS_MAX) {
            throw new IllegalStateException("more than " + INPUTS_MAX + " different inputs do not fit into a step");
        }
        return ((kind << 3 | actor) << 3 | fault) << INPUT_BITS | input;
    }

    static int kind(int step) {
        return step >>> (INPUT_BITS + 6);
    }

    static int actor(int step) {
        return step >>> (INPUT_BITS + 3) & 7;
    }

    static int fault(int step) {
        return step >>> INPUT_BITS & 7;
    }

    static int input(int step) {
        return step & (INPUTS_MAX - 1);
    }
}
