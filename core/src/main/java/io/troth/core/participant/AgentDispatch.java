package io.troth.core.participant;

import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.Vote;
import io.troth.core.coordinator.OnePhaseFate;
import java.util.function.Consumer;

/** Finds who an event is for. Every method of the visitor returns null: the actions are in the outbox. */
@SuppressWarnings("NullAway") // A visitor of Void has nothing else to return.
final class AgentDispatch implements AgentEvent.Visitor<Void>, AgentTimerKey.Visitor<Void> {

    private final AgentStateMachine agent;
    private final CallAdmission admission;

    AgentDispatch(AgentStateMachine agent) {
        this.agent = agent;
        this.admission = new CallAdmission(agent);
    }

    @Override
    public Void heard(AgentEvent.Heard event) {
        agent.heard(event.epoch(), event.durableBatch());
        return null;
    }

    @Override
    public Void clusterHeard(AgentEvent.ClusterHeard event) {
        agent.clusterHeard(event.cluster());
        return null;
    }

    @Override
    public Void streamBroken(AgentEvent.StreamBroken event) {
        agent.streamBroken(event.reason());
        return null;
    }

    @Override
    public Void callJoins(AgentEvent.CallJoins event) {
        admission.join(event);
        return null;
    }

    @Override
    public Void announced(AgentEvent.Announced event) {
        with(event.branch(), machine -> {
            BranchCalls calls = agent.transactions.get(machine.tx());
            if (calls != null) {
                machine.enlist(calls.key(), event.remainingMillis(), agent.out);
            }
        });
        return null;
    }

    @Override
    public Void scopeClosed(AgentEvent.ScopeClosed event) {
        BranchCalls calls = agent.transactions.get(event.tx());
        if (calls != null) {
            for (BranchId branch : calls.live()) {
                with(branch, machine -> machine.scopeClosed(event.scopeId(), agent.out));
            }
        }
        return null;
    }

    @Override
    public Void statementBegins(AgentEvent.StatementBegins event) {
        BranchStateMachine machine = agent.branches.get(event.branch());
        Reason refusal = machine == null ? gone(event.branch()) : machine.statementBegins(event.scopeId());
        if (refusal != null) {
            agent.out.add(new AgentAction.StatementRefused(event.branch(), refusal));
            agent.out.tell(new AgentNotice.Refused(refusal));
        }
        return null;
    }

    private Reason gone(BranchId branch) {
        KeptResults.Kept kept = agent.kept.find(branch);
        return kept != null && kept.reason() != null
                ? kept.reason()
                : new Reason(ErrorCode.TRANSACTION_ENDED, "branch " + branch + " has finished");
    }

    @Override
    public Void statementEnded(AgentEvent.StatementEnded event) {
        with(event.branch(), machine -> machine.statementEnded(event.end(), agent.out));
        return null;
    }

    @Override
    public Void commitInPlace(AgentEvent.CommitInPlace event) {
        agent.close(event.tx());
        BranchStateMachine machine = agent.branches.get(event.branch());
        if (machine != null && machine.commitInPlace(agent.out)) {
            agent.settle(machine);
        } else {
            KeptResults.Kept kept = machine != null ? null : agent.kept.find(event.tx(), event.branch());
            agent.out.add(
                    kept == null
                            ? new AgentAction.EndedInPlace(event.branch(), OnePhaseFate.NOT_KNOWN, null)
                            : new AgentAction.EndedInPlace(event.branch(), kept.fate(), kept.reason()));
        }
        return null;
    }

    @Override
    public Void prepareInPlace(AgentEvent.PrepareInPlace event) {
        agent.close(event.tx());
        BranchStateMachine machine = agent.branches.get(event.branch());
        if (machine != null && machine.prepareInPlace(agent.out)) {
            agent.settle(machine);
        } else {
            Reason reason = machine == null
                    ? gone(event.branch())
                    : new Reason(
                            ErrorCode.TRANSACTION_PREPARING,
                            "branch " + event.branch() + " is " + machine.state() + ", not its client's to prepare");
            agent.out.add(new AgentAction.VotedInPlace(event.branch(), Vote.NO, null, reason));
            if (machine != null) {
                // A NO is for good: nobody tells a branch that has said it (protocol 7.1, 7.6).
                machine.rollBack(reason, agent.out);
            }
        }
        return null;
    }

