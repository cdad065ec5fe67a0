package io.troth.chaos.explore;

/** What may go wrong with one thing that a database was asked for. */
enum Fault {
    NONE("answers"),
    /** It says no, and nothing is left of the branch. */
    REFUSES("refuses"),
    /** The connection breaks before it happens: it never does. */
    LOST_BEFORE("loses the request of"),
    /** It happens, and the answer is lost. */
    LOST_AFTER("does, and loses the answer to,"),
    /** The connection breaks and it is not known yet whether it happens: later, or never. */
    LOST_OPEN("leaves open"),
    /** It says that it has prepared the branch, and has not: no promise of ours holds then, and the checks must see it. */
    LIES("lies about");

    private static final Fault[] ALL = values();

    final String words;

    Fault(String words) {
        this.words = words;
    }

    static Fault of(int number) {
        return ALL[number];
    }
}
