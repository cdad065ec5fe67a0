package io.troth.agent.server;

import io.troth.agent.config.AgentConfig;
import io.troth.agent.config.AgentKey;
import io.troth.agent.config.ConfigRefusedException;
import io.troth.agent.engine.StepListener;
import io.troth.core.TrothException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * An agent as a process: prints one line when it runs, stops in order at SIGTERM and SIGINT, and ends with the exit code
 * that docs/OPERATIONS.md promises. Used once in a process.
 */
public final class AgentProcess {

    private static final int EXIT_STOPPED = 0;
    private static final int EXIT_FAILED = 1;
    private static final int EXIT_VIOLATED = 70;

    private AgentProcess() {}

    /**
     * Runs until the end of the process, which it brings about itself.
     *
     * @param steps hears of crash points; {@link StepListener#NONE} in production
     * @return only when it cannot start: the code to exit with; the reason was printed
     */
    public static int run(AgentConfig config, StepListener steps, PrintStream out, PrintStream err) {
        AtomicReference<@Nullable AgentServer> running = new AtomicReference<>();
        AtomicBoolean refused = new AtomicBoolean();
        Runtime.getRuntime()
                .addShutdownHook(new Thread(() -> stop(config, running.get(), refused.get(), out), "troth-stop"));
        AgentServer server;
        try {
            server = AgentServer.start(config, steps);
        } catch (TrothException | IllegalArgumentException | UncheckedIOException | ConfigRefusedException e) {
            refused.set(true);
            err.println("troth agent: " + e.getMessage());
            return EXIT_FAILED;
        } catch (RuntimeException | Error e) {
            refused.set(true);
            throw e;
        }
        running.set(server);
        out.println(server.readyLine());
        out.flush();
        RuntimeException cause = server.failure().toCompletableFuture().join();
        err.println("troth agent: stopped by itself: " + cause);
        err.flush();
        // An orderly exit could hang in the very thing that has failed.
        Runtime.getRuntime().halt(EXIT_VIOLATED);
        return EXIT_VIOLATED;
    }

    private static void stop(AgentConfig config, @Nullable AgentServer server, boolean startRefused, PrintStream out) {
        if (startRefused) {
            // Not a signal: the caller ends the process with a code of its own.
            return;
        }
        if (server != null) {
            long limit = config.get(AgentKey.SHUTDOWN_DRAIN_LIMIT).toMillis();
            out.println("STOPPING: no new transactions; waiting up to " + limit + " ms for the running ones");
            out.flush();
            server.close();
            out.println("STOPPED");
        }
        out.flush();
        // The code says that all went as asked, which the JVM would not after a signal.
        Runtime.getRuntime().halt(EXIT_STOPPED);
    }
}
