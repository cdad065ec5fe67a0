package io.troth.chaos.sim.steps;

import io.troth.chaos.sim.world.Sights;
import io.troth.coordinator.engine.EngineListener;
import io.troth.core.BranchId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.ProtocolViolation;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import io.troth.core.coordinator.Notice;
import io.troth.core.coordinator.StreamId;
import io.troth.core.coordinator.TimerKey;
import io.troth.core.coordinator.TransactionState;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Counts, for one life of a leader, in which state every T was when an event about it came. Where T stands is known from
 * what the leader says of it; an event that concerns a stream or a session counts for every T that it can concern.
 */
public final class LeaderSteps implements EngineListener, Event.Visitor<Boolean>, TimerKey.Visitor<Boolean> {

    /** Where a T stands at a leader. */
    public enum State {
        /** The leader is not ready, or distrusts its log. */
        NOBODY_ANSWERS,
        NONE,
        ACTIVE,
        ONE_PHASE,
        PREPARING,
        COMMITTING,
        COMMITTED,
        ENDED_COMMITTED,
        ENDED_ROLLED_BACK,
        ENDED_READ_ONLY,
        ENDED_UNKNOWN,
        /** Of an earlier epoch, with a COMMIT and no END. */
        OLDER_COMMITTED,
        /** Of an earlier epoch, and nothing of it is in memory. */
        OLDER,
        /** Of an epoch that is not in the log. */
        FOREIGN
    }

    /** Kinds of events. */
    public enum Input {
        ENLIST,
        VOTE_YES,
        VOTE_READ_ONLY,
        VOTE_NO,
        PROOF,
        RESULT_COMMITTED,
        RESULT_READ_ONLY,
        RESULT_ROLLED_BACK,
        RESULT_LOST,
        RESULT_NOT_KNOWN,
        DONE,
        INQUIRY,
        FATE_COMMITTED,
        FATE_ROLLED_BACK,
        FATE_IN_PROGRESS,
        FATE_UNKNOWN,
        COMMIT,
        COMMIT_WITH_VOTES,
        ROLLBACK,
        QUESTION,
        QUESTION_WITHOUT_CONTENT,
        FORCE,
        FETCHED,
        DEADLINE,
        COMPLETION_LIMIT,
        PHASE_TWO_RETRY,
        INSTANCE_GONE,
        FATE_RETRY,
        AGENT_COMES,
        AGENT_GOES,
        CLIENT_GOES,
        SESSION_CLOSES,
        SESSION_GRACE_OVER,
        PROGRESS,
        RESOURCE_HELD,
        LEADERSHIP_LOST,
        COMMIT_APPLIED,
        END_APPLIED,
        HEURISTIC_APPLIED
    }

    /** All that can be counted. */
    static final Pairs<State, Input> PAIRS = new Pairs<>("leader", "T", State.class, Input.class);

    private final Sights sights;
    private final Map<GlobalTxId, State> states = new HashMap<>();
    /** Those that have not ended, in order. */
    private final TreeMap<GlobalTxId, Set<Long>> open = new TreeMap<>();
    /** The branch with which each T began. */
    private final Map<GlobalTxId, BranchId> first = new HashMap<>();

    private final Map<StreamId, Long> instances = new HashMap<>();
    private final Map<StreamId, Set<Long>> sessions = new HashMap<>();
    private final Set<EpochId> known = new HashSet<>();
    private final Set<GlobalTxId> unended = new HashSet<>();
    private @Nullable EpochId own;
    private boolean answers;

    public LeaderSteps(Sights sights) {
        this.sights = sights;
    }

    // What the leader hears and says.

    @Override
    public void stepping(Event event) {
        boolean unused = event.accept(this);
    }

    /** Comes before what follows from the entry is carried out. */
    @Override
    public void applied(LogEntry entry) {
        LogRecord record = entry.record();
        if (record instanceof LogRecord.Epoch epoch) {
            known.add(epoch.epoch());
        } else if (record instanceof LogRecord.Commit commit) {
            saw(commit.tx(), Input.COMMIT_APPLIED);
            unended.add(commit.tx());
        } else if (record instanceof LogRecord.End end) {
            saw(end.tx(), Input.END_APPLIED);
            unended.remove(end.tx());
        } else if (record instanceof LogRecord.Heuristic heuristic) {
            saw(heuristic.tx(), Input.HEURISTIC_APPLIED);
        }
    }

