package io.troth.coordinator.server;

import io.troth.coordinator.engine.EngineListener;
import io.troth.coordinator.engine.LeadershipLostException;
import io.troth.core.ProtocolViolation;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.Notice;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Waits for two moments of an engine: that it is ready, and that it has to end. Told by the engine thread. */
final class EngineWatch implements EngineListener {

    private static final Logger LOG = LoggerFactory.getLogger(EngineWatch.class);

    private final Path dataDirectory;
    private final CompletableFuture<Notice.Ready> ready = new CompletableFuture<>();
    private final CompletableFuture<Ending> ending = new CompletableFuture<>();

    EngineWatch(Path dataDirectory) {
        this.dataDirectory = dataDirectory;
        CompletableFuture<Void> unused =
                ending.thenAccept(end -> ready.completeExceptionally(new IllegalStateException(end.message())));
    }

    /**
     * Waits until it answers.
     *
     * @throws StartFailedException when it ended before
     * @throws LeadershipLostException when it was drained before
     */
    Notice.Ready awaitReady() {
        try {
            return ready.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof LeadershipLostException) {
                throw new LeadershipLostException("stopped before it was ready", e);
            }
            Ending early = ending.join();
            throw new StartFailedException(early.message(), e);
        }
    }

    /** It was drained: one that is not ready by now will never be. Any thread. */
    void drained() {
        ready.completeExceptionally(new LeadershipLostException("drained"));
    }

    /** Completed when it has ended by itself, or by {@link #stopped}. */
    CompletableFuture<Ending> ending() {
        return ending;
    }

    /** It was asked to stop, and has stopped. No effect when it had ended before. */
    void stopped() {
        ending.complete(new Ending(Ending.Cause.STOPPED, ""));
    }

    @Override
    public void heard(Notice notice) {
        if (notice instanceof Notice.Ready now) {
            ready.complete(now);
        }
    }

    @Override
    public void applied(LogEntry entry) {}

    @Override
    public void logFailed(Throwable cause) {
        if (cause instanceof LeadershipLostException) {
            ending.complete(new Ending(Ending.Cause.LEADERSHIP_LOST, "leads no more: " + cause.getMessage()));
            return;
        }
        end(
                Ending.Cause.LOG_FAILED,
                "the decision log in " + dataDirectory + " failed: " + cause
                        + ". Whether its last records are on disk is unknown until they are read again, so this process"
                        + " stops. Check the disk (free space, kernel messages), then start the coordinator again on the"
                        + " same data: it finishes what was decided.",
                cause);
    }

    @Override
    public void violated(ProtocolViolation violation) {
        end(Ending.Cause.VIOLATED, violated(violation, dataDirectory), violation);
    }

    @Override
    public void crashed(Throwable cause) {
        end(
                Ending.Cause.VIOLATED,
                "something happened that must not happen: " + cause + ". " + keepAndReport(dataDirectory),
                cause);
    }

    /** What an operator reads about a broken invariant. */
    static String violated(ProtocolViolation violation, Path dataDirectory) {
        return "invariant " + violation.getMessage() + ". " + keepAndReport(dataDirectory);
    }

    private static String keepAndReport(Path dataDirectory) {
        return "The coordinator has stopped itself before anybody heard of it. Keep " + dataDirectory
                + " as it is, run \"troth log verify\" on a copy of it, and report this with the log lines above.";
    }

    private void end(Ending.Cause cause, String message, Throwable thrown) {
        LOG.error(message, thrown);
        ending.complete(new Ending(cause, message));
    }
}
