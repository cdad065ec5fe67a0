package io.troth.chaos.process;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * The child's end of its standard input: every line is a command of the parent, and the end of input means that the
 * parent is gone, however it ended. The child then halts at once, so that nothing is ever left running.
 */
public final class Lifeline {

    /** Exit code of a child whose parent is gone. */
    public static final int EXIT_PARENT_GONE = 75;

    private Lifeline() {}

    /**
     * Starts to listen, on a daemon thread of its own.
     *
     * @param commands called with each line, on that thread
     */
    public static void attach(Consumer<String> commands) {
        Thread thread = new Thread(() -> listen(commands), "lifeline");
        thread.setDaemon(true);
        thread.start();
    }

    private static void listen(Consumer<String> commands) {
        try {
            BufferedReader reader = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            String line = reader.readLine();
            while (line != null) {
                commands.accept(line.strip());
                line = reader.readLine();
            }
        } catch (IOException e) {
            // A broken pipe says the same as its end.
            System.err.println("lost the parent: " + e.getMessage());
        }
        Runtime.getRuntime().halt(EXIT_PARENT_GONE);
    }
}
