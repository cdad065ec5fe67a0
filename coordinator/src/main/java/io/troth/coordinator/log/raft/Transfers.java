package io.troth.coordinator.log.raft;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;

/**
 * The transfers of the leadership that one member was asked for. Thread-safe.
 *
 * <p>A leader that is handing over refuses every entry. A step-down because of one that was refused would take the place
 * from the member that was named: it waits for the end of the transfer.
 */
final class Transfers {

    /** Asks Raft. */
    @FunctionalInterface
    interface Request {
        /** Completed when the other one leads. */
        CompletableFuture<Void> send() throws IOException;
    }

    private volatile CompletableFuture<?> underWay = CompletableFuture.completedFuture(null);

    /** Asks for one; the outcome is what is returned. */
    CompletableFuture<Void> ask(Request request) {
        CompletableFuture<Void> asked = new CompletableFuture<>();
        // Before Raft begins to refuse entries.
        begin(asked);
        try {
            CompletableFuture<Void> unused = request.send().whenComplete((done, failed) -> {
                if (failed == null) {
                    asked.complete(null);
                } else {
                    asked.completeExceptionally(failed);
                }
            });
        } catch (IOException | RuntimeException e) {
            asked.completeExceptionally(e);
        }
        return asked;
    }

    private synchronized void begin(CompletableFuture<Void> asked) {
        underWay = CompletableFuture.allOf(underWay, asked);
    }

    /**
     * Does something when all have ended, in whatever way; now if none is under way. Raft refuses a second one at once, which
     * says nothing of the first.
     */
    void whenOver(Runnable action) {
        var unused = underWay.whenComplete((done, failed) -> action.run());
    }
}
