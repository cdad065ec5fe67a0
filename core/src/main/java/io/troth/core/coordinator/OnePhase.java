package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.coordinator.AgentHello.AgentResource;
import io.troth.core.coordinator.OnePhaseCase.Stage;
import org.jspecify.annotations.Nullable;

/**
 * One branch that commits by itself (protocol 8). Nobody presumes rollback here: the instance says how it ended, else
 * the database by the proof, else the client hears UNKNOWN.
 */
final class OnePhase {

    private final Leader leader;
    private final Answers answers;
    private final Endings endings;

    OnePhase(Leader leader, Answers answers, Endings endings) {
        this.leader = leader;
        this.answers = answers;
        this.endings = endings;
    }

    /** Tells the instance to commit. T is in state ONE_PHASE and its only branch has a live stream. */
    void begin(GlobalTxId tx, TransactionBranch branch, AgentStream holder) {
        OnePhaseCase one = new OnePhaseCase(tx, branch.branch, branch.resource);
        AgentResource resource = holder.resource(branch.resource);
        one.identity = resource == null ? null : resource.identity();
        one.asked = holder.id;
        leader.onePhase.put(tx, one);
        leader.out.toAgent(holder.id, new AgentMessage.CommitOnePhase(tx, branch.branch, branch.calls));
    }

    /** Somebody asks about a one-phase T that left no record here (protocol 8.3). */
    void ask(RequestId request, GlobalTxId tx, BranchId branch, String resource) {
        OnePhaseCase one = leader.onePhase.get(tx);
        if (one != null && !one.branch.equals(branch)) {
            answers.refuse(request, ErrorCode.REQUEST_DIFFERS, tx + " is asked about with another branch");
            return;
        }
        if (one == null) {
            if (leader.onePhase.size() >= leader.limits.openTransactionsMax()) {
                answers.refuse(request, ErrorCode.OVERLOADED, "too many questions about one-phase transactions");
                return;
            }
            one = new OnePhaseCase(tx, branch, resource);
            leader.onePhase.put(tx, one);
            AgentStream holder = leader.agents.ofInstance(branch.instance());
            if (holder != null) {
                askInstance(one, holder);
            } else {
                waitForInstance(one);
            }
        }
        if (one.waiters.contains(request)) {
            return;
        }
        if (one.waiters.size() >= GlobalTransaction.WAITERS_MAX) {
            answers.refuse(request, ErrorCode.OVERLOADED, tx + " is asked about too often at the same time");
            return;
        }
        one.waiters.add(request);
    }

    void proof(Event.OnePhaseProof event) {
        OnePhaseCase one = leader.onePhase.get(event.tx());
        if (one != null && isFromHolder(one, event.stream(), event.branch())) {
            one.proof = event.proof();
        }
    }

    void result(Event.OnePhaseResult event) {
        OnePhaseCase one = leader.onePhase.get(event.tx());
        if (one == null) {
            upgrade(event);
            return;
        }
        if (!isFromHolder(one, event.stream(), event.branch())) {
            return;
        }
        switch (event.fate()) {
            case COMMITTED -> conclude(one, Outcome.COMMITTED, null);
            case READ_ONLY -> conclude(one, Outcome.READ_ONLY, null);
            case ROLLED_BACK ->
                conclude(
                        one,
                        Outcome.ROLLED_BACK,
                        event.reason() == null ? Reason.of(ErrorCode.COMMIT_REFUSED) : event.reason());
            case LOST, NOT_KNOWN -> {
                if (one.stage != Stage.FATE) {
                    withoutWord(one);
                }
            }
        }
    }

    void fateReported(Event.FateReported event) {
        OnePhaseCase one = leader.onePhase.get(event.tx());
        AgentStream stream = leader.agents.find(event.stream());
        if (one == null
                || stream == null
                || one.stage != Stage.FATE
                || !one.branch.equals(event.branch())
                || !stream.offers(one.resource, one.identity)) {
            return;
        }
        switch (event.fate()) {
            case COMMITTED -> conclude(one, Outcome.COMMITTED, null);
            case ROLLED_BACK -> conclude(one, Outcome.ROLLED_BACK, Reason.of(ErrorCode.CONNECTION_LOST));
            case IN_PROGRESS -> {
                // The retry timer runs since the question was sent.
            }
            case UNKNOWN -> conclude(one, Outcome.UNKNOWN, Reason.of(ErrorCode.OUTCOME_UNKNOWN));
        }
    }

    /** The instance is back: it has kept its answer. */
    void connected(AgentStream stream) {
        for (OnePhaseCase one : leader.sortedOnePhase()) {
            if (one.branch.instance() == stream.instance()) {
                cancelTimer(one);
                askInstance(one, stream);
            }
        }
    }

