package io.troth.chaos.demo;

/** What the demo of a cluster does to its members, in this order. */
enum Fault {
    KILL(
            "kill",
            "The leader is killed.",
            "kill -9, as when its machine loses power. Transactions that were running have lost the only one that may decide"
                    + " them. Another member leads as soon as the others have not heard of the dead one for a while."),
    PARTITION(
            "partition",
            "The leader is cut off from the others.",
            "Clients and agents still reach it, but it has no majority any more: it may decide nothing, and has to say so."
                    + " What it had written to its log without the others is not a decision."),
    PAUSE(
            "pause",
            "The leader stands still.",
            "SIGSTOP, as in a long pause of a virtual machine. When it goes on (SIGCONT) it still takes itself for the"
                    + " leader, for a moment."),
    ROLLING_RESTART(
            "rolling restart",
            "All members are restarted, one after the other.",
            "SIGTERM, as in an upgrade. A leader that is told to stop lets the running transactions end, makes clients wait to"
                    + " begin new ones, and hands over: nobody is refused anything.");

    private final String text;
    private final String title;
    private final String situation;

    Fault(String text, String title, String situation) {
        this.text = text;
        this.title = title;
        this.situation = situation;
    }

    /** In tables and names of checks. */
    String text() {
        return text;
    }

    String title() {
        return title;
    }

    String situation() {
        return situation;
    }
}
