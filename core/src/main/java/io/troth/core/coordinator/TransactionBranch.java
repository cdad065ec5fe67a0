package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.Proof;
import io.troth.core.Vote;
import org.jspecify.annotations.Nullable;

/** One branch of an open T at the leader. A plain structure: {@link Transactions} alone changes it. */
final class TransactionBranch {

    final BranchId branch;
    final String resource;
    /** Where it enlisted, or where its prepare went; null when it was listed and its instance had no stream. */
    @Nullable
    StreamId stream;
    /** The database behind it, as its instance said when the prepare was sent; null before. */
    @Nullable
    String identity;
    /** In the list of the Commit. */
    boolean listed;

    int calls;

    @Nullable
    Vote vote;

    @Nullable
    Proof proof;

    TransactionBranch(BranchId branch, String resource, @Nullable StreamId stream) {
        this.branch = branch;
        this.resource = resource;
        this.stream = stream;
    }
}
