package io.troth.chaos.sim.check;

import io.troth.chaos.sim.check.BranchFacts.State;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What clients were told is what the databases hold, for ever. COMMITTED and ROLLED_BACK are never both said of one
 * transaction; UNKNOWN only where the protocol has no certain answer.
 */
public final class AnswerChecker implements Checker {

    @Override
    public List<String> complaints(History history) {
        List<String> complaints = new ArrayList<>();
        Map<GlobalTxId, List<BranchFacts>> branches = history.byTransaction();
        Map<GlobalTxId, Set<Outcome>> told = new TreeMap<>();
        for (Told answer : history.answers()) {
            told.computeIfAbsent(answer.tx(), none -> EnumSet.noneOf(Outcome.class))
                    .add(answer.outcome());
            if (answer.outcome() == Outcome.UNKNOWN && answer.certain()) {
                complaints.add("answers: " + answer.tx() + " was answered UNKNOWN, though it can be known");
            }
        }
        told.forEach((tx, outcomes) -> {
            if (outcomes.contains(Outcome.COMMITTED)
                    && (outcomes.contains(Outcome.ROLLED_BACK) || outcomes.contains(Outcome.READ_ONLY))) {
                complaints.add("answers: " + tx + " was answered " + outcomes);
            }
            for (BranchFacts branch : branches.getOrDefault(tx, List.of())) {
                if (branch.wrote() && !branch.isExcused()) {
                    judge(branch, history.isListed(branch), outcomes, complaints);
                }
            }
        });
        return complaints;
    }

    private static void judge(BranchFacts branch, boolean isListed, Set<Outcome> outcomes, List<String> complaints) {
        boolean isCommitted = branch.state() == State.COMMITTED;
        if (isListed && outcomes.contains(Outcome.COMMITTED) && !isCommitted) {
            complaints.add(
                    "answers: " + branch.tx() + " was answered COMMITTED, and " + AtomicityChecker.named(branch));
        }
        if (isCommitted) {
            for (Outcome outcome : List.of(Outcome.ROLLED_BACK, Outcome.READ_ONLY)) {
                if (outcomes.contains(outcome)) {
                    complaints.add("answers: " + branch.tx() + " was answered " + outcome + ", and "
                            + AtomicityChecker.named(branch));
                }
            }
        }
    }
}
