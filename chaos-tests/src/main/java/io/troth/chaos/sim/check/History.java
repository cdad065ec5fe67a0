package io.troth.chaos.sim.check;

import io.troth.core.GlobalTxId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * All that checkers judge by.
 *
 * @param branches what every database knows of every branch, in the order in which each database began them
 * @param answers what clients were told, in the order in which they heard it
 * @param rows the committed rows at the end, by database and key
 * @param lastFaultNanos when the last thing went wrong
 */
public record History(
        List<BranchFacts> branches,
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

    /** Whether a whole transaction took effect: nothing of it was rolled back, and nothing is open. */
    static boolean isCommitted(List<BranchFacts> branches) {
        return branches.stream().allMatch(branch -> branch.state() == BranchFacts.State.COMMITTED);
    }

    /** Whether a database's history was changed behind everybody's back. */
    boolean isTouched(String resource) {
        return branches.stream().anyMatch(branch -> branch.resource().equals(resource) && branch.touchedByRestore());
    }
}
