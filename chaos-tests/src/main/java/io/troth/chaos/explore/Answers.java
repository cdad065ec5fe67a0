package io.troth.chaos.explore;

import io.troth.core.Outcome;

/** What clients have been told about each transaction, as bits: answers are never taken back. */
final class Answers {

    static final int COMMITTED = 1;
    static final int ROLLED_BACK = 2;
    static final int READ_ONLY = 4;
    static final int UNKNOWN = 8;
    static final int FORGOTTEN = 16;
    private static final int WIDTH = 5;
    private static final int ALL = (1 << WIDTH) - 1;

    private Answers() {}

    /** PENDING and NOT_LEADER tell nothing. */
    static int bits(int tx, Outcome outcome) {
        int bit = switch (outcome) {
            case COMMITTED -> COMMITTED;
            case ROLLED_BACK -> ROLLED_BACK;
            case READ_ONLY -> READ_ONLY;
            case UNKNOWN -> UNKNOWN;
            case FORGOTTEN -> FORGOTTEN;
            case PENDING, NOT_LEADER -> 0;
        };
        return bit << (WIDTH * tx);
    }

    static int of(int answers, int tx) {
        return (answers >>> (WIDTH * tx)) & ALL;
    }
}
