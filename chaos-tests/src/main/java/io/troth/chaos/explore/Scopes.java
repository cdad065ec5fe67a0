package io.troth.chaos.explore;

import io.troth.chaos.explore.Scope.May;
import java.util.ArrayList;
import java.util.List;

/** The scopes that there are: each looks at one kind of trouble, and is small enough to be looked at as a whole. */
final class Scopes {

    private Scopes() {}

    /** In the order in which they are explored, the largest first. */
    static List<Scope> all() {
        List<Scope> all = new ArrayList<>();
        all.addAll(leaders());
        all.addAll(calls());
        all.addAll(databases());
        all.addAll(onePhase());
        all.addAll(inPlace());
        all.addAll(votesInPlace());
        all.addAll(votesInPlaceOrNot());
        all.addAll(clients());
        all.addAll(logs());
        return all;
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

    /** A call to each of two resources, executed once. */
    private static Scope twoBranches(String name, String says) {
        return new Scope(name, says).agent(0).agent(1).call(0, 0, true, 1).call(0, 1, true, 1);
    }

    private static List<Scope> leaders() {
        return List.of(
                twoBranches("two-branches", "a call to each of two resources; agents go over to a new leader")
                        .may(May.AGENT_MOVES, May.LEADER_DEADLINE)
                        .states(400_000),
                twoBranches("three-epochs", "two leaders that do not know that they are deposed")
                        .epochs(3)
                        .may(May.AGENT_MOVES),
                twoBranches(
                                "streams",
                                "one leader; streams break, seen by each side at its own time, and are opened again")
                        .epochs(1)
                        .streams(2)
                        .may(May.AGENT_LOSES_STREAM, May.LEADER_LOSES_STREAM),
                twoBranches("late-messages", "what a leader has said is heard even by an agent that has left it")
                        .may(May.AGENT_MOVES, May.MESSAGES_OUTLIVE_STREAMS),
                twoBranches("slow-start", "a new leader is not ready for a while; hellos, look-ups and entries wait")
                        .may(
                                May.AGENT_MOVES,
                                May.APPLYING_TAKES_TIME,
                                May.CONNECTING_TAKES_TIME,
                                May.LOOKUPS_TAKE_TIME));
    }

    private static List<Scope> calls() {
        return List.of(
                new Scope(
                                "same-resource-twice",
                                "two calls to one resource, the first executed twice, by one of two instances or both")
                        .agent(0)
                        .agent(0)
                        .call(0, 0, true, 2)
                        .call(0, 0, true, 1)
                        .epochs(1)
                        .states(150_000),
                new Scope("call-twice", "a call that one instance executes twice, and another resource")
                        .agent(0)
                        .agent(1)
                        .call(0, 0, true, 2)
                        .call(0, 1, true, 1)
                        .may(May.LEADER_DEADLINE, May.AGENT_DEADLINE),
                new Scope("read-only", "one branch only reads")
                        .agent(0)
                        .agent(1)
                        .call(0, 0, false, 1)
                        .call(0, 1, true, 1)
                        .may(May.AGENT_MOVES, May.DATABASES_TAKE_TIME)
                        .states(100_000),
                new Scope("all-read-only", "both branches only read")
                        .agent(0)
                        .agent(1)
                        .call(0, 0, false, 2)
                        .call(0, 1, false, 1)
                        .may(May.AGENT_MOVES, May.LEADER_DEADLINE, May.STRANGER_ASKS)
                        .states(100_000));
    }

    private static List<Scope> databases() {
        return List.of(
                twoBranches("slow-databases", "prepares and commits take time, fail, lose their answers, or end unseen")
                        .faults(Fault.REFUSES, Fault.LOST_AFTER, Fault.LOST_OPEN)
                        .may(
                                May.DATABASES_TAKE_TIME,
                                May.ROLLBACKS_TAKE_TIME,
                                May.DATABASE_RETRIES,
                                May.SCANS,
                                May.AGENT_MOVES)
                        .states(50_000),
                twoBranches("slow-scans", "a list of prepared xids is old when it arrives")
                        .proofs()
                        .may(May.DATABASES_TAKE_TIME, May.SCANS, May.SCANS_TAKE_TIME, May.LEADER_DEADLINE),
                twoBranches("agents-die", "agent processes are killed; other instances find what they have left")
                        .epochs(1)
                        .lives(2)
                        .may(May.AGENT_DIES, May.DATABASES_TAKE_TIME, May.LEADER_LOSES_STREAM));
    }

    private static List<Scope> onePhase() {
        return List.of(
                new Scope(
                                "one-phase",
                                "one branch that commits by itself; its instance dies, its database loses answers")
                        .agent(0)
                        .agent(0)
                        .call(0, 0, true, 1)
                        .epochs(1)
                        .proofs()
                        .faults(Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.LOST_OPEN)
                        .may(
                                May.AGENT_DIES,
                                May.DATABASES_TAKE_TIME,
                                May.LEADER_LOSES_STREAM,
                                May.LEADER_TIMERS,
                                May.KEPT_RESULTS_AGE)
                        .states(50_000),
                new Scope(
                                "one-phase-no-proof",
                                "the same with a database that can not be asked, and streams that return")
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
                        .may(May.AGENT_MOVES, May.DATABASES_TAKE_TIME, May.LEADER_DEADLINE, May.LEADER_TIMERS));
    }

    /** Agent 0 is in the client's process. */
    private static List<Scope> inPlace() {
        return List.of(
                new Scope(
                                "in-place",
                                "one branch in the client's process: it commits in place, unless T is shared; others ask")
                        .agent(0)
                        .call(0, 0, true, 1)
                        .inPlace()
                        .epochs(1)
                        .proofs()
                        .faults(Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.LOST_OPEN)
                        .may(
                                May.CLIENT_ROLLS_BACK,
                                May.CLIENT_ENDS,
                                May.ANNOUNCED_LATE,
                                May.STRANGER_ASKS,
                                May.CONFIDANT_ASKS,
                                May.AGENT_DIES,
                                May.KEPT_RESULTS_AGE,
                                May.LEADER_LOSES_STREAM,
                                May.LEADER_TIMERS,
                                May.DATABASES_TAKE_TIME)
                        .states(300_000),
                new Scope("in-place-next-epoch", "the same with a database that can not be asked, and a new leader")
                        .agent(0)
                        .call(0, 0, true, 1)
                        .inPlace()
                        .faults(Fault.REFUSES, Fault.LOST_AFTER)
                        .may(
                                May.STRANGER_ASKS,
                                May.CONFIDANT_ASKS,
                                May.AGENT_MOVES,
                                May.AGENT_LOSES_STREAM,
                                May.AGENT_DEADLINE,
                                May.AGENT_DIES,
                                May.DATABASES_TAKE_TIME)
                        .states(300_000),
                new Scope("in-place-shared", "one in the client's process, and after T was shared one in another")
                        .agent(0)
                        .agent(1)
                        .call(0, 0, true, 1)
                        .call(0, 1, true, 1)
                        .inPlace()
                        .may(May.STRANGER_ASKS, May.CONFIDANT_ASKS, May.AGENT_MOVES)
                        .states(60_000));
    }

    /** All agents that T needs are in the client's process, which brings their votes to the leader. */
    private static List<Scope> votesInPlace() {
        return List.of(
                twoBranches("votes-in-place", "two branches in the client's process, which dies; other instances ask")
                        .inPlace(2)
                        .epochs(1)
                        .lives(2)
                        .faults(Fault.REFUSES, Fault.LOST_OPEN)
                        .may(
                                May.ANNOUNCED_LATE,
                                May.STRANGER_ASKS,
                                May.AGENT_DIES,
                                May.LEADER_LOSES_STREAM,
                                May.LEADER_TIMERS,
                                May.DATABASES_TAKE_TIME)
                        .states(300_000),
                new Scope(
                                "votes-in-place-asked",
                                "one of them, and an instance elsewhere that lists what it has prepared")
                        .agent(0)
                        .agent(0)
                        .call(0, 0, true, 1)
                        .inPlace()
                        .twoPhaseAlways()
                        .epochs(1)
                        .proofs()
                        .faults(Fault.LOST_AFTER)
                        .may(
                                May.CLIENT_ROLLS_BACK,
                                May.CLIENT_ENDS,
                                May.CLIENT_LOSES_STREAM,
                                May.STRANGER_ASKS,
                                May.CONFIDANT_ASKS,
                                May.SCANS,
                                May.LEADER_TIMERS,
                                May.DATABASES_TAKE_TIME)
                        .states(300_000),
                twoBranches(
                                "votes-in-place-epochs",
                                "the same two, whose agents lose their streams or find a new leader")
                        .inPlace(2)
                        .faults(Fault.LOST_AFTER)
                        .may(
                                May.STRANGER_ASKS,
                                May.AGENT_MOVES,
                                May.AGENT_LOSES_STREAM,
                                May.AGENT_DEADLINE,
                                May.DATABASES_TAKE_TIME)
                        .states(300_000));
    }

    /** The same where one of them only reads, and where T is shared in the end. */
    private static List<Scope> votesInPlaceOrNot() {
        return List.of(
                new Scope("votes-in-place-read", "two in the client's process, of which one only reads, or is not used")
                        .agent(0)
                        .agent(1)
                        .call(0, 0, false, 1)
                        .call(0, 1, true, 1)
                        .inPlace(2)
                        .may(
                                May.STRANGER_ASKS,
                                May.CONFIDANT_ASKS,
                                May.AGENT_MOVES,
                                May.AGENT_DIES,
                                May.DATABASES_TAKE_TIME)
                        .states(100_000),
                new Scope("votes-in-place-shared", "two in the client's process, and after T was shared one in another")
                        .agent(0)
                        .agent(1)
                        .agent(2)
                        .call(0, 0, true, 1)
                        .call(0, 1, true, 1)
                        .call(0, 2, true, 1)
                        .inPlace(2)
                        .epochs(1)
                        .may(May.ANNOUNCED_LATE, May.STRANGER_ASKS, May.AGENT_LOSES_STREAM, May.LEADER_LOSES_STREAM)
                        .states(100_000));
    }

    private static List<Scope> clients() {
        return List.of(
                twoBranches("clients", "the client loses its stream and resumes, or rolls back; strangers ask")
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
                new Scope(
                                "goes-on",
                                "a session at the next leader, a transaction in it, and questions about the old one")
                        .agent(0)
                        .call(0, 0, true, 1)
                        .call(1, 0, true, 1)
                        .later(1)
                        .twoPhaseAlways()
                        .may(May.AGENT_MOVES, May.LEADER_DEADLINE, May.STRANGER_ASKS)
                        .states(250_000));
    }

    private static List<Scope> logs() {
        return List.of(
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
                twoBranches("purge-two-resources", "the same while another resource still holds a prepared branch")
                        .epochs(1)
                        .may(May.CLIENT_ENDS, May.RETENTION_ENDS, May.SCANS),
                twoBranches("distrust", "the log is restored from a backup: absence of a record says nothing")
                        .may(May.LOG_IS_RESTORED, May.AGENT_MOVES, May.STRANGER_ASKS),
                new Scope("fence", "a COMMIT that was lost at an election is proposed again")
                        .agent(0)
                        .agent(0)
                        .call(0, 0, true, 1)
                        .twoPhaseAlways()
                        .epochs(3)
                        .may(May.LOG_PROPOSES_AGAIN, May.AGENT_MOVES, May.LEADER_DEADLINE));
    }
}
