package io.troth.chaos.sim.steps;

import io.troth.chaos.sim.world.Sights;
import io.troth.core.BranchId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.participant.AgentEvent;
import io.troth.core.participant.AgentNotice;
import io.troth.core.participant.AgentTimerKey;
import io.troth.core.participant.PreparedXid;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Counts, for one life of an agent, in which state every branch was when an event about it came. An event that concerns a
 * transaction, a resource or all of them counts for every branch that has not finished.
 */
public final class BranchSteps
        implements AgentEvent.Visitor<Boolean>, AgentMessage.Visitor<Boolean>, AgentTimerKey.Visitor<Boolean> {

    /** Where a branch stands at an agent. */
    public enum State {
        /** This life of the agent has never had it. */
        NONE,
        ACTIVE,
        PREPARING,
        PREPARED,
        IN_DOUBT,
        ONE_PHASE,
        ROLLING_BACK,
        COMMITTING,
        ROLLING_BACK_PREPARED,
        FINISHED
    }

    /** Kinds of events. */
    public enum Input {
        CALL,
        ANNOUNCED,
        COMMIT_IN_PLACE,
        ROLLBACK_IN_PLACE,
        PREPARE_IN_PLACE,
        COMMIT_PREPARED_IN_PLACE,
        STATEMENT,
        STATEMENT_COMPLETED,
        STATEMENT_FAILED,
        STATEMENT_LOST_ITS_CONNECTION,
        SCOPE_CLOSED,
        PREPARE,
        COMMIT_ONE_PHASE,
        ASK_ONE_PHASE,
        COMMIT,
        ROLLBACK,
        ENLIST_REFUSED,
        INQUIRY_ANSWERED,
        SESSION_CLOSED,
        DEADLINE,
        STREAM_BROKEN,
        HIGHER_EPOCH,
        DATABASE_PREPARED,
        DATABASE_READ_ONLY,
        DATABASE_REFUSED,
        DATABASE_PREPARE_LOST,
        DATABASE_PROOF,
        DATABASE_ONE_PHASE_COMMITTED,
        DATABASE_ONE_PHASE_READ_ONLY,
        DATABASE_ONE_PHASE_ROLLED_BACK,
        DATABASE_ONE_PHASE_LOST,
        DATABASE_ROLLED_BACK,
        DATABASE_DONE,
        DATABASE_RESOLVED_ELSEWHERE,
        DATABASE_HEURISTIC,
        DATABASE_NOT_YET,
        PHASE_TWO_RETRY,
        LISTED,
        NOT_LISTED
    }

    private record Place(GlobalTxId tx, String resource) {}

    /** All that can be counted. */
    static final Pairs<State, Input> PAIRS = new Pairs<>("agent", "branch", State.class, Input.class);

    private final Sights sights;
    private final Map<BranchId, State> states = new HashMap<>();
    /** Those that have not finished. */
    private final Map<BranchId, Place> live = new LinkedHashMap<>();

    private final Map<Place, BranchId> youngest = new HashMap<>();
    private @Nullable EpochId highest;

    public BranchSteps(Sights sights) {
        this.sights = sights;
    }

    /** Before the core takes the event. */
    public void stepping(AgentEvent event) {
        boolean unused = event.accept(this);
    }

    /** What the agent says has become of things. */
    public void heard(AgentNotice notice) {
        if (notice instanceof AgentNotice.StateChanged changed) {
            BranchId branch = changed.branch();
            State to = State.valueOf(changed.to().name());
            states.put(branch, to);
            if (to == State.FINISHED) {
                live.remove(branch);
            } else {
                Place place = new Place(changed.tx(), changed.resource());
                live.put(branch, place);
                youngest.put(place, branch);
            }
        }
    }

    private boolean saw(@Nullable BranchId branch, Input input) {
        State state = branch == null ? State.NONE : states.getOrDefault(branch, State.NONE);
        sights.saw(PAIRS.name(state, input));
        return true;
    }

    private boolean sawAll(Input input, Predicate<Place> concerns) {
        live.forEach((branch, place) -> {
            if (concerns.test(place)) {
                saw(branch, input);
            }
        });
        return true;
    }

    // One method a kind; true when it is counted.

    @Override
    public Boolean heard(AgentEvent.Heard event) {
        EpochId before = highest;
        boolean isHigher = before == null || event.epoch().number() > before.number();
        highest = isHigher ? event.epoch() : before;
        return isHigher && sawAll(Input.HIGHER_EPOCH, place -> true);
    }

    @Override
    public Boolean clusterHeard(AgentEvent.ClusterHeard event) {
        return false;
    }

    @Override
    public Boolean streamBroken(AgentEvent.StreamBroken event) {
        return sawAll(Input.STREAM_BROKEN, place -> true);
    }

    @Override
    public Boolean callJoins(AgentEvent.CallJoins event) {
        return saw(youngest.get(new Place(event.tx(), event.resource())), Input.CALL);
    }

    @Override
    public Boolean announced(AgentEvent.Announced event) {
        return saw(event.branch(), Input.ANNOUNCED);
    }

    @Override
    public Boolean commitInPlace(AgentEvent.CommitInPlace event) {
        return saw(event.branch(), Input.COMMIT_IN_PLACE);
    }

    @Override
    public Boolean prepareInPlace(AgentEvent.PrepareInPlace event) {
        return saw(event.branch(), Input.PREPARE_IN_PLACE);
    }

    @Override
    public Boolean commitPreparedInPlace(AgentEvent.CommitPreparedInPlace event) {
        return saw(event.branch(), Input.COMMIT_PREPARED_IN_PLACE);
    }

    @Override
    public Boolean rollbackInPlace(AgentEvent.RollbackInPlace event) {
        return sawAll(Input.ROLLBACK_IN_PLACE, place -> place.tx().equals(event.tx()));
    }

    @Override
    public Boolean scopeClosed(AgentEvent.ScopeClosed event) {
        return sawAll(Input.SCOPE_CLOSED, place -> place.tx().equals(event.tx()));
    }

    @Override
    public Boolean statementBegins(AgentEvent.StatementBegins event) {
        return saw(event.branch(), Input.STATEMENT);
    }

    @Override
    public Boolean statementEnded(AgentEvent.StatementEnded event) {
        return saw(
                event.branch(),
                switch (event.end().kind()) {
                    case COMPLETED, UNDONE -> Input.STATEMENT_COMPLETED;
                    case FAILED -> Input.STATEMENT_FAILED;
                    case CONNECTION_LOST -> Input.STATEMENT_LOST_ITS_CONNECTION;
                });
    }

    @Override
    public Boolean ordered(AgentEvent.Ordered event) {
        return event.message().accept(this);
    }

    @Override
    public Boolean prepareCompleted(AgentEvent.PrepareCompleted event) {
        return saw(
                event.branch(),
                switch (event.result().kind()) {
                    case PREPARED -> Input.DATABASE_PREPARED;
                    case READ_ONLY -> Input.DATABASE_READ_ONLY;
                    case REFUSED -> Input.DATABASE_REFUSED;
                    case LOST -> Input.DATABASE_PREPARE_LOST;
                });
    }

    @Override
    public Boolean onePhaseProofKnown(AgentEvent.OnePhaseProofKnown event) {
        return saw(event.branch(), Input.DATABASE_PROOF);
    }

    @Override
    public Boolean onePhaseCompleted(AgentEvent.OnePhaseCompleted event) {
        return saw(
                event.branch(),
                switch (event.completion().fate()) {
                    case COMMITTED -> Input.DATABASE_ONE_PHASE_COMMITTED;
                    case READ_ONLY -> Input.DATABASE_ONE_PHASE_READ_ONLY;
                    case ROLLED_BACK -> Input.DATABASE_ONE_PHASE_ROLLED_BACK;
                    case LOST, NOT_KNOWN -> Input.DATABASE_ONE_PHASE_LOST;
                });
    }

    @Override
    public Boolean rollbackCompleted(AgentEvent.RollbackCompleted event) {
        return saw(event.branch(), Input.DATABASE_ROLLED_BACK);
    }

    @Override
    public Boolean phaseTwoCompleted(AgentEvent.PhaseTwoCompleted event) {
        return saw(
                event.branch(),
                switch (event.completion().kind()) {
                    case DONE -> Input.DATABASE_DONE;
                    case RESOLVED_ELSEWHERE -> Input.DATABASE_RESOLVED_ELSEWHERE;
                    case HEURISTIC -> Input.DATABASE_HEURISTIC;
                    case NOT_YET -> Input.DATABASE_NOT_YET;
                });
    }

    @Override
    public Boolean scanCompleted(AgentEvent.ScanCompleted event) {
        if (event.completion().failure() != null) {
            return false;
        }
        Set<BranchId> listed = new HashSet<>();
        for (PreparedXid xid : event.completion().prepared()) {
            listed.add(xid.branch());
            boolean unused = saw(xid.branch(), Input.LISTED);
        }
        live.forEach((branch, place) -> {
            if (place.resource().equals(event.resource()) && !listed.contains(branch)) {
                saw(branch, Input.NOT_LISTED);
            }
        });
        return false;
    }

    @Override
    public Boolean fateKnown(AgentEvent.FateKnown event) {
        return false;
    }

    @Override
    public Boolean databaseConnectionLost(AgentEvent.DatabaseConnectionLost event) {
        return false;
    }

    @Override
    public Boolean timerFired(AgentEvent.TimerFired event) {
        return event.key().accept(this);
    }

    @Override
    public Boolean drainStarted(AgentEvent.DrainStarted event) {
        return false;
    }

    @Override
    public Boolean stopped(AgentEvent.Stopped event) {
        return false;
    }

    // What a leader says.

    @Override
    public Boolean welcome(AgentMessage.Welcome message) {
        return false;
    }

    @Override
    public Boolean enlistRefused(AgentMessage.EnlistRefused message) {
        return saw(message.branch(), Input.ENLIST_REFUSED);
    }

    @Override
    public Boolean prepare(AgentMessage.Prepare message) {
        return saw(message.branch(), Input.PREPARE);
    }

    @Override
    public Boolean commitOnePhase(AgentMessage.CommitOnePhase message) {
        return saw(message.branch(), Input.COMMIT_ONE_PHASE);
    }

    @Override
    public Boolean askOnePhase(AgentMessage.AskOnePhase message) {
        return saw(message.branch(), Input.ASK_ONE_PHASE);
    }

    @Override
    public Boolean commitBranch(AgentMessage.CommitBranch message) {
        return saw(message.branch(), Input.COMMIT);
    }

    @Override
    public Boolean rollbackBranch(AgentMessage.RollbackBranch message) {
        return saw(message.branch(), Input.ROLLBACK);
    }

    @Override
    public Boolean sessionClosed(AgentMessage.SessionClosed message) {
        return sawAll(
                Input.SESSION_CLOSED,
                place ->
                        place.tx().epoch().equals(message.epoch()) && place.tx().session() == message.session());
    }

    @Override
    public Boolean inquiryAnswer(AgentMessage.InquiryAnswer message) {
        return saw(message.branch(), Input.INQUIRY_ANSWERED);
    }

    @Override
    public Boolean askFate(AgentMessage.AskFate message) {
        return false;
    }

    // Timers.

    @Override
    public Boolean deadline(AgentTimerKey.Deadline timer) {
        return sawAll(Input.DEADLINE, place -> place.tx().equals(timer.tx()));
    }

    @Override
    public Boolean phaseTwoRetry(AgentTimerKey.PhaseTwoRetry timer) {
        return saw(timer.branch(), Input.PHASE_TWO_RETRY);
    }

    @Override
    public Boolean scan(AgentTimerKey.Scan timer) {
        return false;
    }

    @Override
    public Boolean keptSweep(AgentTimerKey.KeptSweep timer) {
        return false;
    }
}
