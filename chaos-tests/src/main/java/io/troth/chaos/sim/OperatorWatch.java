package io.troth.chaos.sim;

import io.troth.chaos.sim.world.Broken;
import io.troth.core.BranchId;
import io.troth.core.Decision;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.LogRecord;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * What operators have told one leader, and whether it keeps to it: nothing in a resource on hold is committed in phase 2
 * (protocol 10.4), and a decision by force against an outcome is not hidden from who hears that outcome (protocol 10.6).
 * One thread.
 */
final class OperatorWatch {

    private final Set<String> held = new HashSet<>();
    /** How often each was released: a hold that is taken afterwards, because the leader stood still, holds no more. */
    private final Map<String, Integer> releases = new HashMap<>();

    private final Map<GlobalTxId, Map<BranchId, Decision>> forced = new HashMap<>();

    /** The leader is about to hear of a hold; runs what comes back when it has taken it. */
    Runnable holds(String resource) {
        int before = releases.getOrDefault(resource, 0);
        return () -> {
            if (releases.getOrDefault(resource, 0) == before) {
                held.add(resource);
            }
        };
    }

    /** The leader is about to hear that the hold is over. */
    void releases(String resource) {
        releases.merge(resource, 1, Integer::sum);
        held.remove(resource);
    }

    /** The leader has applied this. */
    void applied(LogRecord record) {
        if (record instanceof LogRecord.Heuristic heuristic && heuristic.branch() != null) {
            forced.computeIfAbsent(heuristic.tx(), none -> new HashMap<>())
                    .put(heuristic.branch(), heuristic.decision());
        } else if (record instanceof LogRecord.Horizon horizon) {
            // Forgotten with everything else of that time.
            forced.keySet().removeIf(tx -> isAtOrBelow(tx, horizon));
        }
    }

    private static boolean isAtOrBelow(GlobalTxId tx, LogRecord.Horizon horizon) {
        int byEpoch = Long.compare(tx.epoch().number(), horizon.epoch().number());
        return byEpoch < 0 || (byEpoch == 0 && tx.session() <= horizon.session());
    }

    void check(AgentMessage message) {
        if (message instanceof AgentMessage.CommitBranch commit && held.contains(commit.resource())) {
            Decision decision = forced.getOrDefault(commit.tx(), Map.of()).get(commit.branch());
            Broken.unless(
                    decision == Decision.COMMIT,
                    () -> "Hold: " + commit.branch() + " of " + commit.tx() + " is committed in " + commit.resource());
        }
    }

    void check(ClientMessage.Answer answer) {
        Decision against = answer.outcome() == Outcome.COMMITTED
                ? Decision.ROLLBACK
                : answer.outcome() == Outcome.ROLLED_BACK ? Decision.COMMIT : null;
        if (against != null && forced.getOrDefault(answer.tx(), Map.of()).containsValue(against)) {
            Broken.unless(
                    answer.reason() != null && answer.reason().code() == ErrorCode.HEURISTIC_MIXED,
                    () -> "Never hidden: a branch of " + answer.tx() + " was decided " + against + " by force, and "
                            + answer + " does not say so");
        }
    }
}
