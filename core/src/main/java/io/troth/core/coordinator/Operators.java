package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.Decision;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.coordinator.OperatorTable.BranchKey;
import io.troth.core.coordinator.OperatorTable.Handed;
import io.troth.core.coordinator.OperatorTable.LeftAlone;
import org.jspecify.annotations.Nullable;

/** Decisions by force (protocol 10.6): HEURISTIC first, then the deed, then the comparison with the outcome. */
final class Operators {

    /** How many forced decisions wait for the log at the same time. */
    private static final int HANDED_MAX = 1_000;

    private final Leader leader;
    private final Answers answers;
    private final PhaseTwo phaseTwo;
    private final OutcomeTable outcomes;

    Operators(Leader leader, Answers answers, PhaseTwo phaseTwo, OutcomeTable outcomes) {
        this.leader = leader;
        this.answers = answers;
        this.phaseTwo = phaseTwo;
        this.outcomes = outcomes;
    }

    void forces(Event.OperatorForces event) {
        GlobalTxId tx = event.tx();
        BranchId branch = event.branch();
        CommittedTransaction committed = leader.committed.get(tx);
        GlobalTransaction open = leader.open(tx);
        LogRecord.Heuristic before = before(tx, branch);
        if (open != null && open.state != TransactionState.COMMITTED) {
            answers.refuse(
                    event.request(), ErrorCode.TRANSACTION_PREPARING, tx + " is not decided yet; nothing to force");
        } else if (before != null) {
            answers.refuse(
                    event.request(),
                    ErrorCode.TRANSACTION_ENDED,
                    tx + " was already decided by force: " + before.decision() + ", " + before.reason());
        } else if (branch == null && (committed == null || committed.endHanded)) {
            answers.refuse(event.request(), ErrorCode.UNKNOWN_TRANSACTION, tx + " has no COMMIT without END");
        } else if (branch == null && event.decision() != Decision.COMMIT) {
            answers.refuse(
                    event.request(), ErrorCode.INVALID_ARGUMENT, tx + " is committed; it can only be closed as such");
        } else if (branch != null && !isInDoubt(committed, tx, branch)) {
            answers.refuse(event.request(), ErrorCode.UNKNOWN_TRANSACTION, tx + ": no such branch is in doubt");
        } else if (leader.operator.handed.size() >= HANDED_MAX) {
            answers.refuse(event.request(), ErrorCode.OVERLOADED, "too many forced decisions at the same time");
        } else {
            LogRecord.Heuristic record = new LogRecord.Heuristic(tx, branch, event.decision(), event.reason());
            leader.operator.handed.add(new Handed(record, event.request()));
            leader.out.append(record, true);
        }
    }

    /** What was decided by force about this, or is about to be; null when nothing was. */
    private LogRecord.@Nullable Heuristic before(GlobalTxId tx, @Nullable BranchId branch) {
        LogRecord.Heuristic applied = leader.operator.heuristic(tx, branch);
        Handed handed = applied == null ? leader.operator.handed(tx, branch) : null;
        return handed == null ? applied : handed.record();
    }

    private boolean isInDoubt(@Nullable CommittedTransaction committed, GlobalTxId tx, BranchId branch) {
        CommittedBranch yes = committed == null ? null : committed.branch(branch);
        return (yes != null && !yes.done) || leader.operator.leftAlone.containsKey(new BranchKey(tx, branch));
    }

    /** HEURISTIC is applied: live, and in recovery. */
    void applied(LogRecord.Heuristic record) {
        BranchKey key = new BranchKey(record.tx(), record.branch());
        LogRecord.Heuristic before = leader.operator.heuristics.put(key, record);
        boolean takenBack =
                before != null && before.decision() == Decision.ROLLBACK && record.decision() == Decision.COMMIT;
        if (takenBack) {
            leader.operator.heuristics.remove(key);
        }
        if (leader.phase == Leader.Phase.RECOVERING || leader.phase == Leader.Phase.STARTING) {
            return;
        }
        BranchId branch = record.branch();
        LeftAlone left = branch == null ? null : leader.operator.leftAlone.get(new BranchKey(record.tx(), branch));
        CommittedTransaction committed = leader.committed.get(record.tx());
        Outcome outcome = committed == null ? Outcome.UNKNOWN : Outcome.COMMITTED;
        if (branch != null && leader.isReady()) {
            carryOut(record, branch, committed, left);
        }
        if (committed != null) {
            settle(committed, record);
        } else if (branch != null) {
            outcomes.compare(record, branch);
        }
        answer(record, outcome, takenBack);
    }

    /** What operators had decided before the restart holds after it. */
    void ready() {
        for (LogRecord.Heuristic record : leader.operator.heuristics.values()) {
            CommittedTransaction committed = leader.committed.get(record.tx());
            if (committed != null) {
                settle(committed, record);
            }
        }
    }

    private void carryOut(
            LogRecord.Heuristic record,
            BranchId branch,
            @Nullable CommittedTransaction committed,
            @Nullable LeftAlone left) {
        CommittedBranch yes = committed == null ? null : committed.branch(branch);
        if (yes != null && yes.done) {
            return;
        }
        String resource = yes != null ? yes.record.resource() : left == null ? null : left.resource();
        AgentStream stream = resource == null ? null : leader.agents.holding(branch, resource);
        if (stream == null && left != null) {
            stream = leader.agents.find(left.stream());
        }
        if (stream == null || resource == null) {
            // Nobody is there to do it: the agent that finds the branch prepared asks, and is told then.
            return;
        }
        leader.operator.resolved(record.tx(), branch);
        leader.out.toAgent(stream.id, order(record, branch, resource, yes == null ? null : yes.record.proof()));
    }

    /** The order that carries a forced decision out. */
    static AgentMessage order(LogRecord.Heuristic record, BranchId branch, String resource, @Nullable Proof proof) {
        return switch (record.decision()) {
            case COMMIT -> new AgentMessage.CommitBranch(record.tx(), branch, resource, proof, false, true);
            case ROLLBACK -> new AgentMessage.RollbackBranch(record.tx(), branch, resource, true);
        };
    }

    /** A forced decision against the COMMIT closes the branch; a closed COMMIT closes all that is left of it. */
    private void settle(CommittedTransaction committed, LogRecord.Heuristic record) {
        BranchId branch = record.branch();
        if (branch == null) {
            for (CommittedBranch each : committed.branches) {
                phaseTwo.closeBranch(committed, each, "closed by an operator: " + record.reason());
            }
            return;
        }
        CommittedBranch yes = committed.branch(branch);
        if (yes != null && record.decision() == Decision.ROLLBACK) {
            phaseTwo.closeBranch(committed, yes, "rolled back by force: " + record.reason());
        }
    }

    private void answer(LogRecord.Heuristic record, Outcome outcome, boolean takenBack) {
        Handed found = null;
        for (Handed handed : leader.operator.handed) {
            if (found == null && handed.record().equals(record)) {
                found = handed;
            }
        }
        if (found == null) {
            return;
        }
        leader.operator.handed.remove(found);
        if (takenBack) {
            answers.refuse(
                    found.request(), ErrorCode.UNKNOWN_TRANSACTION, record.tx() + ": the branch " + record.reason());
        } else {
            answers.answer(
                    found.request(),
                    record.tx(),
                    outcome,
                    true,
                    false,
                    record.branch(),
                    new Reason(ErrorCode.HEURISTIC_MIXED, "decided by force: " + record.reason()));
        }
    }
}
