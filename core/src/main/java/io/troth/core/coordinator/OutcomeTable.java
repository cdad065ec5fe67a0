package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.BranchWork;
import io.troth.core.Decision;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The table of protocol 9.1: what a ready leader says about a T, by the first row that fits, with one column for agents
 * that hold the prepared branch and one for clients. What is not in memory is looked up in the log first.
 */
final class OutcomeTable {

    private final Leader leader;
    private final Answers answers;
    private final Endings endings;
    private final PhaseTwo phaseTwo;
    private final OnePhase onePhase;

    OutcomeTable(Leader leader, Answers answers, Endings endings, PhaseTwo phaseTwo, OnePhase onePhase) {
        this.leader = leader;
        this.answers = answers;
        this.endings = endings;
        this.phaseTwo = phaseTwo;
        this.onePhase = onePhase;
    }

    /** A client asks; {@code content} is that of T's Commit, null when it does not say. */
    void askedByClient(RequestId request, GlobalTxId tx, @Nullable CommitContent content) {
        if (tx.shard() != leader.shard) {
            answers.refuse(request, ErrorCode.INVALID_ARGUMENT, tx + " is not of shard " + leader.shard);
            return;
        }
        if (tx.epoch().number() > leader.epoch().number()) {
            answers.answer(request, tx, Outcome.NOT_LEADER);
            return;
        }
        if (!leader.epochs.isKnown(tx.epoch())) {
            leader.out.alarm(ErrorCode.OUTCOME_UNKNOWN, "asked about an epoch that is not in the log", tx);
            answers.answer(request, tx, Outcome.UNKNOWN);
            return;
        }
        CommittedTransaction committed = leader.committed.get(tx);
        if (committed != null) {
            Reason reason = committed.mixed == null ? null : Reason.of(ErrorCode.HEURISTIC_MIXED);
            answers.answer(request, tx, Outcome.COMMITTED, true, committed.undone > 0, committed.mixed, reason);
        } else if (leader.isOwn(tx.epoch())) {
            askedAboutOwn(request, tx, content);
        } else {
            fetch(Question.ofClient(request, tx, content));
        }
    }

    private void askedAboutOwn(RequestId request, GlobalTxId tx, @Nullable CommitContent content) {
        ClientSession session = leader.sessions.find(tx.session());
        if (session == null) {
            if (tx.session() >= leader.sessions.next) {
                answers.refuse(request, ErrorCode.UNKNOWN_SESSION, tx + ": no such session was ever opened");
            } else {
                fetch(Question.ofClient(request, tx, content));
            }
            return;
        }
        EndedTransaction ended = session.ended.get(tx.sequence());
        if (session.open.containsKey(tx.sequence())) {
            answers.answer(request, tx, Outcome.PENDING);
        } else if (ended != null) {
            answerEnded(request, tx, ended, content);
        } else if (!session.isUnheard(tx.sequence())) {
            fetch(Question.ofClient(request, tx, content));
        } else if (leader.epochs.isDistrusted(tx.epoch()) || !leader.mayKeep(session, tx.sequence())) {
            answers.answer(request, tx, Outcome.UNKNOWN);
        } else if (session.commitsInPlace && content == null) {
            // It may have ended, or may yet end, without a word to this leader.
            answers.answer(request, tx, Outcome.UNKNOWN);
        } else if (session.commitsInPlace && content != null && content.isOnePhase()) {
            // Only its agent can tell; and what that says is the end of it, so it must not start here meanwhile.
            BranchWork only = content.branches().get(0);
            Reason reason = new Reason(ErrorCode.OUTCOME_UNKNOWN, "never heard of, and it may have ended in place");
            EndedTransaction unknown =
                    new EndedTransaction(Outcome.UNKNOWN, only.branch(), reason, only.resource(), true);
            answerEnded(request, tx, endings.endUnheard(session, tx, unknown), content);
        } else {
            Reason reason = new Reason(ErrorCode.UNKNOWN_TRANSACTION, "never heard of, and it can not start any more");
            List<BranchWork> listed = content == null ? List.of() : content.branches();
            for (BranchWork work : listed) {
                // It may have been prepared in place; then it asks until its resource is released (10.4).
                if (!session.commitsInPlace || !leader.agents.held.contains(work.resource())) {
                    endings.rollBackBranch(tx, work.branch(), work.resource());
                }
            }
            answers.answer(request, tx, endings.endUnheard(session, tx, reason));
        }
    }

