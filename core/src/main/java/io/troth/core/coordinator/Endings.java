package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Invariant;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.Vote;
import org.jspecify.annotations.Nullable;

/** Every way in which a T ends (protocol 14, the exits to {@code ended}). */
final class Endings {

    private final Leader leader;
    private final Answers answers;
    private final Horizons horizons;

    Endings(Leader leader, Answers answers, Horizons horizons) {
        this.leader = leader;
        this.answers = answers;
        this.horizons = horizons;
    }

    /**
     * Rolls an ACTIVE or PREPARING T back: every branch that did not vote NO or READ_ONLY hears it (protocol 7.6). One
     * that is or may be prepared in a resource on hold is not resolved (10.4): its agent asks until it is released.
     */
    void rollBack(GlobalTransaction open, @Nullable BranchId cause, Reason reason) {
        boolean preparing = open.state == TransactionState.PREPARING;
        for (TransactionBranch branch : open.branches) {
            boolean left = preparing && leader.agents.held.contains(branch.resource);
            if (branch.vote != Vote.NO && branch.vote != Vote.READ_ONLY && !left) {
                AgentStream holder = leader.agents.ofInstance(branch.branch.instance());
                tell(holder == null && preparing ? another(branch) : holder, open.tx, branch.branch, branch.resource);
            }
        }
        end(open, Outcome.ROLLED_BACK, cause, reason);
    }

    /** Tells the instance that holds the branch, if it is connected; if not, the branch is dead or will ask. */
    void rollBackBranch(GlobalTxId tx, BranchId branch, String resource) {
        tell(leader.agents.ofInstance(branch.instance()), tx, branch, resource);
    }

    private void tell(@Nullable AgentStream stream, GlobalTxId tx, BranchId branch, String resource) {
        if (stream != null) {
            leader.operator.resolved(tx, branch);
            leader.out.toAgent(stream.id, new AgentMessage.RollbackBranch(tx, branch, resource));
        }
    }

    /**
     * Another instance at the database of a branch whose own is gone: if the branch is prepared, its locks need not last
     * until a list finds it (protocol 9.5). Null when none is connected.
     */
    private @Nullable AgentStream another(TransactionBranch branch) {
        return leader.agents.anyAt(branch.resource, branch.identity, 0);
    }

    /** Ends T: keeps the result, cancels its timers, answers who waits. */
    void end(GlobalTransaction open, Outcome outcome, @Nullable BranchId branch, @Nullable Reason reason) {
        TransactionState from = open.state;
        checkExit(open, outcome);
        cancelTimers(open);
        boolean onePhase = from == TransactionState.ONE_PHASE;
        BranchId kept = onePhase ? open.branches.get(0).branch : branch;
        String resource = onePhase ? open.branches.get(0).resource : null;
        EndedTransaction ended = new EndedTransaction(outcome, kept, reason, resource, false);
        ClientSession session = open.session;
        session.open.remove(open.tx.sequence());
        leader.openTransactions--;
        leader.count(from, -1);
        keep(session, open.tx, ended);
        open.state = TransactionState.ENDED;
        leader.out.notice(new Notice.StateChanged(open.tx, from, TransactionState.ENDED));
        leader.out.notice(new Notice.Ended(open.tx, outcome, reason));
        for (Waiter waiter : open.waiters) {
            answers.answer(waiter.request(), open.tx, outcome, true, false, branch, reason);
        }
        release(session);
    }

    /**
     * Ends a T that was never heard of, so that no late Enlist or Commit starts it (protocol 9.1). The caller has
     * checked that it is unheard and within the window.
     */
    EndedTransaction endUnheard(ClientSession session, GlobalTxId tx, Reason reason) {
        return endUnheard(session, tx, new EndedTransaction(Outcome.ROLLED_BACK, null, reason, null, true));
    }

    /** The same of a T that may have ended in place, with the outcome UNKNOWN. */
    EndedTransaction endUnheard(ClientSession session, GlobalTxId tx, EndedTransaction ended) {
        Invariants.check(Invariant.I6_ENDS_ONCE, session.isUnheard(tx.sequence()), tx, "ended although known");
        session.touch(tx.sequence());
        keep(session, tx, ended);
        leader.out.notice(new Notice.Ended(tx, ended.outcome(), ended.reason()));
        return ended;
    }

    /** Drops a closed session in which nothing is under way any more. */
    void release(ClientSession session) {
        if (session.isOver()) {
            leader.sessions.remove(session);
            horizons.consider();
        }
    }

    private void keep(ClientSession session, GlobalTxId tx, EndedTransaction ended) {
        if (session.closed || tx.sequence() < session.lowestOpen) {
            return;
        }
        EndedTransaction before = session.ended.put(tx.sequence(), ended);
        Invariants.check(Invariant.I6_ENDS_ONCE, before == null, tx, "ended twice");
        leader.keptResults++;
        Invariants.check(
                Invariant.I11_WITHIN_LIMITS,
                session.ended.size() <= leader.limits.sequenceWindowMax(),
                tx,
                "more results than the window has sequences");
    }

    private void checkExit(GlobalTransaction open, Outcome outcome) {
        boolean allowed = switch (open.state) {
            case ACTIVE -> outcome == Outcome.ROLLED_BACK;
            case PREPARING -> outcome == Outcome.ROLLED_BACK || outcome == Outcome.READ_ONLY;
            case COMMITTED -> outcome == Outcome.COMMITTED;
            case ONE_PHASE -> true;
            case COMMITTING, ENDED -> false;
        };
        Invariants.check(
                open.state == TransactionState.ENDED ? Invariant.I6_ENDS_ONCE : Invariant.I2_NEVER_BACK_AFTER_HANDING,
                allowed,
                open.tx,
                "this state has no exit to that outcome");
    }

    private void cancelTimers(GlobalTransaction open) {
        cancelDeadline(open);
        if (open.completionRunning) {
            open.completionRunning = false;
            leader.out.cancelTimer(new TimerKey.CompletionLimit(open.tx));
        }
    }

    void cancelDeadline(GlobalTransaction open) {
        if (open.deadlineRunning) {
            open.deadlineRunning = false;
            leader.out.cancelTimer(new TimerKey.Deadline(open.tx));
        }
    }

    /** A closed session or a lowestOpen that moved on: nobody will ever ask for commit. */
    void rollBackUncommitted(Iterable<GlobalTransaction> candidates, ErrorCode code, String detail) {
        for (GlobalTransaction open : candidates) {
            if (open.state == TransactionState.ACTIVE) {
                rollBack(open, null, new Reason(code, detail));
            }
        }
    }
}
