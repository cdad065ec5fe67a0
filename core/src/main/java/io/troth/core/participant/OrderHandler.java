package io.troth.core.participant;

import io.troth.core.BranchId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import io.troth.core.Vote;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.OnePhaseFate;
import org.jspecify.annotations.Nullable;

/**
 * What the leader of one epoch says. Decisions are carried out whatever the epoch, if it could know them; everything
 * that leads to a decision only for the leader's own transactions, and only while no higher epoch was heard of
 * (protocol 9.6).
 */
@SuppressWarnings("NullAway") // A visitor of Void has nothing else to return.
final class OrderHandler implements AgentMessage.Visitor<Void> {

    private final AgentStateMachine agent;
    private final EpochId epoch;

    OrderHandler(AgentStateMachine agent, EpochId epoch) {
        this.agent = agent;
        this.epoch = epoch;
    }

    @Override
    public Void welcome(AgentMessage.Welcome message) {
        agent.welcomed(message.epoch());
        return null;
    }

    @Override
    public Void enlistRefused(AgentMessage.EnlistRefused message) {
        BranchStateMachine machine = agent.branches.get(message.branch());
        if (machine != null && machine.tx().equals(message.tx())) {
            agent.close(message.tx());
            machine.rollBack(message.reason(), agent.out);
        }
        return null;
    }

    @Override
    public Void prepare(AgentMessage.Prepare message) {
        if (!decidesNow(message.tx())) {
            return null;
        }
        agent.close(message.tx());
        BranchStateMachine machine = agent.branches.get(message.branch());
        if (machine != null && machine.tx().equals(message.tx())) {
            machine.prepare(message.calls(), agent.out);
        } else {
            Reason reason = gone(message.tx(), message.branch());
            agent.out.send(new CoordinatorMessage.BranchVote(message.tx(), message.branch(), Vote.NO, null, reason));
            agent.out.tell(new AgentNotice.Voted(message.tx(), message.branch(), Vote.NO, reason));
        }
        return null;
    }

    @Override
    public Void commitOnePhase(AgentMessage.CommitOnePhase message) {
        if (!decidesNow(message.tx())) {
            return null;
        }
        agent.close(message.tx());
        BranchStateMachine machine = agent.branches.get(message.branch());
        if (machine != null && machine.tx().equals(message.tx())) {
            machine.commitOnePhase(message.calls(), agent.out);
        } else {
            answerKept(message.tx(), message.branch());
        }
        return null;
    }

    @Override
    public Void askOnePhase(AgentMessage.AskOnePhase message) {
        if (!couldKnow(message.tx())) {
            return null;
        }
        agent.close(message.tx());
        BranchStateMachine machine = agent.branches.get(message.branch());
        if (machine != null && machine.tx().equals(message.tx())) {
            machine.askOnePhase(agent.out);
        } else {
            answerKept(message.tx(), message.branch());
        }
        return null;
    }

    @Override
    public Void commitBranch(AgentMessage.CommitBranch message) {
        BranchStateMachine machine = mayOrder(message.tx(), message.forced())
                ? resolvable(message.tx(), message.branch(), message.resource())
                : null;
        if (machine != null) {
            machine.commit(message.proof(), message.firstAttempt(), agent.out);
        }
        return null;
    }

    @Override
    public Void rollbackBranch(AgentMessage.RollbackBranch message) {
        if (!mayOrder(message.tx(), message.forced())) {
            return null;
        }
        agent.close(message.tx());
        KeptResults.Kept kept = agent.kept.find(message.tx(), message.branch());
        if (kept != null) {
            // It has ended before it was prepared, so there is nothing in the database.
            return null;
        }
        BranchStateMachine machine = resolvable(message.tx(), message.branch(), message.resource());
        if (machine != null) {
            machine.rollbackOrdered(
                    new Reason(ErrorCode.BRANCH_ROLLED_BACK, "the coordinator rolled " + message.tx() + " back"),
                    message.forced(),
                    agent.out);
        }
        return null;
    }

