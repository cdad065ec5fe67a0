package io.troth.core.coordinator;

import io.troth.core.BranchWork;
import java.util.List;

/**
 * What a Commit says about its transaction. A repeated Commit and a certain inquiry carry the same content.
 *
 * @param branches T's branches and the number of calls on each; at least one
 * @param onePhaseAllowed whether a single branch may commit by itself (protocol 8)
 */
public record CommitContent(List<BranchWork> branches, boolean onePhaseAllowed) {
    public CommitContent {
        branches = List.copyOf(branches);
        if (branches.isEmpty()) {
            throw new IllegalArgumentException("a commit lists at least one branch");
        }
    }

    /** True when this content makes T a one-phase transaction. */
    public boolean isOnePhase() {
        return onePhaseAllowed && branches.size() == 1;
    }
}