    /**
     * Says a kept result; an UNKNOWN one is looked into once more (protocol 8.2). {@code content} is that of T's Commit, null
     * when it is not known.
     */
    void answerEnded(RequestId request, GlobalTxId tx, EndedTransaction ended, @Nullable CommitContent content) {
        boolean unknown = ended.outcome() == Outcome.UNKNOWN;
        if (unknown && content != null && !content.isOnePhase()) {
            // It could only have been committed here, and was ended before its Commit came.
            answers.answer(request, tx, Outcome.ROLLED_BACK, false, false, null, ended.reason());
        } else if (unknown && ended.branch() != null && ended.resource() != null) {
            onePhase.ask(request, tx, ended.branch(), ended.resource());
        } else {
            answers.answer(request, tx, ended);
        }
    }

    /** An agent holds a prepared branch of T and asks; an unexpected YES asks the same. */
    void askedByAgent(AgentStream stream, GlobalTxId tx, BranchId branch, String resource) {
        LogRecord.Heuristic forced = leader.operator.heuristic(tx, branch);
        if (forced != null) {
            leader.operator.resolved(tx, branch);
            leader.out.toAgent(stream.id, Operators.order(forced, branch, resource, null));
            return;
        }
        if (isImpossible(tx)) {
            leaveImpossible(stream, tx, branch, resource);
            return;
        }
        if (leader.agents.held.contains(resource)) {
            leave(stream, tx, branch, resource, Outcome.PENDING);
            return;
        }
        CommittedTransaction committed = leader.committed.get(tx);
        if (committed != null) {
            tellCommitted(stream, committed, branch, resource);
        } else if (leader.isOwn(tx.epoch())) {
            askedByAgentAboutOwn(stream, tx, branch, resource);
        } else {
            fetch(Question.ofAgent(stream.id, tx, branch, resource));
        }
    }

    /** True for a T that this log can not have led to. */
    private boolean isImpossible(GlobalTxId tx) {
        return tx.shard() != leader.shard
                || tx.epoch().number() > leader.epoch().number()
                || !leader.epochs.isKnown(tx.epoch())
                || (leader.isOwn(tx.epoch()) && tx.session() >= leader.sessions.next);
    }

    /**
     * Compares a decision by force with the outcome of T (protocol 10.6), which has no COMMIT in memory: nobody may ever
     * ask for it. While T is open it is for the answer to compare.
     */
    void compare(LogRecord.Heuristic forced, BranchId branch) {
        GlobalTxId tx = forced.tx();
        if (isImpossible(tx) || leader.open(tx) != null) {
            return;
        }
        ClientSession session = leader.isOwn(tx.epoch()) ? leader.sessions.find(tx.session()) : null;
        if (session != null && session.isUnheard(tx.sequence())) {
            if (leader.epochs.isDistrusted(tx.epoch()) || !leader.mayKeep(session, tx.sequence())) {
                return;
            }
            endByBranch(session, tx, "a branch of it was decided by force");
        }
        EndedTransaction ended = session == null ? null : session.ended.get(tx.sequence());
        if (ended == null || ended.outcome() == Outcome.COMMITTED) {
            fetch(Question.ofForced(tx, branch));
        } else if (forced.decision() == Decision.COMMIT && neverPrepared(ended)) {
            answers.mixed(forced);
        }
    }

    private void compareFetched(GlobalTxId tx, BranchId branch, LogRecord.@Nullable Commit commit) {
        LogRecord.Heuristic forced = leader.operator.heuristic(tx, branch);
        if (forced == null) {
            return;
        }
        boolean committed = commit != null
                && commit.branches().stream().anyMatch(yes -> yes.branch().equals(branch));
        ClientSession session = leader.isOwn(tx.epoch()) ? leader.sessions.find(tx.session()) : null;
        boolean rolledBack = commit == null
                && !leader.epochs.isDistrusted(tx.epoch())
                && !leader.epochs.isForgotten(tx)
                && (session == null || !session.ended.containsKey(tx.sequence()));
        if (forced.decision() == Decision.ROLLBACK ? committed : rolledBack) {
            answers.mixed(forced);
        }
    }