    @Override
    public Void commitPreparedInPlace(AgentEvent.CommitPreparedInPlace event) {
        if (agent.branches.containsKey(event.branch())) {
            with(event.branch(), machine -> machine.commit(null, true, agent.out));
        } else {
            // The leader was first.
            agent.out.add(new AgentAction.EndedInPlace(event.branch(), OnePhaseFate.COMMITTED, null));
        }
        return null;
    }

    @Override
    public Void rollbackInPlace(AgentEvent.RollbackInPlace event) {
        BranchCalls calls = agent.transactions.get(event.tx());
        if (calls != null) {
            agent.giveUp(calls, event.reason());
        }
        return null;
    }

    @Override
    public Void ordered(AgentEvent.Ordered event) {
        if (!agent.peerRefused) {
            event.message().accept(new OrderHandler(agent, event.epoch()));
        }
        return null;
    }

    @Override
    public Void prepareCompleted(AgentEvent.PrepareCompleted event) {
        with(event.branch(), machine -> {
            boolean waited = machine.state() == BranchState.PREPARING;
            long scan = agent.scansStarted(machine.resource());
            machine.prepareCompleted(event.result(), scan, agent.out);
            if (waited && machine.state() == BranchState.IN_DOUBT) {
                agent.scan(machine.resource());
            }
        });
        return null;
    }

    @Override
    public Void onePhaseProofKnown(AgentEvent.OnePhaseProofKnown event) {
        with(event.branch(), machine -> machine.onePhaseProofKnown(event.proof(), agent.out));
        return null;
    }

    @Override
    public Void onePhaseCompleted(AgentEvent.OnePhaseCompleted event) {
        with(event.branch(), machine -> machine.onePhaseCompleted(event.completion(), agent.out));
        return null;
    }

    @Override
    public Void rollbackCompleted(AgentEvent.RollbackCompleted event) {
        with(event.branch(), machine -> machine.rollbackCompleted(agent.out));
        return null;
    }

    @Override
    public Void phaseTwoCompleted(AgentEvent.PhaseTwoCompleted event) {
        with(event.branch(), machine -> machine.phaseTwoCompleted(event.completion(), agent.limits, agent.out));
        return null;
    }

    @Override
    public Void scanCompleted(AgentEvent.ScanCompleted event) {
        agent.scanCompleted(event.resource(), event.completion());
        return null;
    }

    @Override
    public Void fateKnown(AgentEvent.FateKnown event) {
        agent.kept.settle(event.tx(), event.branch(), event.fate());
        agent.out.send(new CoordinatorMessage.FateReport(event.tx(), event.branch(), event.fate()));
        return null;
    }

    @Override
    public Void databaseConnectionLost(AgentEvent.DatabaseConnectionLost event) {
        agent.scan(event.resource());
        return null;
    }

    @Override
    public Void timerFired(AgentEvent.TimerFired event) {
        return event.key().accept(this);
    }

    @Override
    public Void drainStarted(AgentEvent.DrainStarted event) {
        agent.draining = true;
        return null;
    }

    @Override
    public Void stopped(AgentEvent.Stopped event) {
        agent.stop(event.reason());
        return null;
    }

    @Override
    public Void deadline(AgentTimerKey.Deadline timer) {
        BranchCalls calls = agent.transactions.get(timer.tx());
        if (calls != null) {
            agent.giveUp(
                    calls,
                    new Reason(ErrorCode.DEADLINE_EXCEEDED, "transaction " + timer.tx() + " ran out of its time"));
        }
        return null;
    }

    @Override
    public Void phaseTwoRetry(AgentTimerKey.PhaseTwoRetry timer) {
        with(timer.branch(), machine -> machine.retryPhaseTwo(agent.out));
        return null;
    }

    @Override
    public Void scan(AgentTimerKey.Scan timer) {
        agent.scan(timer.resource());
        return null;
    }

    @Override
    public Void keptSweep(AgentTimerKey.KeptSweep timer) {
        agent.keptSwept();
        return null;
    }

    private void with(BranchId branch, Consumer<BranchStateMachine> event) {
        BranchStateMachine machine = agent.branches.get(branch);
        if (machine != null) {
            event.accept(machine);
            agent.settle(machine);
        }
    }
}
