package io.troth.core.coordinator;

import io.troth.core.EpochId;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The leader in numbers.
 *
 * @param epoch null before leadership has started
 * @param ready everything is answered
 * @param distrusted an agent has seen more of the log than is left of it
 * @param open open transactions of the own epoch, of each state
 * @param unended applied COMMITs without END, of any epoch
 * @param leftAlone prepared branches that nobody may resolve
 */
public record LeaderView(
        @Nullable EpochId epoch,
        boolean ready,
        boolean distrusted,
        boolean accepting,
        Map<TransactionState, Integer> open,
        int unended,
        int leftAlone,
        int sessions,
        int agents,
        List<String> held,
        List<String> excluded) {
    public LeaderView {
        open = Map.copyOf(open);
        held = List.copyOf(held);
        excluded = List.copyOf(excluded);
    }

    /** How many are open, in whatever state. */
    public int openTransactions() {
        return open.values().stream().mapToInt(Integer::intValue).sum();
    }

    /** How many of them are neither decided nor handed to the log. */
    public int undecided() {
        return open.getOrDefault(TransactionState.ACTIVE, 0) + open.getOrDefault(TransactionState.PREPARING, 0);
    }
}
