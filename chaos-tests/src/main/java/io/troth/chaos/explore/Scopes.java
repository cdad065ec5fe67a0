package io.troth.chaos.explore;

import io.troth.chaos.explore.Scope.May;
import java.util.List;

/** The scopes that there are: each looks at one kind of trouble, and is small enough to be looked at as a whole. */
final class Scopes {

    private Scopes() {}

    /** In the order in which they are explored, the largest first. */
    static List<Scope> all() {
        return List.of(
                new Scope("two-branches", "a call to each of two resources; agents go over to a new leader")
                        .agent(0)
                        .agent(1)
                        .call(0, 0, true, 1)
                        .call(0, 1, true, 1)
                        .may(May.AGENT_MOVES, May.LEADER_DEADLINE)
                        .states(400_000),
                new Scope(
                                "same-resource-twice",
                                "two instances of one resource, a call that is executed twice, another resource")
                        .agent(0)
                        .agent(0)
                        .agent(1)
                        .call(0, 0, true, 2)
                        .call(0, 1, true, 1)
                        .may(May.LEADER_TIMERS),
                new Scope("call-twice", "a call that one instance executes twice, with another resource")
                        .agent(0)
                        .agent(1)
                        .call(0, 0, true, 2)
                        .call(0, 1, true, 1)
                        .may(May.LEADER_DEADLINE, May.AGENT_DEADLINE),
                new Scope("three-epochs", "two leaders that do not know that they are deposed")
                        .agent(0)
                        .agent(1)
                        .call(0, 0, true, 1)
                        .call(0, 1, true, 1)
                        .epochs(3)
                        .may(May.AGENT_MOVES),
                new Scope(
                                "streams",
                                "one leader; streams break, seen by each side at its own time, and are opened again")
                        .agent(0)
                        .agent(1)
                        .call(0, 0, true, 1)
                        .call(0, 1, true, 1)
                        .epochs(1)
                        .streams(2)
                        .may(May.AGENT_LOSES_STREAM, May.LEADER_LOSES_STREAM),
                new Scope("late-messages", "what a leader has said is heard even by an agent that has left it")
                        .agent(0)
                        .agent(1)
                        .call(0, 0, true, 1)
                        .call(0, 1, true, 1)
                        .may(May.AGENT_MOVES, May.MESSAGES_OUTLIVE_STREAMS),
                new Scope("slow-start", "a new leader is not ready for a while; hellos, look-ups and entries wait")
                        .agent(0)
                        .agent(1)
                        .call(0, 0, true, 1)
                        .call(0, 1, true, 1)
                        .may(
                                May.AGENT_MOVES,
                                May.APPLYING_TAKES_TIME,
                                May.CONNECTING_TAKES_TIME,
                                May.LOOKUPS_TAKE_TIME),
                new Scope(
                                "slow-databases",
                                "prepares and commits take time, fail, lose their answers, or complete unseen")
                        .agent(0)
                        .agent(1)
                        .call(0, 0, true, 1)
                        .call(0, 1, true, 1)
                        .faults(Fault.REFUSES, Fault.LOST_AFTER, Fault.LOST_OPEN)
                        .may(
                                May.DATABASES_TAKE_TIME,
                                May.ROLLBACKS_TAKE_TIME,
                                May.DATABASE_RETRIES,
                                May.SCANS,
                                May.AGENT_MOVES),
                new Scope("slow-scans", "a list of prepared xids is old when it arrives")
                        .agent(0)
                        .agent(1)
                        .call(0, 0, true, 1)
                        .call(0, 1, true, 1)
                        .proofs()
                        .may(May.DATABASES_TAKE_TIME, May.SCANS, May.SCANS_TAKE_TIME, May.LEADER_DEADLINE),
                new Scope("agents-die", "agent processes are killed; other instances find what they have left")
                        .agent(0)
                        .agent(1)
                        .call(0, 0, true, 2)
                        .call(0, 1, true, 1)
                        .lives(2)
                        .faults(Fault.LOST_AFTER)
                        .may(
                                May.AGENT_DIES,
                                May.DATABASES_TAKE_TIME,
                                May.SCANS,
                                May.LEADER_LOSES_STREAM,
                                May.AGENT_MOVES),
                new Scope(
                                "one-phase",
                                "one branch that commits by itself; its instance dies, its database loses answers")
                        .agent(0)
                        .agent(0)
                        .call(0, 0, true, 2)
                        .epochs(3)
                        .proofs()
                        .faults(Fault.REFUSES, Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.LOST_OPEN)
                        .may(
                                May.AGENT_MOVES,
                                May.AGENT_DIES,
                                May.DATABASES_TAKE_TIME,
                                May.LEADER_LOSES_STREAM,
                                May.LEADER_DEADLINE,
                                May.LEADER_TIMERS,
                                May.KEPT_RESULTS_AGE),
                new Scope(
                                "one-phase-no-proof",
                                "the same with a database that can not be asked, and streams that come back")
                        .agent(0)
                        .call(0, 0, true, 2)
                        .streams(2)
                        .faults(Fault.LOST_BEFORE, Fault.LOST_AFTER)
                        .may(
                                May.AGENT_LOSES_STREAM,
                                May.LEADER_LOSES_STREAM,
                                May.DATABASES_TAKE_TIME,
                                May.AGENT_DEADLINE,
                                May.LEADER_TIMERS,
                                May.STRANGER_ASKS),
                new Scope("one-branch-prepared", "one branch whose client allows no commit in one phase")
                        .agent(0)
                        .agent(0)
                        .call(0, 0, true, 2)
                        .twoPhaseAlways()
                        .may(May.AGENT_MOVES, May.DATABASES_TAKE_TIME, May.LEADER_DEADLINE, May.LEADER_TIMERS),
                new Scope("read-only", "one branch only reads")
                        .agent(0)
                        .agent(1)
                        .call(0, 0, false, 1)
                        .call(0, 1, true, 1)
                        .may(May.AGENT_MOVES, May.DATABASES_TAKE_TIME),
                new Scope("all-read-only", "both branches only read")
                        .agent(0)
                        .agent(1)
                        .call(0, 0, false, 2)
                        .call(0, 1, false, 1)
                        .may(May.AGENT_MOVES, May.LEADER_DEADLINE, May.STRANGER_ASKS),
                new Scope("clients", "the client loses its stream and resumes, rolls back, is asked about by strangers")
                        .agent(0)
                        .agent(1)
                        .call(0, 0, true, 1)
                        .call(0, 1, true, 1)
                        .waitsForCompletion()
                        .may(
                                May.CLIENT_LOSES_STREAM,
                                May.CLIENT_ROLLS_BACK,
                                May.STRANGER_ASKS,
                                May.LEADER_TIMERS,
                                May.SESSION_AGES),
                new Scope("one-slot", "two transactions of one session that has room for one at a time")
                        .agent(0)
                        .call(0, 0, true, 1)
                        .call(1, 0, true, 1)
                        .window(1)
                        .twoPhaseAlways()
                        .may(May.CLIENT_ENDS, May.CLIENT_ROLLS_BACK, May.LEADER_DEADLINE, May.AGENT_MOVES),
                new Scope("purge", "the retention ends, agents report their scans, the log forgets")
                        .agent(0)
                        .call(0, 0, true, 1)
                        .twoPhaseAlways()
                        .epochs(3)
                        .may(
                                May.CLIENT_ENDS,
                                May.RETENTION_ENDS,
                                May.SCANS,
                                May.AGENT_MOVES,
                                May.STRANGER_ASKS,
                                May.DATABASES_TAKE_TIME),
                new Scope("purge-two-resources", "the same while another resource still holds a prepared branch")
                        .agent(0)
                        .agent(1)
                        .call(0, 0, true, 1)
                        .call(0, 1, true, 1)
                        .epochs(1)
                        .may(May.CLIENT_ENDS, May.RETENTION_ENDS, May.SCANS),
                new Scope("distrust", "the log is restored from a backup: absence of a record says nothing")
                        .agent(0)
                        .agent(1)
                        .call(0, 0, true, 1)
                        .call(0, 1, true, 1)
                        .epochs(2)
                        .may(May.LOG_IS_RESTORED, May.AGENT_MOVES, May.STRANGER_ASKS),
                new Scope("fence", "a COMMIT that was lost at an election is proposed again")
                        .agent(0)
                        .agent(0)
                        .call(0, 0, true, 1)
                        .twoPhaseAlways()
                        .epochs(3)
                        .may(May.LOG_PROPOSES_AGAIN, May.AGENT_MOVES, May.LEADER_DEADLINE));
    }

    /** The scope of this name. */
    static Scope named(String name) {
        for (Scope scope : all()) {
            if (scope.name.equals(name)) {
                return scope;
            }
        }
        throw new IllegalArgumentException("there is no scope '" + name + "'");
    }
}
