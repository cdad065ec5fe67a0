package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.Decision;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Invariant;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The only way to say something to a client: the certain answers are checked here once more. */
final class Answers {

    private final Leader leader;

    Answers(Leader leader) {
        this.leader = leader;
    }

    /**
     * Answers one request.
     *
     * @param recordSeen the COMMIT record, or the database's word about a one-phase T, is at hand
     */
    void answer(
            RequestId request,
            GlobalTxId tx,
            Outcome outcome,
            boolean recordSeen,
            boolean completing,
            @Nullable BranchId branch,
            @Nullable Reason reason) {
        if (outcome == Outcome.COMMITTED) {
            Invariants.check(
                    Invariant.I3_COMMITTED_ONLY_WITH_RECORD,
                    recordSeen || leader.committed.containsKey(tx),
                    tx,
                    "COMMITTED without a record");
        } else if (outcome == Outcome.ROLLED_BACK) {
            Invariants.check(
                    Invariant.I4_ROLLED_BACK_ONLY_WHEN_CERTAIN,
                    leader.isReady() && !leader.committed.containsKey(tx) && !mayStillCommit(tx),
                    tx,
                    "ROLLED_BACK while it could still commit");
        }
        LogRecord.Heuristic forced = leader.operator.against(tx, outcome);
        boolean told = reason != null && reason.code() == ErrorCode.HEURISTIC_MIXED;
        if (forced == null || told) {
            say(request, tx, outcome, completing, branch, reason);
            return;
        }
        if (outcome == Outcome.ROLLED_BACK) {
            mixed(forced);
        }
        Reason mixed = new Reason(ErrorCode.HEURISTIC_MIXED, forced.reason());
        say(request, tx, outcome, completing, forced.branch(), mixed);
    }

    /** The outcome has become known, and this is against it (protocol 10.6): told once, whoever asks how often. */
    void mixed(LogRecord.Heuristic forced) {
        BranchId branch = forced.branch();
        if (branch != null && leader.operator.mixed.add(new OperatorTable.BranchKey(forced.tx(), branch))) {
            String how = forced.decision() == Decision.COMMIT ? "committed" : "rolled back";
            leader.out.notice(new Notice.HeuristicMixed(forced.tx(), branch, how + " by force: " + forced.reason()));
        }
    }

    private void say(
            RequestId request,
            GlobalTxId tx,
            Outcome outcome,
            boolean completing,
            @Nullable BranchId branch,
            @Nullable Reason reason) {
        leader.out.toClient(
                request.stream(),
                new ClientMessage.Answer(request.correlation(), tx, outcome, completing, branch, reason));
    }

    /** An answer that carries no certainty. */
    void answer(RequestId request, GlobalTxId tx, Outcome outcome) {
        answer(request, tx, outcome, false, false, null, null);
    }

    /** Answers with a kept result. */
    void answer(RequestId request, GlobalTxId tx, EndedTransaction ended) {
        BranchId cause = ended.reason() == null ? null : ended.branch();
        answer(request, tx, ended.outcome(), true, false, cause, ended.reason());
    }

    void refuse(RequestId request, ErrorCode code, String detail) {
        refuse(request, new Reason(code, detail));
    }

    /** The request changed nothing. */
    void refuse(RequestId request, Reason reason) {
        leader.out.refused(reason);
        leader.out.toClient(request.stream(), new ClientMessage.Refused(request.correlation(), reason));
    }

    void refuseEnlist(Event.Enlist event, ErrorCode code, String detail) {
        Reason reason = new Reason(code, detail);
        leader.out.refused(reason);
        leader.out.toAgent(event.stream(), new AgentMessage.EnlistRefused(event.tx(), event.branch(), reason));
    }

    /** Tells everyone who waits for anything that this is not the place any more, and forgets the requests. */
    void releaseAll() {
        for (GlobalTransaction open : leader.sortedOpen()) {
            for (Waiter waiter : open.waiters) {
                answer(waiter.request(), open.tx, Outcome.NOT_LEADER);
            }
            open.waiters.clear();
        }
        for (OnePhaseCase one : leader.sortedOnePhase()) {
            one.waiters.forEach(request -> answer(request, one.tx, Outcome.NOT_LEADER));
            one.waiters.clear();
        }
        for (List<Question> questions : leader.fetching.values()) {
            for (Question question : questions) {
                if (question.request() != null) {
                    answer(question.request(), question.tx(), Outcome.NOT_LEADER);
                }
            }
        }
        leader.fetching.clear();
        leader.questions = 0;
        for (OperatorTable.Handed handed : leader.operator.handed) {
            answer(handed.request(), handed.record().tx(), Outcome.NOT_LEADER);
        }
        leader.operator.handed.clear();
    }

    /** True for a T of the own epoch that is open, or that has neither ended nor lost its chance to start. */
    private boolean mayStillCommit(GlobalTxId tx) {
        if (!leader.isOwn(tx.epoch())) {
            return tx.epoch().number() >= leader.epoch().number();
        }
        ClientSession session = leader.sessions.find(tx.session());
        if (session == null) {
            return tx.session() >= leader.sessions.next;
        }
        return session.open.containsKey(tx.sequence()) || session.isUnheard(tx.sequence());
    }
}
