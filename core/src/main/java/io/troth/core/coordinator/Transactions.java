package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.BranchWork;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Invariant;
import io.troth.core.Outcome;
import io.troth.core.ProtocolViolation;
import io.troth.core.Reason;
import io.troth.core.Vote;
import io.troth.core.coordinator.AgentHello.AgentResource;
import io.troth.core.coordinator.LogRecord.YesBranch;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The transitions of one T at its leader (protocol 14): enlist, commit, deadline, and what follows the decision. */
final class Transactions {

    private final Leader leader;
    private final Answers answers;
    private final Endings endings;
    private final PhaseTwo phaseTwo;
    private final OnePhase onePhase;
    private final OutcomeTable outcomes;
    private final Votes votes;

    Transactions(
            Leader leader,
            Answers answers,
            Endings endings,
            PhaseTwo phaseTwo,
            OnePhase onePhase,
            OutcomeTable outcomes) {
        this.leader = leader;
        this.answers = answers;
        this.endings = endings;
        this.phaseTwo = phaseTwo;
        this.onePhase = onePhase;
        this.outcomes = outcomes;
        this.votes = new Votes(leader, endings, outcomes);
    }

    void vote(Event.VoteReceived event) {
        votes.vote(event);
    }

    void enlist(Event.Enlist event) {
        GlobalTxId tx = event.tx();
        AgentStream stream = leader.agents.find(event.stream());
        if (stream == null || stream.instance() != event.branch().instance() || !stream.offers(event.resource())) {
            answers.refuseEnlist(event, ErrorCode.INVALID_ARGUMENT, "not a branch of this instance and its resources");
            return;
        }
        if (tx.shard() != leader.shard || !leader.isOwn(tx.epoch())) {
            answers.refuseEnlist(event, ErrorCode.NOT_LEADER, tx + " is of another epoch or shard");
            return;
        }
        ClientSession session = leader.sessions.find(tx.session());
        if (session == null) {
            answers.refuseEnlist(event, ErrorCode.UNKNOWN_SESSION, tx + ": its session is not open");
            return;
        }
        if (!session.key.equals(event.key())) {
            answers.refuseEnlist(event, ErrorCode.WRONG_SESSION_KEY, tx + ": wrong key");
            return;
        }
        GlobalTransaction open = session.open.get(tx.sequence());
        if (open != null) {
            enlistKnown(event, open);
        } else if (!session.isUnheard(tx.sequence())) {
            answers.refuseEnlist(event, ErrorCode.TRANSACTION_ENDED, tx + " has ended");
        } else {
            Reason refusal = refusesNew(session, tx.sequence());
            if (refusal != null) {
                answers.refuseEnlist(event, refusal.code(), refusal.detail());
                return;
            }
            open = begin(session, tx, event.remainingMillis());
            open.branches.add(new TransactionBranch(event.branch(), event.resource(), event.stream()));
            session.agents.add(event.stream());
        }
    }

    private void enlistKnown(Event.Enlist event, GlobalTransaction open) {
        TransactionBranch known = open.branch(event.branch());
        if (known != null
                && known.resource.equals(event.resource())
                && event.stream().equals(known.stream)) {
            // A duplicate, or it was listed before its Enlist came (protocol 6.2).
            open.session.agents.add(event.stream());
        } else if (open.state != TransactionState.ACTIVE) {
            answers.refuseEnlist(event, ErrorCode.TRANSACTION_PREPARING, event.tx() + ": commit was asked for");
        } else if (known != null) {
            answers.refuseEnlist(event, ErrorCode.INVALID_ARGUMENT, event.branch() + " was enlisted for another use");
        } else if (open.branches.size() >= leader.limits.branchesPerTransactionMax()) {
            answers.refuseEnlist(event, ErrorCode.LIMIT_EXCEEDED, event.tx() + " has too many branches");
        } else {
            open.branches.add(new TransactionBranch(event.branch(), event.resource(), event.stream()));
            open.session.agents.add(event.stream());
        }
    }