    @Override
    public void heard(Notice notice) {
        if (notice instanceof Notice.Ready) {
            answers = true;
        } else if (notice instanceof Notice.StateChanged changed && changed.to() != TransactionState.ENDED) {
            move(changed.tx(), State.valueOf(changed.to().name()));
        } else if (notice instanceof Notice.Ended ended) {
            open.remove(ended.tx());
            states.put(ended.tx(), ended(ended.outcome()));
        } else if (notice instanceof Notice.Alarm alarm && alarm.reason().code() == ErrorCode.LOG_DISTRUSTED) {
            answers = false;
        }
    }

    @Override
    public void logFailed(Throwable cause) {}

    @Override
    public void violated(ProtocolViolation violation) {}

    @Override
    public void crashed(Throwable cause) {}

    /** The leader did not take the branch: a T that would have begun with it has not begun. */
    public void enlistRefused(GlobalTxId tx, BranchId branch) {
        if (states.get(tx) == State.ACTIVE && branch.equals(first.get(tx))) {
            states.remove(tx);
            open.remove(tx);
        }
    }

    private static State ended(Outcome outcome) {
        return switch (outcome) {
            case COMMITTED -> State.ENDED_COMMITTED;
            case ROLLED_BACK -> State.ENDED_ROLLED_BACK;
            case READ_ONLY -> State.ENDED_READ_ONLY;
            default -> State.ENDED_UNKNOWN;
        };
    }

    private void move(GlobalTxId tx, State to) {
        states.put(tx, to);
        open.computeIfAbsent(tx, none -> new HashSet<>());
    }

    private State of(GlobalTxId tx) {
        if (!answers) {
            return State.NOBODY_ANSWERS;
        }
        if (tx.epoch().equals(own)) {
            return states.getOrDefault(tx, State.NONE);
        }
        if (!known.contains(tx.epoch())) {
            return State.FOREIGN;
        }
        return unended.contains(tx) ? State.OLDER_COMMITTED : State.OLDER;
    }

    private boolean saw(GlobalTxId tx, Input input) {
        sights.saw(PAIRS.name(of(tx), input));
        return true;
    }

    private boolean sawAll(Input input, Predicate<GlobalTxId> concerns) {
        for (GlobalTxId tx : open.keySet()) {
            if (concerns.test(tx)) {
                saw(tx, input);
            }
        }
        return true;
    }

    private void speaks(StreamId stream, GlobalTxId tx) {
        if (tx.epoch().equals(own)) {
            sessions.computeIfAbsent(stream, none -> new HashSet<>()).add(tx.session());
        }
    }

    private boolean isAt(GlobalTxId tx, long instance) {
        return open.getOrDefault(tx, Set.of()).contains(instance);
    }

    // One method a kind; true when it is counted.

    @Override
    public Boolean leadershipStarted(Event.LeadershipStarted event) {
        own = event.epoch();
        return false;
    }

    @Override
    public Boolean leadershipLost(Event.LeadershipLost event) {
        return sawAll(Input.LEADERSHIP_LOST, tx -> true);
    }

    @Override
    public Boolean acceptingChanged(Event.AcceptingChanged event) {
        return false;
    }

    @Override
    public Boolean commitFetched(Event.CommitFetched event) {
        return saw(event.tx(), Input.FETCHED);
    }

    @Override
    public Boolean agentConnected(Event.AgentConnected event) {
        instances.put(event.stream(), event.hello().instance());
        return sawAll(Input.AGENT_COMES, tx -> isAt(tx, event.hello().instance()));
    }

    @Override
    public Boolean agentDisconnected(Event.AgentDisconnected event) {
        Long instance = instances.remove(event.stream());
        return instance != null && sawAll(Input.AGENT_GOES, tx -> isAt(tx, instance));
    }

    @Override
    public Boolean enlist(Event.Enlist event) {
        boolean unused = saw(event.tx(), Input.ENLIST);
        if (of(event.tx()) == State.NONE) {
            move(event.tx(), State.ACTIVE);
            first.put(event.tx(), event.branch());
        }
        open.getOrDefault(event.tx(), new HashSet<>()).add(event.branch().instance());
        return false;
    }

    @Override
    public Boolean voteReceived(Event.VoteReceived event) {
        return saw(
                event.tx(),
                switch (event.vote()) {
                    case YES -> Input.VOTE_YES;
                    case READ_ONLY -> Input.VOTE_READ_ONLY;
                    case NO -> Input.VOTE_NO;
                });
    }

    @Override
    public Boolean onePhaseProof(Event.OnePhaseProof event) {
        return saw(event.tx(), Input.PROOF);
    }