    void disconnected(StreamId stream) {
        for (OnePhaseCase one : leader.sortedOnePhase()) {
            if (one.stage == Stage.INSTANCE && stream.equals(one.asked)) {
                waitForInstance(one);
            }
        }
    }

    void instanceGoneFired(GlobalTxId tx) {
        OnePhaseCase one = leader.onePhase.get(tx);
        if (one != null && one.stage == Stage.ABSENT) {
            // Its timer has fired: nothing is left to cancel.
            one.stage = Stage.INSTANCE;
            withoutWord(one);
        }
    }

    void fateRetryFired(GlobalTxId tx) {
        OnePhaseCase one = leader.onePhase.get(tx);
        if (one != null && one.stage == Stage.FATE) {
            askFate(one);
        }
    }

    private void askInstance(OnePhaseCase one, AgentStream holder) {
        one.stage = Stage.INSTANCE;
        one.asked = holder.id;
        leader.out.toAgent(holder.id, new AgentMessage.AskOnePhase(one.tx, one.branch));
    }

    private void waitForInstance(OnePhaseCase one) {
        one.stage = Stage.ABSENT;
        one.asked = null;
        leader.out.startTimer(new TimerKey.InstanceGone(one.tx), leader.limits.instanceGoneMillis());
    }

    /** The instance can not say: the proof can, or nobody. */
    private void withoutWord(OnePhaseCase one) {
        if (one.proof == null) {
            conclude(one, Outcome.UNKNOWN, Reason.of(ErrorCode.OUTCOME_UNKNOWN));
        } else {
            one.stage = Stage.FATE;
            askFate(one);
        }
    }

    private void askFate(OnePhaseCase one) {
        if (one.proof == null) {
            return;
        }
        AgentStream asked = leader.agents.anyAt(one.resource, one.identity, 0);
        one.asked = asked == null ? null : asked.id;
        if (asked != null) {
            leader.out.toAgent(asked.id, new AgentMessage.AskFate(one.tx, one.branch, one.resource, one.proof));
        }
        leader.out.startTimer(new TimerKey.FateRetry(one.tx), leader.limits.fateRetryMillis());
    }

    private void cancelTimer(OnePhaseCase one) {
        switch (one.stage) {
            case INSTANCE -> {}
            case ABSENT -> leader.out.cancelTimer(new TimerKey.InstanceGone(one.tx));
            case FATE -> leader.out.cancelTimer(new TimerKey.FateRetry(one.tx));
        }
    }

    private boolean isFromHolder(OnePhaseCase one, StreamId streamId, BranchId branch) {
        AgentStream stream = leader.agents.find(streamId);
        boolean holder = stream != null && stream.instance() == branch.instance() && one.branch.equals(branch);
        if (!holder) {
            leader.out.refused(new Reason(ErrorCode.INVALID_ARGUMENT, one.tx + ": not the holder of the branch"));
        }
        return holder;
    }

    private void conclude(OnePhaseCase one, Outcome outcome, @Nullable Reason reason) {
        cancelTimer(one);
        leader.onePhase.remove(one.tx);
        BranchId cause = reason == null ? null : one.branch;
        GlobalTransaction open = leader.open(one.tx);
        if (open != null) {
            endings.end(open, outcome, cause, reason);
        } else {
            replaceUnknown(one.tx, one.branch, outcome, reason);
        }
        for (RequestId request : one.waiters) {
            answers.answer(request, one.tx, outcome, true, false, cause, reason);
        }
    }

    /** A kept result arrives after the client was told UNKNOWN (protocol 8.2). */
    private void upgrade(Event.OnePhaseResult event) {
        AgentStream stream = leader.agents.find(event.stream());
        if (stream == null || stream.instance() != event.branch().instance()) {
            return;
        }
        switch (event.fate()) {
            case COMMITTED -> replaceUnknown(event.tx(), event.branch(), Outcome.COMMITTED, null);
            case READ_ONLY -> replaceUnknown(event.tx(), event.branch(), Outcome.READ_ONLY, null);
            case ROLLED_BACK -> replaceUnknown(event.tx(), event.branch(), Outcome.ROLLED_BACK, event.reason());
            case LOST, NOT_KNOWN -> {}
        }
    }

    private void replaceUnknown(GlobalTxId tx, BranchId branch, Outcome outcome, @Nullable Reason reason) {
        if (tx.shard() != leader.shard || !leader.isOwn(tx.epoch())) {
            return;
        }
        ClientSession session = leader.sessions.find(tx.session());
        EndedTransaction kept = session == null ? null : session.ended.get(tx.sequence());
        if (session != null && kept != null && kept.outcome() == Outcome.UNKNOWN && branch.equals(kept.branch())) {
            session.ended.put(
                    tx.sequence(), new EndedTransaction(outcome, branch, reason, kept.resource(), kept.unheard()));
        }
    }
}
