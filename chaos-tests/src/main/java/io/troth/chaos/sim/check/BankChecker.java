package io.troth.chaos.sim.check;

import io.troth.chaos.sim.check.BranchFacts.State;
import io.troth.core.GlobalTxId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Money is neither made nor lost: the balances add up to the same total in the end, and in the eyes of every committed
 * transaction that read all accounts under lock. What a transaction brought out of balance because one of its branches
 * was resolved by hand or by force, or lost by a restore, is accounted for, by name.
 */
public final class BankChecker implements Checker {

    /** What the key of an account begins with. */
    public static final String ACCOUNT = "account";

    private final long total;

    public BankChecker(long total) {
        this.total = total;
    }

    @Override
    public List<String> complaints(History history) {
        List<String> complaints = new ArrayList<>();
        Map<GlobalTxId, Long> imbalances = imbalances(history);
        long expected = total;
        for (long imbalance : imbalances.values()) {
            expected += imbalance;
        }
        long sum = 0;
        for (Map<String, List<Long>> rows : history.rows().values()) {
            for (Map.Entry<String, List<Long>> row : rows.entrySet()) {
                sum += row.getKey().startsWith(ACCOUNT) && !row.getValue().isEmpty()
                        ? row.getValue().get(0)
                        : 0;
            }
        }
        if (sum != expected) {
            complaints.add("bank: the balances add up to " + sum + " instead of " + expected
                    + (imbalances.isEmpty() ? "" : ", though " + imbalances + " are accounted for"));
        }
        if (imbalances.isEmpty()) {
            checkViews(history, complaints);
        }
        return complaints;
    }

    /** What each transaction of which a branch was ended by others has left out of balance. */
    private static Map<GlobalTxId, Long> imbalances(History history) {
        Map<GlobalTxId, Long> imbalances = new TreeMap<>();
        history.byTransaction().forEach((tx, branches) -> {
            if (branches.stream().noneMatch(BranchFacts::isExcused)) {
                return;
            }
            long net = 0;
            for (BranchFacts branch : branches) {
                for (Step step : branch.steps()) {
                    boolean counts = branch.state() == State.COMMITTED && isDeposit(step);
                    net += counts ? step.argument() : 0;
                }
            }
            if (net != 0) {
                imbalances.put(tx, net);
            }
        });
        return imbalances;
    }

    private static boolean isDeposit(Step step) {
        return step.kind() == Step.Kind.ADD && step.key().startsWith(ACCOUNT);
    }

    private void checkViews(History history, List<String> complaints) {
        Set<String> accounts = new TreeSet<>();
        for (BranchFacts branch : history.branches()) {
            for (Step step : branch.steps()) {
                if (isDeposit(step)) {
                    accounts.add(branch.resource() + "/" + step.key());
                }
            }
        }
        history.byTransaction().forEach((tx, branches) -> {
            Map<String, Long> seen = new TreeMap<>();
            for (BranchFacts branch :
                    branches.stream().filter(history::isListed).toList()) {
                // What the branch has moved itself is half done as long as it runs: it counts as if it had not.
                Map<String, Long> moved = new TreeMap<>();
                for (Step step : branch.steps()) {
                    if (isDeposit(step)) {
                        moved.merge(step.key(), step.argument(), Long::sum);
                    } else if (step.kind() == Step.Kind.READ_LOCKED
                            && step.key().startsWith(ACCOUNT)) {
                        long balance = step.seen().isEmpty() ? 0 : step.seen().get(0);
                        seen.putIfAbsent(
                                branch.resource() + "/" + step.key(), balance - moved.getOrDefault(step.key(), 0L));
                    }
                }
            }
            boolean isWhole = !accounts.isEmpty() && seen.keySet().containsAll(accounts);
            long sum = seen.values().stream().mapToLong(Long::longValue).sum();
            if (isWhole && history.isCommitted(branches) && sum != total) {
                complaints.add(
                        "bank: " + tx + " saw balances that add up to " + sum + " instead of " + total + ": " + seen);
            }
        });
    }
}