    @Override
    public Boolean onePhaseResult(Event.OnePhaseResult event) {
        return saw(
                event.tx(),
                switch (event.fate()) {
                    case COMMITTED -> Input.RESULT_COMMITTED;
                    case READ_ONLY -> Input.RESULT_READ_ONLY;
                    case ROLLED_BACK -> Input.RESULT_ROLLED_BACK;
                    case LOST -> Input.RESULT_LOST;
                    case NOT_KNOWN -> Input.RESULT_NOT_KNOWN;
                });
    }

    @Override
    public Boolean branchDone(Event.BranchDone event) {
        return saw(event.tx(), Input.DONE);
    }

    @Override
    public Boolean branchInquiry(Event.BranchInquiry event) {
        return saw(event.tx(), Input.INQUIRY);
    }

    @Override
    public Boolean fateReported(Event.FateReported event) {
        return saw(
                event.tx(),
                switch (event.fate()) {
                    case COMMITTED -> Input.FATE_COMMITTED;
                    case ROLLED_BACK -> Input.FATE_ROLLED_BACK;
                    case IN_PROGRESS -> Input.FATE_IN_PROGRESS;
                    case UNKNOWN -> Input.FATE_UNKNOWN;
                });
    }

    @Override
    public Boolean scanReported(Event.ScanReported event) {
        return false;
    }

    @Override
    public Boolean clientDisconnected(Event.ClientDisconnected event) {
        Set<Long> own = sessions.getOrDefault(event.stream(), Set.of());
        return sawAll(Input.CLIENT_GOES, tx -> own.contains(tx.session()));
    }

    @Override
    public Boolean openSession(Event.OpenSession event) {
        return false;
    }

    @Override
    public Boolean resumeSession(Event.ResumeSession event) {
        return false;
    }

    @Override
    public Boolean closeSession(Event.CloseSession event) {
        return event.epoch().equals(own) && sawAll(Input.SESSION_CLOSES, tx -> tx.session() == event.session());
    }

    @Override
    public Boolean progress(Event.Progress event) {
        return event.epoch().equals(own)
                && sawAll(Input.PROGRESS, tx -> tx.session() == event.session() && tx.sequence() < event.lowestOpen());
    }

    @Override
    public Boolean commitRequested(Event.CommitRequested event) {
        speaks(event.request().stream(), event.tx());
        boolean unused = saw(event.tx(), event.votes().isEmpty() ? Input.COMMIT : Input.COMMIT_WITH_VOTES);
        Set<Long> at = open.get(event.tx());
        if (at != null) {
            event.content().branches().forEach(work -> at.add(work.branch().instance()));
        }
        return false;
    }

    @Override
    public Boolean rollbackRequested(Event.RollbackRequested event) {
        speaks(event.request().stream(), event.tx());
        return saw(event.tx(), Input.ROLLBACK);
    }

    @Override
    public Boolean outcomeInquiry(Event.OutcomeInquiry event) {
        return saw(event.tx(), event.content() == null ? Input.QUESTION_WITHOUT_CONTENT : Input.QUESTION);
    }

    @Override
    public Boolean operatorForces(Event.OperatorForces event) {
        return saw(event.tx(), Input.FORCE);
    }

    @Override
    public Boolean resourceExcluded(Event.ResourceExcluded event) {
        return false;
    }

    @Override
    public Boolean resourceHeld(Event.ResourceHeld event) {
        return event.held() && sawAll(Input.RESOURCE_HELD, tx -> true);
    }

    @Override
    public Boolean timerFired(Event.TimerFired event) {
        return event.key().accept(this);
    }

    @Override
    public Boolean deadline(TimerKey.Deadline key) {
        return saw(key.tx(), Input.DEADLINE);
    }

    @Override
    public Boolean completionLimit(TimerKey.CompletionLimit key) {
        return saw(key.tx(), Input.COMPLETION_LIMIT);
    }

    @Override
    public Boolean phaseTwoRetry(TimerKey.PhaseTwoRetry key) {
        return saw(key.tx(), Input.PHASE_TWO_RETRY);
    }

    @Override
    public Boolean instanceGone(TimerKey.InstanceGone key) {
        return saw(key.tx(), Input.INSTANCE_GONE);
    }

    @Override
    public Boolean fateRetry(TimerKey.FateRetry key) {
        return saw(key.tx(), Input.FATE_RETRY);
    }

    @Override
    public Boolean sessionGrace(TimerKey.SessionGrace key) {
        return sawAll(Input.SESSION_GRACE_OVER, tx -> tx.session() == key.session());
    }

    @Override
    public Boolean sessionAge(TimerKey.SessionAge key) {
        return false;
    }

    @Override
    public Boolean retention(TimerKey.Retention key) {
        return false;
    }
}
