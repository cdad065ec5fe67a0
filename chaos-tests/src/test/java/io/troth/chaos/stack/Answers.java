package io.troth.chaos.stack;

import io.troth.client.CommitResult;
import io.troth.client.OutcomeUnknownException;
import io.troth.client.RolledBackException;
import io.troth.core.Outcome;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/** What a client was told, as one word. */
final class Answers {

    private Answers() {}

    /** How the commit ended for the client; a failure that says nothing of an outcome stays one. */
    static CompletableFuture<Outcome> of(CompletionStage<CommitResult> commit) {
        return commit.handle(Answers::word).toCompletableFuture();
    }

    private static Outcome word(CommitResult result, Throwable failure) {
        if (failure == null) {
            return result.outcome();
        }
        Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
        if (cause instanceof RolledBackException) {
            return Outcome.ROLLED_BACK;
        }
        if (cause instanceof OutcomeUnknownException) {
            return Outcome.UNKNOWN;
        }
        throw new AssertionError(cause);
    }
}
