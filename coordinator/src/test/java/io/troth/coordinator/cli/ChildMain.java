package io.troth.coordinator.cli;

import java.io.IOException;

/**
 * The commands of {@link CoordinatorMain} in a child of a test. Nothing is ever written to its standard input: the end of
 * it says that the parent is gone, however it ended, and the child halts at once, so that nothing is left running.
 */
final class ChildMain {

    /** Exit code of a child whose parent is gone. */
    static final int EXIT_PARENT_GONE = 75;

    private ChildMain() {}

    public static void main(String[] arguments) {
        Thread lifeline = new Thread(ChildMain::awaitEnd, "lifeline");
        lifeline.setDaemon(true);
        lifeline.start();
        CoordinatorMain.main(arguments);
    }

    private static void awaitEnd() {
        try {
            System.in.readAllBytes();
        } catch (IOException e) {
            // A broken pipe says the same as its end.
            System.err.println("lost the parent: " + e.getMessage());
        }
        Runtime.getRuntime().halt(EXIT_PARENT_GONE);
    }
}