    private void askedByAgentAboutOwn(AgentStream stream, GlobalTxId tx, BranchId branch, String resource) {
        ClientSession session = leader.sessions.find(tx.session());
        EndedTransaction ended = session == null ? null : session.ended.get(tx.sequence());
        if (session != null && session.open.containsKey(tx.sequence())) {
            leader.out.toAgent(stream.id, new AgentMessage.InquiryAnswer(tx, branch, Outcome.PENDING));
        } else if (session != null && session.isUnheard(tx.sequence())) {
            if (session.mayPrepareUnheard()) {
                // Its votes may be on their way with its Commit (protocol 6.5).
                leader.out.toAgent(stream.id, new AgentMessage.InquiryAnswer(tx, branch, Outcome.PENDING));
                return;
            }
            if (leader.epochs.isDistrusted(tx.epoch()) || !leader.mayKeep(session, tx.sequence())) {
                leave(stream, tx, branch, resource, Outcome.UNKNOWN);
                return;
            }
            endByBranch(session, tx, "a prepared branch asked about it");
            rollBack(stream, tx, branch, resource);
        } else if (ended != null && ended.outcome() == Outcome.UNKNOWN && !neverPrepared(ended)) {
            leave(stream, tx, branch, resource, Outcome.UNKNOWN);
        } else if (ended != null && ended.outcome() != Outcome.COMMITTED) {
            rollBack(stream, tx, branch, resource);
        } else {
            // Committed and done, or its result is not kept: the log has the set of branches.
            fetch(Question.ofAgent(stream.id, tx, branch, resource));
        }
    }

    /**
     * T was never heard of, and yet a branch of it was prepared, which is none that it could commit. Whether T itself has ended in
     * place nobody says by that.
     */
    private void endByBranch(ClientSession session, GlobalTxId tx, String why) {
        Outcome outcome = session.commitsInPlace ? Outcome.UNKNOWN : Outcome.ROLLED_BACK;
        Reason reason = new Reason(ErrorCode.UNKNOWN_TRANSACTION, why);
        endings.endUnheard(session, tx, new EndedTransaction(outcome, null, reason, null, true));
    }

    /** Whether no branch of T that is prepared can be committed: T is rolled back, or was ended before it was heard of. */
    private static boolean neverPrepared(EndedTransaction ended) {
        return ended.outcome() == Outcome.ROLLED_BACK || (ended.outcome() == Outcome.UNKNOWN && ended.unheard());
    }

    /** The log has looked: go on where the question had to wait. */
    void fetched(Event.CommitFetched event) {
        List<Question> questions = leader.fetching.remove(event.tx());
        if (questions == null) {
            return;
        }
        leader.questions -= questions.size();
        for (Question question : questions) {
            if (question.request() != null) {
                afterFetch(question.request(), question, event.commit());
            } else if (question.agent() != null && question.branch() != null && question.resource() != null) {
                AgentStream stream = leader.agents.find(question.agent());
                if (stream != null && leader.agents.held.contains(question.resource())) {
                    leave(stream, question.tx(), question.branch(), question.resource(), Outcome.PENDING);
                } else if (stream != null) {
                    afterFetch(stream, question.tx(), question.branch(), question.resource(), event.commit());
                }
            } else if (question.branch() != null) {
                compareFetched(question.tx(), question.branch(), event.commit());
            }
        }
    }

    private void afterFetch(RequestId request, Question question, LogRecord.@Nullable Commit commit) {
        GlobalTxId tx = question.tx();
        CommitContent content = question.content();
        if (commit != null) {
            answers.answer(request, tx, Outcome.COMMITTED, true, false, null, null);
        } else if (leader.epochs.isDistrusted(tx.epoch())) {
            answers.answer(request, tx, Outcome.UNKNOWN);
        } else if (leader.epochs.isForgotten(tx)) {
            answers.answer(request, tx, Outcome.FORGOTTEN);
        } else if (content == null) {
            answers.answer(request, tx, Outcome.UNKNOWN);
        } else if (content.isOnePhase()) {
            BranchWork only = content.branches().get(0);
            onePhase.ask(request, tx, only.branch(), only.resource());
        } else {
            ErrorCode code = leader.isOwn(tx.epoch()) ? ErrorCode.SESSION_ENDED : ErrorCode.LEADER_CHANGED;
            answers.answer(request, tx, Outcome.ROLLED_BACK, false, false, null, Reason.of(code));
        }
    }

