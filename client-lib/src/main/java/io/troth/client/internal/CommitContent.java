package io.troth.client.internal;

import io.troth.core.BranchWork;
import java.util.List;

/**
 * What a Commit says about its transaction; a repeated one and a certain inquiry say the same (protocol 6.1, 9.1).
 *
 * @param branches T's branches and the number of calls on each
 * @param onePhaseAllowed whether a single branch may commit by itself
 */
public record CommitContent(List<BranchWork> branches, boolean onePhaseAllowed) {
    public CommitContent {
        branches = List.copyOf(branches);
    }
}
