package io.troth.coordinator.server;

import io.troth.coordinator.config.ConfigKey;
import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.engine.StepListener;
import io.troth.core.ProtocolViolation;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A coordinator as a process: prints one line when it is ready, stops in order at SIGTERM and SIGINT, and ends with the
 * exit code that docs/OPERATIONS.md promises. Used once in a process.
 */
public final class CoordinatorProcess {

    private static final int EXIT_STOPPED = 0;
    private static final int EXIT_FAILED = 1;
    private static final int EXIT_VIOLATED = 70;

    private final CoordinatorConfig config;
    private final PrintWriter out;
    private final PrintWriter err;
    private final AtomicReference<@Nullable RunningCoordinator> running = new AtomicReference<>();

    private volatile boolean startRefused;

    private CoordinatorProcess(CoordinatorConfig config, PrintWriter out, PrintWriter err) {
        this.config = config;
        this.out = out;
        this.err = err;
    }

    /**
     * Runs until the end of the process, which it brings about itself.
     *
     * @param steps hears of crash points; {@link StepListener#NONE} in production
     * @throws io.troth.coordinator.log.LogRefusedException when the data directory is not to be used
     * @throws StartFailedException when it cannot start for another reason; the message says what to do
     */
    public static void run(CoordinatorConfig config, StepListener steps, PrintWriter out, PrintWriter err) {
        new CoordinatorProcess(config, out, err).run(steps);
    }

    private void run(StepListener steps) {
        Runtime.getRuntime()
                .addShutdownHook(ProcessEnvironment.lastingThread("troth-stop").newThread(this::stopInOrder));
        boolean refused = true;
        try {
            RunningCoordinator server = config.member() == null
                    ? CoordinatorServer.start(config, steps)
                    : MemberServer.start(config, steps, out::println);
            refused = false;
            running.set(server);
            out.println(server.startedLine());
            Ending ending = server.awaitTermination();
            if (ending.cause() != Ending.Cause.STOPPED) {
                halt(ending);
            }
        } catch (ProtocolViolation e) {
            halt(new Ending(Ending.Cause.VIOLATED, EngineWatch.violated(e, config.get(ConfigKey.DATA_DIRECTORY))));
        } finally {
            startRefused = refused;
        }
    }

    private void stopInOrder() {
        if (startRefused) {
            // Not a signal: the caller ends the process with a code of its own.
            return;
        }
        RunningCoordinator server = running.get();
        // While it is starting nothing runs that would have to end, and a crash there does no harm.
        if (server != null) {
            Duration limit = Duration.ofMillis(config.get(ConfigKey.SHUTDOWN_DRAIN_LIMIT));
            out.println(
                    "STOPPING: no new transactions; waiting up to " + limit.toMillis() + " ms for the running ones");
            boolean drained = server.stop(limit);
            Ending ending = server.awaitTermination();
            if (ending.cause() != Ending.Cause.STOPPED) {
                halt(ending);
            }
            out.println(drained ? "STOPPED" : "STOPPED with transactions running; the next start finishes them");
        }
        exit(EXIT_STOPPED);
    }

    /** An orderly exit could hang in the very thing that has failed. */
    private void halt(Ending ending) {
        err.println("troth: " + ending.message());
        exit(ending.cause() == Ending.Cause.VIOLATED ? EXIT_VIOLATED : EXIT_FAILED);
    }

    private void exit(int code) {
        out.flush();
        err.flush();
        Runtime.getRuntime().halt(code);
    }
}
