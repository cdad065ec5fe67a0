package io.troth.chaos.sim;

import io.troth.chaos.sim.database.DatabaseFault;
import io.troth.chaos.sim.steps.StepTable;
import io.troth.chaos.sim.world.Fault;
import io.troth.chaos.sim.world.Sights;
import io.troth.core.Outcome;
import io.troth.core.coordinator.TransactionState;
import java.util.ArrayList;
import java.util.List;

/** What a long campaign must have seen: a test of things that never happen is worth nothing. */
final class MustHappen {

    private static final List<String> SIGHTS = List.of(
            "COMMIT found by a new leader",
            "leader deposed and unaware",
            "append error with the entry surviving",
            "append error with the entry lost",
            "entry kept at an election",
            "entry dropped at an election",
            "entry of unknown end, in the log",
            "entry of unknown end, lost",
            "fenced COMMIT",
            "fenced entry",
            "damaged log refused",
            "unflushed end of the log lost",
            "unflushed end of the log torn",
            "phase 2 by another instance",
            "call refused DUPLICATE_CALL",
            "NO because of CALL_COUNT_DIFFERS",
            "enlist refused",
            "ended because of BRANCH_NOT_LISTED",
            "ended because of DEADLINE_EXCEEDED",
            "ended because of HEURISTIC_MIXED",
            "ended because of STREAM_BROKEN",
            "purge",
            "settled by hand COMMIT",
            "settled by hand ROLLBACK",
            "forced, and T is COMMITTED",
            "forced, and T is UNKNOWN",
            "COMMIT lost by a restore of the log",
            "session renewed",
            "session resumed",
            "begin refused OVERLOADED",
            "begin refused DISK_FLOOR",
            "begin refused LOG_STALLED",
            "begin refused DRAINING",
            "commit in place COMMITTED",
            "commit in place READ_ONLY",
            "commit in place ROLLED_BACK",
            "commit in place UNKNOWN",
            "rollback in place",
            "votes in place of one branch",
            "votes in place of several branches",
            "vote in place YES",
            "vote in place NO",
            "vote in place READ_ONLY",
            "votes in place COMMITTED",
            "votes in place ROLLED_BACK",
            "votes in place UNKNOWN",
            "votes in place with a NO ROLLED_BACK",
            "votes in place only READ_ONLY",
            "votes in place given up",
            "votes in place completed",
            "votes in place completing",
            "votes in place, and the agents not told",
            "votes in place, and the leader tells the agents",
            "votes in place, and the leader was first",
            "phase 2 by the leader after votes in place",
            "ended by a branch, unheard of",
            "onlooker hears COMMITTED",
            "onlooker hears PENDING",
            "onlooker hears ROLLED_BACK",
            "onlooker hears UNKNOWN",
            "vote YES",
            "vote NO",
            "vote READ_ONLY");

    private MustHappen() {}

    /** What has not happened in so many seeds, by name. */
    static List<String> missing(Sights sights, long seeds) {
        List<String> all = new ArrayList<>(SIGHTS);
        for (Fault fault : Fault.values()) {
            all.add("fault " + fault);
        }
        // What faults have done, not only that they were tried: most find nothing to hit.
        for (DatabaseFault effect : DatabaseFault.values()) {
            all.add(effect.counter());
        }
        for (io.troth.coordinator.engine.StepListener.Point point :
                io.troth.coordinator.engine.StepListener.Point.values()) {
            all.add("coordinator killed at " + point);
        }
        for (io.troth.agent.engine.StepListener.Point point : io.troth.agent.engine.StepListener.Point.values()) {
            all.add("agent killed at " + point);
        }
        for (Outcome outcome : Outcome.values()) {
            all.add("answer " + outcome);
        }
        for (TransactionState state : TransactionState.values()) {
            if (state != TransactionState.ENDED) {
                all.add("leader change in " + state);
            }
        }
        List<String> missing = new ArrayList<>(StepTable.missing(sights, seeds));
        all.stream().filter(sight -> sights.count(sight) == 0).forEach(missing::add);
        return missing;
    }
}