    void commit(Event.CommitRequested event) {
        GlobalTxId tx = event.tx();
        if (tx.shard() != leader.shard || !leader.isOwn(tx.epoch())) {
            // A Commit at a leader of another epoch is only a question (protocol 6.1).
            outcomes.askedByClient(event.request(), tx, event.content());
            return;
        }
        ClientSession session = leader.sessions.find(tx.session());
        if (session == null) {
            outcomes.askedByClient(event.request(), tx, event.content());
            return;
        }
        if (!session.key.equals(event.key())) {
            answers.refuse(event.request(), ErrorCode.WRONG_SESSION_KEY, tx + ": wrong key");
            return;
        }
        GlobalTransaction open = session.open.get(tx.sequence());
        EndedTransaction ended = session.ended.get(tx.sequence());
        if (open != null && open.state != TransactionState.ACTIVE) {
            join(event, open);
        } else if (ended != null) {
            outcomes.answerEnded(event.request(), tx, ended, event.content());
            votes.tooLate(event, ended);
        } else if (open == null && !session.isUnheard(tx.sequence())) {
            outcomes.askedByClient(event.request(), tx, event.content());
        } else if (hasRepeatedBranch(event.content())) {
            answers.refuse(event.request(), ErrorCode.INVALID_ARGUMENT, tx + ": a branch is listed twice");
        } else if (!Votes.fit(event)) {
            answers.refuse(event.request(), ErrorCode.INVALID_ARGUMENT, tx + ": not one vote for each listed branch");
        } else if (open != null) {
            request(event, open);
        } else {
            commitUnheard(event, session);
        }
    }

    /** No Enlist has come yet: the Commit itself starts T, unless nothing may start (protocol 7.6, overload). */
    private void commitUnheard(Event.CommitRequested event, ClientSession session) {
        GlobalTxId tx = event.tx();
        Reason refusal = refusesNew(session, tx.sequence());
        if (refusal == null) {
            request(event, begin(session, tx, event.remainingMillis()));
        } else if (!leader.mayKeep(session, tx.sequence())) {
            answers.refuse(event.request(), refusal);
        } else {
            for (int i = 0; i < event.content().branches().size(); i++) {
                BranchWork work = event.content().branches().get(i);
                // One that was prepared in place, and whose resource is on hold, asks until that is released (10.4).
                if (event.votes().isEmpty()
                        || (event.votes().get(i).vote() == Vote.YES && !leader.agents.held.contains(work.resource()))) {
                    endings.rollBackBranch(tx, work.branch(), work.resource());
                }
            }
            answers.answer(event.request(), tx, endings.endUnheard(session, tx, refusal));
        }
    }

    /** A repeated Commit joins the first and gets its result (protocol 6.4). */
    private void join(Event.CommitRequested event, GlobalTransaction open) {
        if (!event.content().equals(open.content)) {
            answers.refuse(event.request(), ErrorCode.REQUEST_DIFFERS, open.tx + " was asked to commit otherwise");
            return;
        }
        Waiter waiter = new Waiter(event.request(), event.waitCompleted());
        boolean committed = open.state == TransactionState.COMMITTED;
        if (committed && (open.completionOver || !event.waitCompleted())) {
            answers.answer(event.request(), open.tx, Outcome.COMMITTED, false, true, null, null);
        } else if (open.waiters.contains(waiter)) {
            return;
        } else if (open.waiters.size() >= GlobalTransaction.WAITERS_MAX) {
            answers.refuse(event.request(), ErrorCode.OVERLOADED, open.tx + " is asked for too often at the same time");
        } else {
            open.waiters.add(waiter);
            if (committed) {
                startCompletion(open);
            }
        }
    }

    /** The first Commit of an ACTIVE T (protocol 6.2, 6.3). */
    private void request(Event.CommitRequested event, GlobalTransaction open) {
        open.content = event.content();
        open.waiters.add(new Waiter(event.request(), event.waitCompleted()));
        BranchId[] cause = new BranchId[1];
        Reason refusal = merge(open, event.content(), cause);
        if (!event.votes().isEmpty()) {
            votes.takeWithCommit(event, open, refusal, cause[0]);
            return;
        }
        if (refusal != null) {
            endings.rollBack(open, cause[0], refusal);
            return;
        }
        if (event.content().isOnePhase()) {
            leader.move(open, TransactionState.ONE_PHASE);
            endings.cancelDeadline(open);
            TransactionBranch only = open.branches.get(0);
            AgentStream holder = leader.agents.holding(only.branch, only.resource);
            if (holder == null) {
                throw new IllegalStateException(open.tx + ": its only branch lost its stream within one step");
            }
            onePhase.begin(open.tx, only, holder);
            return;
        }
        leader.move(open, TransactionState.PREPARING);
        open.votesMissing = open.branches.size();
        for (TransactionBranch branch : open.branches) {
            if (branch.stream != null) {
                leader.out.toAgent(branch.stream, new AgentMessage.Prepare(open.tx, branch.branch, branch.calls));
            }
        }
    }