    private void afterFetch(
            AgentStream stream, GlobalTxId tx, BranchId branch, String resource, LogRecord.@Nullable Commit commit) {
        if (commit != null) {
            for (LogRecord.YesBranch yes : commit.branches()) {
                if (yes.branch().equals(branch)) {
                    leader.operator.resolved(tx, branch);
                    leader.out.toAgent(
                            stream.id, new AgentMessage.CommitBranch(tx, branch, resource, yes.proof(), false));
                    return;
                }
            }
            leaveStranger(stream, tx, branch, resource);
        } else if (leader.epochs.isDistrusted(tx.epoch())) {
            leave(stream, tx, branch, resource, Outcome.UNKNOWN);
        } else if (leader.epochs.isForgotten(tx)) {
            leader.out.alarm(
                    ErrorCode.OUTCOME_FORGOTTEN, "branch " + branch + " of " + resource + " is still prepared", tx);
            leave(stream, tx, branch, resource, Outcome.UNKNOWN);
        } else {
            ClientSession session = leader.isOwn(tx.epoch()) ? leader.sessions.find(tx.session()) : null;
            EndedTransaction ended = session == null ? null : session.ended.get(tx.sequence());
            if (ended != null && ended.outcome() == Outcome.COMMITTED) {
                // Committed in one phase, and yet a branch of it is prepared: not one of T's.
                leaveStranger(stream, tx, branch, resource);
            } else {
                rollBack(stream, tx, branch, resource);
            }
        }
    }

    private void tellCommitted(AgentStream stream, CommittedTransaction committed, BranchId branch, String resource) {
        CommittedBranch yes = committed.branch(branch);
        if (yes == null) {
            leaveStranger(stream, committed.tx, branch, resource);
        } else {
            phaseTwo.tell(committed, yes, stream, resource);
        }
    }

    private void rollBack(AgentStream stream, GlobalTxId tx, BranchId branch, String resource) {
        leader.operator.resolved(tx, branch);
        leader.out.toAgent(stream.id, new AgentMessage.RollbackBranch(tx, branch, resource));
    }

    /** T is committed and this branch is not in its set. */
    private void leaveStranger(AgentStream stream, GlobalTxId tx, BranchId branch, String resource) {
        leader.out.alarm(
                ErrorCode.OUTCOME_UNKNOWN,
                "branch " + branch + " of " + resource + " is prepared and not one of the committed transaction's",
                tx);
        leave(stream, tx, branch, resource, Outcome.UNKNOWN);
    }

    /** An xid that this log can not have led to: evidence against that resource only (protocol 10.5). */
    private void leaveImpossible(AgentStream stream, GlobalTxId tx, BranchId branch, String resource) {
        EpochId epoch = tx.epoch();
        if (!leader.epochs.isDistrusted(epoch)) {
            leader.agents.held.add(resource);
        }
        leader.out.alarm(
                ErrorCode.OUTCOME_UNKNOWN,
                "branch " + branch + " is prepared in " + resource + " for a transaction this log can not know",
                tx);
        leader.operator.leave(tx, branch, new OperatorTable.LeftAlone(resource, stream.id, Outcome.UNKNOWN));
    }

    private void leave(AgentStream stream, GlobalTxId tx, BranchId branch, String resource, Outcome outcome) {
        leader.operator.leave(tx, branch, new OperatorTable.LeftAlone(resource, stream.id, outcome));
        leader.out.toAgent(stream.id, new AgentMessage.InquiryAnswer(tx, branch, outcome));
    }

    /** Looks T up in the log, once for all who ask at the same time. */
    private void fetch(Question question) {
        if (leader.questions >= leader.limits.openTransactionsMax()) {
            // An agent asks again by itself.
            if (question.request() != null) {
                answers.refuse(question.request(), ErrorCode.OVERLOADED, "too many questions wait for the log");
            }
            return;
        }
        List<Question> waiting = leader.fetching.get(question.tx());
        if (waiting == null) {
            waiting = new ArrayList<>(1);
            leader.fetching.put(question.tx(), waiting);
            leader.out.fetch(question.tx());
        }
        waiting.add(question);
        leader.questions++;
    }
}
