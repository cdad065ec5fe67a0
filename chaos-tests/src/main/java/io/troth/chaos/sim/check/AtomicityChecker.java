package io.troth.chaos.sim.check;

import io.troth.chaos.sim.check.BranchFacts.State;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * All branches that a transaction's Commit names are committed, or none; no other is; and in the end none is open. A branch that somebody resolved by
 * hand or by force, or that a restored backup has touched, is nobody's fault; the others still agree.
 */
public final class AtomicityChecker implements Checker {

    @Override
    public List<String> complaints(History history) {
        List<String> complaints = new ArrayList<>();
        history.byTransaction().forEach((tx, branches) -> {
            List<BranchFacts> vouched = branches.stream()
                    .filter(branch -> branch.wrote() && !branch.isExcused())
                    .toList();
            BranchFacts committed = find(vouched, State.COMMITTED);
            BranchFacts rolledBack =
                    find(vouched.stream().filter(history::isListed).toList(), State.ROLLED_BACK);
            if (committed != null && rolledBack != null) {
                complaints.add("atomicity: of " + tx + ", " + named(committed) + " and " + named(rolledBack));
            }
            if (committed != null && !history.isListed(committed)) {
                complaints.add("atomicity: of " + tx + ", " + named(committed) + ", and no Commit named it");
            }
            for (BranchFacts branch : branches) {
                if (branch.state() == State.ACTIVE || branch.state() == State.PREPARED) {
                    complaints.add("atomicity: of " + tx + ", " + named(branch) + " in the end");
                }
            }
        });
        return complaints;
    }

    private static @Nullable BranchFacts find(List<BranchFacts> branches, State state) {
        return branches.stream()
                .filter(branch -> branch.state() == state)
                .findFirst()
                .orElse(null);
    }

    static String named(BranchFacts branch) {
        return branch.branch() + " at " + branch.resource() + " is " + branch.state();
    }
}
