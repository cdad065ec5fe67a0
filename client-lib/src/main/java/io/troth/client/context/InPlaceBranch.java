package io.troth.client.context;

import io.troth.core.Outcome;
import io.troth.core.Reason;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A branch at an agent of the process that began its transaction, of which nobody outside has heard. As long as that
 * stays so and the transaction has no other, the two of them end it without the coordinator: the branch commits in place,
 * as a local transaction does. Thread-safe.
 */
public interface InPlaceBranch {

    /** Tells the coordinator of the branch: the transaction is about to leave the process, or has another. Never blocks. */
    void announce();

    /**
     * Commits. Only when the scope is closed and the branch was never announced.
     *
     * @param here true to work on the calling thread, and to be done on return; false to return at once
     * @return completes with the end, never exceptionally
     */
    CompletionStage<End> commit(boolean here);

    /** Rolls back, if it does not commit already. Never blocks. */
    void rollBack(Reason reason);

    /**
     * How a commit in place ended.
     *
     * @param outcome COMMITTED, READ_ONLY or ROLLED_BACK; UNKNOWN when nobody here can tell
     * @param reason why it was rolled back or is unknown, null otherwise
     */
    record End(Outcome outcome, @Nullable Reason reason) {}
}