    /** Joins the list with what has enlisted; returns why T can not commit, null when it can. */
    private @Nullable Reason merge(GlobalTransaction open, CommitContent content, BranchId[] cause) {
        Reason refusal = null;
        if (content.branches().size() > leader.limits.branchesPerTransactionMax()) {
            // Not merged: they are more than T may have.
            return new Reason(ErrorCode.LIMIT_EXCEEDED, content.branches().size() + " branches are listed");
        }
        for (BranchWork work : content.branches()) {
            TransactionBranch branch = open.branch(work.branch());
            AgentStream holder = leader.agents.holding(work.branch(), work.resource());
            if (branch == null) {
                branch = new TransactionBranch(work.branch(), work.resource(), holder == null ? null : holder.id);
                open.branches.add(branch);
            }
            branch.listed = true;
            AgentResource resource = holder == null ? null : holder.resource(work.resource());
            branch.identity = resource == null ? null : resource.identity();
            branch.calls = work.calls();
            Reason problem = null;
            if (!branch.resource.equals(work.resource())) {
                problem = new Reason(ErrorCode.INVALID_ARGUMENT, "enlisted for " + branch.resource);
            } else if (holder == null) {
                problem = new Reason(ErrorCode.INSTANCE_NOT_CONNECTED, work.resource());
            } else if (leader.agents.held.contains(work.resource())) {
                problem = new Reason(ErrorCode.RESOURCE_ON_HOLD, work.resource());
            }
            if (problem != null && refusal == null) {
                refusal = problem;
                cause[0] = work.branch();
            }
        }
        for (TransactionBranch branch : open.branches) {
            if (!branch.listed && refusal == null) {
                refusal = new Reason(ErrorCode.BRANCH_NOT_LISTED, branch.resource);
                cause[0] = branch.branch;
            }
        }
        return refusal;
    }

    /** COMMIT of the own epoch is applied: T is committed from here on (protocol 7.3). */
    void commitApplied(LogRecord.Commit record) {
        GlobalTransaction open = leader.open(record.tx());
        if (open == null || open.state != TransactionState.COMMITTING) {
            throw new ProtocolViolation(
                    Invariant.I1_DECIDES_OWN_FULLY_VOTED, record.tx() + ": applied and never handed to the log");
        }
        Invariants.check(
                Invariant.I5_COMMIT_SET_VOTED_YES,
                record.branches().size() == open.yesVotes,
                record.tx(),
                "the set is not that of the YES votes");
        CommittedTransaction committed = new CommittedTransaction(record.tx());
        for (YesBranch yes : record.branches()) {
            TransactionBranch branch = open.branch(yes.branch());
            Invariants.check(
                    Invariant.I5_COMMIT_SET_VOTED_YES,
                    branch != null && branch.vote == Vote.YES,
                    record.tx(),
                    "a branch in the set did not vote YES");
            committed.branches.add(new CommittedBranch(yes, branch == null ? null : branch.identity));
        }
        committed.undone = committed.branches.size();
        leader.committed.put(record.tx(), committed);
        leader.move(open, TransactionState.COMMITTED);
        boolean byClient = open.votedInPlace && isWaitedFor(open) && !phaseTwo.isHeld(committed);
        boolean waiting = false;
        for (int i = 0; i < open.waiters.size(); i++) {
            Waiter waiter = open.waiters.get(i);
            waiting |= waiter.waitCompleted();
            if (!waiter.waitCompleted()) {
                answers.answer(waiter.request(), open.tx, Outcome.COMMITTED, false, !byClient, null, null);
            }
        }
        open.waiters.removeIf(waiter -> !waiter.waitCompleted());
        if (byClient) {
            phaseTwo.leaveToClient(committed);
        } else {
            phaseTwo.drive(committed);
        }
        if (waiting) {
            startCompletion(open);
        }
    }

    /** Whether somebody who can carry the decision out hears it now. */
    private static boolean isWaitedFor(GlobalTransaction open) {
        return open.waiters.stream().anyMatch(waiter -> !waiter.waitCompleted());
    }

