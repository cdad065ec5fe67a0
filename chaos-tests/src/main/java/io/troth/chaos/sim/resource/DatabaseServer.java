package io.troth.chaos.sim.resource;

import io.troth.chaos.sim.database.AgentDatabase;
import io.troth.chaos.sim.world.Fault;
import io.troth.chaos.sim.world.SimProcess;
import io.troth.core.BranchId;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** A database server, which outlives the agents that work with it. */
public interface DatabaseServer {

    /** The resource name. */
    String name();

    /** Opens it for a process; when the process dies its connections end, and with them what is unprepared. */
    AgentDatabase open(SimProcess agent);

    /** The server dies and comes back: connections and what was unprepared are gone, what was prepared stays. */
    void crash();

    /** Whether there is a reason to report a heuristic of this branch, though the protocol has done everything right. */
    boolean excusesHeuristic(BranchId branch);

    /** Something befalls it: one of the kinds without an occasion that are about databases, other than a crash. */
    void strike(Fault kind, SplittableRandom random);

    /** Takes a backup. Whoever runs what comes back restores it; where nothing of it can be, that does nothing. */
    Runnable backup();

    /** Nothing goes wrong any more: whoever else works here comes to an end. */
    void becomeQuiet();

    /** The committed rows. */
    Map<String, List<Long>> rows();
}