    @Override
    public Void sessionClosed(AgentMessage.SessionClosed message) {
        Reason reason = new Reason(ErrorCode.SESSION_ENDED, "client session " + message.session() + " is closed");
        for (BranchCalls calls : agent.ofSession(message.epoch(), message.session())) {
            for (BranchId branch : calls.live()) {
                BranchStateMachine machine = agent.branches.get(branch);
                if (machine != null && machine.state() == BranchState.ACTIVE) {
                    // One that somebody has asked to commit stays (protocol 4.3).
                    machine.rollBack(reason, agent.out);
                }
            }
            agent.close(calls.tx());
        }
        return null;
    }

    @Override
    public Void inquiryAnswer(AgentMessage.InquiryAnswer message) {
        BranchStateMachine machine = agent.branches.get(message.branch());
        if (machine != null && machine.tx().equals(message.tx())) {
            machine.leftAlone(message.outcome());
        }
        agent.out.tell(new AgentNotice.LeftAlone(message.tx(), message.branch(), message.outcome()));
        return null;
    }

    @Override
    public Void askFate(AgentMessage.AskFate message) {
        agent.askFate(message.resource(), message.tx(), message.branch(), message.proof());
        return null;
    }

    /** The branch, or a new machine for one that is (perhaps) prepared in the database; null when it is not for us. */
    private @Nullable BranchStateMachine resolvable(GlobalTxId tx, BranchId branch, String resource) {
        BranchStateMachine machine = agent.branches.get(branch);
        if (machine != null) {
            boolean same = machine.tx().equals(tx) && machine.resource().equals(resource);
            if (!same) {
                agent.out.alarm(
                        new Reason(
                                ErrorCode.INTERNAL,
                                "branch " + branch + " is of " + machine.tx() + " on " + machine.resource()
                                        + ", not of " + tx + " on " + resource),
                        tx);
            }
            return same ? machine : null;
        }
        if (!agent.scans.containsKey(resource)) {
            agent.out.alarm(new Reason(ErrorCode.UNKNOWN_RESOURCE, resource + " is not wrapped by this agent"), tx);
            return null;
        }
        BranchStateMachine found = BranchStateMachine.found(tx, branch, resource, agent.out);
        agent.branches.put(branch, found);
        return found;
    }

    /** A leader knows nothing of an epoch higher than its own, nor of one that had its number and another nonce. */
    private boolean couldKnow(GlobalTxId tx) {
        boolean could = epoch.number() > tx.epoch().number() || epoch.equals(tx.epoch());
        if (!could) {
            agent.out.alarm(
                    new Reason(ErrorCode.LOG_DISTRUSTED, "the leader of epoch " + epoch + " speaks of " + tx), tx);
        }
        return could;
    }

    /** What an operator has decided needs no knowledge of T: it is in the leader's log for any T. */
    private boolean mayOrder(GlobalTxId tx, boolean forced) {
        return forced || couldKnow(tx);
    }

    /** Only the leader of T's epoch decides T, and only while the agent has heard of no higher one. */
    private boolean decidesNow(GlobalTxId tx) {
        boolean deposed = agent.highestEpoch != null && agent.highestEpoch.number() > epoch.number();
        return !deposed && epoch.equals(tx.epoch());
    }

    private Reason gone(GlobalTxId tx, BranchId branch) {
        KeptResults.Kept kept = agent.kept.find(tx, branch);
        return kept != null && kept.reason() != null
                ? kept.reason()
                : new Reason(ErrorCode.BRANCH_NOT_FOUND, "branch " + branch + " is not known to its agent");
    }

    private void answerKept(GlobalTxId tx, BranchId branch) {
        KeptResults.Kept kept = agent.kept.find(tx, branch);
        if (kept != null) {
            BranchReports.sendProof(tx, branch, kept.proof(), agent.out);
        }
        agent.out.send(
                kept == null
                        ? new CoordinatorMessage.OnePhaseResult(tx, branch, OnePhaseFate.NOT_KNOWN, null)
                        : new CoordinatorMessage.OnePhaseResult(tx, branch, kept.fate(), kept.reason()));
    }
}
