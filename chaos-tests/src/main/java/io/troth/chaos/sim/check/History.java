package io.troth.chaos.sim.check;

import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * All that checkers judge by.
 *
 * @param branches what every database knows of every branch, in the order in which each database began them
 * @param listed the branches that each transaction's Commit named; a call that was delivered twice, or whose reply was
 *     lost, may have worked in others, which must not be committed
 * @param answers what clients were told, in the order in which they heard it
 * @param rows the committed rows at the end, by database and key
 * @param lastFaultNanos when the last thing went wrong
 */
public record History(
        List<BranchFacts> branches,
        Map<GlobalTxId, Set<BranchId>> listed,
        List<Told> answers,
        Map<String, Map<String, List<Long>>> rows,
        long lastFaultNanos) {

    public History {
        branches = List.copyOf(branches);
        answers = List.copyOf(answers);
    }

    /** The branches of each transaction. */
    Map<GlobalTxId, List<BranchFacts>> byTransaction() {
        Map<GlobalTxId, List<BranchFacts>> all = new TreeMap<>();
        branches.forEach(branch ->
                all.computeIfAbsent(branch.tx(), none -> new ArrayList<>()).add(branch));
        return all;
    }

    /** Whether the transaction's Commit named the branch. */
    boolean isListed(BranchFacts branch) {
        return listed.getOrDefault(branch.tx(), Set.of()).contains(branch.branch());
    }

    /** Whether a whole transaction took effect: nothing that it counts on was rolled back, and nothing is open. */
    boolean isCommitted(List<BranchFacts> branches) {
        return branches.stream().anyMatch(this::isListed)
                && branches.stream()
                        .filter(this::isListed)
                        .allMatch(branch -> branch.state() == BranchFacts.State.COMMITTED);
    }

    /** Whether a database's history was changed behind everybody's back. */
    boolean isTouched(String resource) {
        return branches.stream().anyMatch(branch -> branch.resource().equals(resource) && branch.touchedByRestore());
    }
}
