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

    private volatile CompletableFuture<Void> last = CompletableFuture.completedFuture(null);

    /** Asks for one; the outcome is what is returned. */
    CompletableFuture<Void> ask(Request request) {
        CompletableFuture<Void> asked = new CompletableFuture<>();
        // Before Raft begins to refuse entries.
        last = asked;
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

    /** Does something when the last one has ended, in whatever way; now if none is under way. */
    void whenOver(Runnable action) {
        CompletableFuture<Void> unused = last.whenComplete((done, failed) -> action.run());
    }
}