    void rollback(Event.RollbackRequested event) {
        GlobalTxId tx = event.tx();
        ClientSession session =
                tx.shard() == leader.shard && leader.isOwn(tx.epoch()) ? leader.sessions.find(tx.session()) : null;
        if (session == null) {
            outcomes.askedByClient(event.request(), tx, null);
            return;
        }
        if (!session.key.equals(event.key())) {
            answers.refuse(event.request(), ErrorCode.WRONG_SESSION_KEY, tx + ": wrong key");
            return;
        }
        GlobalTransaction open = session.open.get(tx.sequence());
        if (open != null && open.state == TransactionState.ACTIVE) {
            for (BranchWork work : event.branches()) {
                if (open.branch(work.branch()) == null) {
                    endings.rollBackBranch(tx, work.branch(), work.resource());
                }
            }
            open.waiters.add(new Waiter(event.request(), true));
            endings.rollBack(open, null, event.reason());
        } else if (open == null && session.isUnheard(tx.sequence()) && leader.mayKeep(session, tx.sequence())) {
            for (BranchWork work : event.branches()) {
                endings.rollBackBranch(tx, work.branch(), work.resource());
            }
            answers.answer(event.request(), tx, endings.endUnheard(session, tx, event.reason()));
        } else {
            outcomes.askedByClient(event.request(), tx, null);
        }
    }

    void deadlineFired(GlobalTxId tx) {
        GlobalTransaction open = leader.open(tx);
        if (open == null || !open.deadlineRunning) {
            return;
        }
        open.deadlineRunning = false;
        switch (open.state) {
            case ACTIVE, PREPARING -> endings.rollBack(open, null, Reason.of(ErrorCode.DEADLINE_EXCEEDED));
            case ONE_PHASE, COMMITTING, COMMITTED, ENDED -> {}
        }
    }

    /** The stream is gone, and with it every branch on it that is not prepared for certain (protocol 7.2). */
    void streamBroken(StreamId stream) {
        for (GlobalTransaction open : leader.sortedOpen()) {
            boolean undecided = open.state == TransactionState.ACTIVE || open.state == TransactionState.PREPARING;
            for (int i = 0; undecided && i < open.branches.size(); i++) {
                TransactionBranch branch = open.branches.get(i);
                if (stream.equals(branch.stream) && branch.vote == null) {
                    endings.rollBack(open, branch.branch, new Reason(ErrorCode.STREAM_BROKEN, branch.resource));
                    undecided = false;
                }
            }
        }
    }

    /** Why this session starts no T of this sequence, null when it does. */
    private @Nullable Reason refusesNew(ClientSession session, long sequence) {
        if (leader.refusing != null) {
            return leader.refusing;
        }
        if (session.aged && sequence > session.agedHighest) {
            return new Reason(ErrorCode.SESSION_ENDED, "the session is too old to start transactions");
        }
        if (!session.isWithin(sequence, leader.limits.sequenceWindowMax())) {
            return new Reason(ErrorCode.LIMIT_EXCEEDED, "too many sequences above the lowest open one");
        }
        if (session.open.size() >= leader.limits.openTransactionsPerSessionMax()) {
            return new Reason(ErrorCode.LIMIT_EXCEEDED, "too many open transactions in one session");
        }
        if (leader.openTransactions >= leader.limits.openTransactionsMax()) {
            return new Reason(ErrorCode.OVERLOADED, "too many open transactions");
        }
        if (leader.keepsTooMany()) {
            return new Reason(ErrorCode.OVERLOADED, "clients do not say which results they have heard");
        }
        return null;
    }

    private GlobalTransaction begin(ClientSession session, GlobalTxId tx, long remainingMillis) {
        GlobalTransaction open = new GlobalTransaction(tx, session);
        session.open.put(tx.sequence(), open);
        session.touch(tx.sequence());
        leader.openTransactions++;
        leader.count(open.state, 1);
        open.deadlineRunning = true;
        long delay = Math.max(0, Math.min(remainingMillis, leader.limits.transactionTimeoutMaxMillis()));
        leader.out.startTimer(new TimerKey.Deadline(tx), delay);
        return open;
    }

    private void startCompletion(GlobalTransaction open) {
        if (!open.completionRunning && open.state == TransactionState.COMMITTED) {
            open.completionRunning = true;
            leader.out.startTimer(new TimerKey.CompletionLimit(open.tx), leader.limits.completionLimitMillis());
        }
    }

    /** Quadratic, so not asked of a list that is too long anyway. */
    private boolean hasRepeatedBranch(CommitContent content) {
        List<BranchWork> branches = content.branches();
        if (branches.size() > leader.limits.branchesPerTransactionMax()) {
            return false;
        }
        for (int i = 1; i < branches.size(); i++) {
            for (int j = 0; j < i; j++) {
                if (branches.get(i).branch().equals(branches.get(j).branch())) {
                    return true;
                }
            }
        }
        return false;
    }
}
