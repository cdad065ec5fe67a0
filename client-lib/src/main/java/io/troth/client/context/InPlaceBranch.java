package io.troth.client.context;

import io.troth.core.BranchId;
import io.troth.core.Outcome;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.Vote;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A branch at an agent of the process that began its transaction, of which nobody outside has heard. As long as that
 * stays so and all branches of the transaction are such, the client ends it without the coordinator's help at the agents: a
 * single branch commits in place, as a local transaction does; of several the client collects the votes, and brings
 * them to the coordinator. Thread-safe.
 */
public interface InPlaceBranch {

    /** Which one it is. */
    BranchId branch();

    /** Tells the coordinator of the branch: the transaction is about to leave the process. Never blocks. */
    void announce();

    /**
     * Commits in one phase. Only when the scope is closed, the branch was never announced and is the transaction's only one.
     *
     * @param here true to work on the calling thread, and to be done on return; false to return at once
     * @return completes with the end, never exceptionally
     */
    CompletionStage<End> commit(boolean here);

    /**
     * Prepares. Only when the scope is closed and the branch was never announced. A branch that has voted YES stays prepared
     * until it is told the decision, by whomever.
     *
     * @param here true to work on the calling thread, and to be done on return; false to return at once
     * @return completes with the vote, never exceptionally
     */
    CompletionStage<Ballot> prepare(boolean here);

    /**
     * The coordinator has decided to commit the transaction, this branch had voted YES, and it is for the client to tell it.
     * Never blocks. That it is to be rolled back it always hears from the coordinator.
     *
     * @return completes with COMMITTED when that is done, however long it takes, and with UNKNOWN when the agent has stopped
     */
    CompletionStage<End> commitPrepared();

    /** Rolls back, if it does not commit or prepare already. Never blocks. */
    void rollBack(Reason reason);

    /**
     * How a branch ended.
     *
     * @param outcome COMMITTED, READ_ONLY or ROLLED_BACK; UNKNOWN when nobody here can tell
     * @param reason why it was rolled back or is unknown, or that it was not committed although it had to be; else null
     */
    record End(Outcome outcome, @Nullable Reason reason) {}

    /**
     * What a branch has voted.
     *
     * @param proof by which the database can later tell its fate; only with YES, null when it has none
     * @param reason why NO; else null
     */
    record Ballot(
            Vote vote, @Nullable Proof proof, @Nullable Reason reason) {}
}
