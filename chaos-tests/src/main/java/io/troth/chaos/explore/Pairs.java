package io.troth.chaos.explore;

import io.troth.core.coordinator.TransactionState;
import io.troth.core.participant.BranchState;
import java.util.Locale;

/** How often a T was seen in each state at its leader while one of its branches was in each state at its agent. */
@SuppressWarnings("EnumOrdinal") // An array of counters is all an ordinal is good for.
final class Pairs {

    static final int LEADER_STATES = 1 + TransactionState.values().length;
    static final int BRANCH_STATES = BranchState.values().length;

    private final long[][] counts = new long[LEADER_STATES][BRANCH_STATES];

    /** Counts one world. FINISHED is also a branch that its agent has forgotten. */
    void count(World world, int[] at) {
        for (int r = 0; r < world.scope.resources(); r++) {
            for (Databases.Branch branch : world.branches(at, r)) {
                Agents.State agent = world.agentOf(at, Agents.agentOf(branch.id()));
                BranchState state = agent.real().stateOf(branch.id());
                Leaders.State leader = world.leaderOf(at, world.scope.epochOf(branch.tx()));
                counts[leader.transactions[branch.tx()]][state.ordinal()]++;
            }
        }
    }

    void add(Pairs other) {
        for (int i = 0; i < LEADER_STATES; i++) {
            for (int j = 0; j < BRANCH_STATES; j++) {
                counts[i][j] += other.counts[i][j];
            }
        }
    }

    /** {@code leader}: 0 for a T that it does not know, else 1 + the ordinal of the state. */
    long of(int leader, BranchState branch) {
        return counts[leader][branch.ordinal()];
    }

    static String leaderName(int leader) {
        return leader == 0 ? "(none)" : TransactionState.values()[leader - 1].name();
    }

    /** A table: a line for each leader state, a column for each branch state. */
    String text() {
        StringBuilder text = new StringBuilder(String.format(Locale.ROOT, "%-10s", "leader T"));
        for (BranchState branch : BranchState.values()) {
            text.append(String.format(Locale.ROOT, " %14s", branch));
        }
        for (int leader = 0; leader < LEADER_STATES; leader++) {
            text.append(System.lineSeparator()).append(String.format(Locale.ROOT, "%-10s", leaderName(leader)));
            for (BranchState branch : BranchState.values()) {
                text.append(String.format(Locale.ROOT, " %14d", of(leader, branch)));
            }
        }
        return text.toString();
    }
}
