package io.troth.chaos.explore;

import static io.troth.core.coordinator.TransactionState.ACTIVE;
import static io.troth.core.coordinator.TransactionState.COMMITTED;
import static io.troth.core.coordinator.TransactionState.COMMITTING;
import static io.troth.core.coordinator.TransactionState.ENDED;
import static io.troth.core.coordinator.TransactionState.ONE_PHASE;
import static io.troth.core.coordinator.TransactionState.PREPARING;

import io.troth.core.coordinator.TransactionState;
import io.troth.core.participant.BranchState;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which states of T at its leader and of a branch of it at its agent can be met together. What looks strange is there for
 * a reason: a branch may be ACTIVE whatever its T does, because a call came late or twice; and it may be in phase 2 while
 * the leader of T's epoch waits for its log, because that leader is deposed and the next one knows.
 */
@SuppressWarnings("EnumOrdinal") // The index of a counter.
final class LegalPairs {

    private static final Map<TransactionState, Set<BranchState>> LEGAL = new EnumMap<>(TransactionState.class);
    /** Where the leader does not know T: its session is over, nothing has come yet, or it ends in place. */
    private static final Set<BranchState> UNKNOWN = EnumSet.of(
            BranchState.ACTIVE,
            BranchState.PREPARING,
            BranchState.PREPARED,
            BranchState.IN_DOUBT,
            BranchState.ONE_PHASE,
            BranchState.ROLLING_BACK,
            BranchState.ROLLING_BACK_PREPARED,
            BranchState.FINISHED);

    static {
        LEGAL.put(ACTIVE, EnumSet.of(BranchState.ACTIVE, BranchState.ROLLING_BACK, BranchState.FINISHED));
        LEGAL.put(ONE_PHASE, EnumSet.of(BranchState.ACTIVE, BranchState.ONE_PHASE, BranchState.FINISHED));
        LEGAL.put(PREPARING, EnumSet.complementOf(EnumSet.of(BranchState.ONE_PHASE, BranchState.COMMITTING)));
        LEGAL.put(
                COMMITTING,
                EnumSet.of(
                        BranchState.ACTIVE,
                        BranchState.PREPARED,
                        BranchState.COMMITTING,
                        BranchState.ROLLING_BACK_PREPARED,
                        BranchState.FINISHED));
        LEGAL.put(
                COMMITTED,
                EnumSet.of(BranchState.ACTIVE, BranchState.PREPARED, BranchState.COMMITTING, BranchState.FINISHED));
        LEGAL.put(ENDED, EnumSet.allOf(BranchState.class));
    }

    private LegalPairs() {}

    /** The legal pairs that were never reached: what was explored is too small, or the list is wrong. */
    static List<String> missing(Pairs pairs) {
        List<String> missing = new ArrayList<>();
        for (BranchState branch : UNKNOWN) {
            add(missing, pairs, 0, branch);
        }
        LEGAL.forEach((leader, branches) -> {
            for (BranchState branch : branches) {
                add(missing, pairs, 1 + leader.ordinal(), branch);
            }
        });
        return missing;
    }

    private static void add(List<String> missing, Pairs pairs, int leader, BranchState branch) {
        if (pairs.of(leader, branch) == 0) {
            missing.add(Pairs.leaderName(leader) + " with " + branch);
        }
    }
}
