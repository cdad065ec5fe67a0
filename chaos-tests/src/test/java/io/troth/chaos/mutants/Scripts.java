package io.troth.chaos.mutants;

import io.troth.core.BranchId;
import io.troth.core.BranchWork;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.SessionKey;
import io.troth.core.Vote;
import io.troth.core.coordinator.Action;
import io.troth.core.coordinator.AgentHello;
import io.troth.core.coordinator.AgentHello.AgentResource;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.CommitContent;
import io.troth.core.coordinator.CoordinatorLimits;
import io.troth.core.coordinator.CoordinatorStateMachine;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import io.troth.core.coordinator.PhaseTwoResult;
import io.troth.core.coordinator.RequestId;
import io.troth.core.coordinator.StreamId;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Short scripts for bugs that need a mistake of an operator, which neither the explorer nor the simulator makes: a log that
 * was lost and began anew, a resource name that suddenly stands for another database. Called across class loaders.
 */
public final class Scripts {

    private static final SessionKey KEY = new SessionKey(1, 2);
    private static final StreamId CLIENT = new StreamId(9);
    private static final BranchId ACCOUNTS = new BranchId(0xa, 1);
    private static final BranchId AUDIT = new BranchId(0xb, 1);
    private static final CommitContent BOTH = new CommitContent(
            List.of(new BranchWork(ACCOUNTS, "accounts", 1), new BranchWork(AUDIT, "audit", 1)), true);

    private final CoordinatorStateMachine leader = new CoordinatorStateMachine(0, CoordinatorLimits.DEFAULTS);
    private final EpochId epoch;
    private final List<Action> done = new ArrayList<>();

    private Scripts(EpochId epoch) {
        this.epoch = epoch;
        step(new Event.LeadershipStarted(epoch, 0));
        step(new Event.OpenSession(new RequestId(CLIENT, 1), KEY, "client"));
    }

    /** The log is lost, and a new one counts its epochs from 1 again; a client of the old one asks. */
    public static @Nullable String lostLog() {
        Scripts script = new Scripts(new EpochId(1, 0x22));
        GlobalTxId lost = new GlobalTxId(0, new EpochId(1, 0x11), 1, 1);
        script.step(new Event.CommitRequested(new RequestId(CLIENT, 2), lost, KEY, 1, BOTH, false, 60_000));
        boolean presumed = script.has(action -> action instanceof Action.SendToClient send
                && send.message() instanceof ClientMessage.Answer answer
                && answer.outcome() == Outcome.ROLLED_BACK);
        return presumed ? "Answer truth: ROLLED_BACK is answered for a T that the lost log may have committed" : null;
    }

    /** The next leader is asked before its own EPOCH is applied. */
    public static @Nullable String notReady() {
        CoordinatorStateMachine next = new CoordinatorStateMachine(0, CoordinatorLimits.DEFAULTS);
        EpochId older = new EpochId(1, 0x11);
        GlobalTxId tx = new GlobalTxId(0, older, 1, 1);
        next.apply(new LogEntry(1, new LogRecord.Epoch(older)));
        next.step(new Event.LeadershipStarted(new EpochId(2, 0x22), 0));
        List<Action> actions = new ArrayList<>(
                next.step(new Event.CommitRequested(new RequestId(CLIENT, 2), tx, KEY, 1, BOTH, false, 60_000)));
        actions.addAll(next.step(new Event.CommitFetched(tx, null)));
        boolean answered = actions.stream()
                .anyMatch(action ->
                        action instanceof Action.SendToClient send && send.message() instanceof ClientMessage.Answer);
        return answered ? "an outcome is told before the leader's own EPOCH is applied" : null;
    }

    /** A voter goes away before phase 2, and its resource name comes back with another database. */
    public static @Nullable String otherDatabase() {
        Scripts script = new Scripts(new EpochId(1, 0x11));
        GlobalTxId tx = new GlobalTxId(0, script.epoch, 1, 1);
        StreamId audit = new StreamId(2);
        StreamId voter = new StreamId(1);
        StreamId stranger = new StreamId(3);
        script.step(new Event.AgentConnected(voter, hello(0xa, "accounts", "db-1")));
        script.step(new Event.AgentConnected(audit, hello(0xb, "audit", "db-2")));
        script.step(new Event.CommitRequested(new RequestId(CLIENT, 2), tx, KEY, 1, BOTH, false, 60_000));
        script.step(new Event.VoteReceived(voter, tx, ACCOUNTS, Vote.YES, null, null));
        script.step(new Event.VoteReceived(audit, tx, AUDIT, Vote.YES, null, null));
        script.step(new Event.BranchDone(audit, tx, AUDIT, PhaseTwoResult.COMMITTED, ""));
        script.step(new Event.AgentDisconnected(voter));
        script.step(new Event.AgentConnected(stranger, hello(0xc, "accounts", "db-3")));
        script.step(new Event.BranchDone(stranger, tx, ACCOUNTS, PhaseTwoResult.COMMITTED, ""));
        boolean ended = script.has(
                action -> action instanceof Action.Append append && append.record() instanceof LogRecord.End);
        return ended
                ? "No early purge: END is written while a branch is prepared in a database nobody has asked"
                : null;
    }

    private static AgentHello hello(long instance, String resource, String identity) {
        return new AgentHello(
                instance, null, 0, List.of(new AgentResource(resource, "simulated", identity, "r", null)));
    }

    /** The leader takes an event; what it hands to the log is applied at once, and what it looks up is not there. */
    private void step(Event event) {
        Deque<Action> actions = new ArrayDeque<>(leader.step(event));
        while (!actions.isEmpty()) {
            Action action = actions.remove();
            done.add(action);
            if (action instanceof Action.Append append) {
                actions.addAll(leader.apply(new LogEntry(epoch.number(), append.record())));
            } else if (action instanceof Action.FetchCommit fetch) {
                actions.addAll(leader.step(new Event.CommitFetched(fetch.tx(), null)));
            }
        }
    }

    private boolean has(Predicate<Action> what) {
        return done.stream().anyMatch(what);
    }
}
