package io.troth.core.participant;

import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.Vote;
import io.troth.core.coordinator.OnePhaseFate;
import org.jspecify.annotations.Nullable;

/**
 * What the agent's core wants done, in this order. The engine carries actions out without deciding anything.
 */
public sealed interface AgentAction {

    /** Calls the visitor's method for this kind. */
    void accept(Visitor visitor);

    /** One method a kind: a new kind does not compile until everyone has an answer to it. */
    interface Visitor {
        void callAdmitted(CallAdmitted action);

        void callRefused(CallRefused action);

        void statementRefused(StatementRefused action);

        void votedInPlace(VotedInPlace action);

        void endedInPlace(EndedInPlace action);

        void send(Send action);

        void closeStream(CloseStream action);

        void prepare(Prepare action);

        void commitOnePhase(CommitOnePhase action);

        void rollback(Rollback action);

        void commitPrepared(CommitPrepared action);

        void rollbackPrepared(RollbackPrepared action);

        void listPrepared(ListPrepared action);

        void askDatabase(AskDatabase action);

        void useCluster(UseCluster action);

        void startTimer(StartTimer action);

        void cancelTimer(CancelTimer action);

        void notify(Notify action);
    }

    /** The call may use the branch; {@code first}: this scope had not joined it before. */
    record CallAdmitted(long ticket, BranchId branch, boolean first) implements AgentAction {
        @Override
        public void accept(Visitor visitor) {
            visitor.callAdmitted(this);
        }
    }

    /** The call may not work; nothing has happened. */
    record CallRefused(long ticket, Reason reason) implements AgentAction {
        @Override
        public void accept(Visitor visitor) {
            visitor.callRefused(this);
        }
    }

    /** The statement must not be sent. */
    record StatementRefused(BranchId branch, Reason reason) implements AgentAction {
        @Override
        public void accept(Visitor visitor) {
            visitor.statementRefused(this);
        }
    }

    /** Answers {@link AgentEvent.PrepareInPlace}: a proof only with YES, a reason only with NO. */
    record VotedInPlace(
            BranchId branch,
            Vote vote,
            @Nullable Proof proof,
            @Nullable Reason reason) implements AgentAction {
        @Override
        public void accept(Visitor visitor) {
            visitor.votedInPlace(this);
        }
    }

    /**
     * Answers {@link AgentEvent.CommitInPlace}, and {@link AgentEvent.CommitPreparedInPlace}.
     *
     * @param reason why it was rolled back or lost, or that the branch was not committed with its transaction; else null
     */
    record EndedInPlace(
            BranchId branch, OnePhaseFate fate, @Nullable Reason reason) implements AgentAction {
        @Override
        public void accept(Visitor visitor) {
            visitor.endedInPlace(this);
        }
    }

    /** Send on the open stream; dropped when there is none. */
    record Send(CoordinatorMessage message) implements AgentAction {
        @Override
        public void accept(Visitor visitor) {
            visitor.send(this);
        }
    }

    /** Refuse the peer: end the stream, dial again later. */
    record CloseStream(Reason reason) implements AgentAction {
        @Override
        public void accept(Visitor visitor) {
            visitor.closeStream(this);
        }
    }

    /** {@link AgentEvent.PrepareCompleted} answers. */
    record Prepare(String resource, GlobalTxId tx, BranchId branch) implements AgentAction {
        @Override
        public void accept(Visitor visitor) {
            visitor.prepare(this);
        }
    }

    /** {@link AgentEvent.OnePhaseCompleted} answers. */
    record CommitOnePhase(String resource, GlobalTxId tx, BranchId branch) implements AgentAction {
        @Override
        public void accept(Visitor visitor) {
            visitor.commitOnePhase(this);
        }
    }

    /** Roll back an unprepared branch; {@link AgentEvent.RollbackCompleted} answers. */
    record Rollback(String resource, GlobalTxId tx, BranchId branch) implements AgentAction {
        @Override
        public void accept(Visitor visitor) {
            visitor.rollback(this);
        }
    }

    /** {@link AgentEvent.PhaseTwoCompleted} answers. */
    record CommitPrepared(
            String resource,
            GlobalTxId tx,
            BranchId branch,
            @Nullable Proof proof,
            boolean firstAttempt) implements AgentAction {
        @Override
        public void accept(Visitor visitor) {
            visitor.commitPrepared(this);
        }
    }

    /** {@link AgentEvent.PhaseTwoCompleted} answers. */
    record RollbackPrepared(
            String resource,
            GlobalTxId tx,
            BranchId branch,
            @Nullable Proof proof) implements AgentAction {
        @Override
        public void accept(Visitor visitor) {
            visitor.rollbackPrepared(this);
        }
    }

    /** {@link AgentEvent.ScanCompleted} answers. */
    record ListPrepared(String resource) implements AgentAction {
        @Override
        public void accept(Visitor visitor) {
            visitor.listPrepared(this);
        }
    }

    /** {@link AgentEvent.FateKnown} answers. */
    record AskDatabase(String resource, GlobalTxId tx, BranchId branch, Proof proof) implements AgentAction {
        @Override
        public void accept(Visitor visitor) {
            visitor.askDatabase(this);
        }
    }

    /** The cluster is known now: its xids are ours, in every database. Said once. */
    record UseCluster(ClusterId cluster) implements AgentAction {
        @Override
        public void accept(Visitor visitor) {
            visitor.useCluster(this);
        }
    }

    /** Start or replace a timer. */
    record StartTimer(AgentTimerKey key, long delayMillis) implements AgentAction {
        @Override
        public void accept(Visitor visitor) {
            visitor.startTimer(this);
        }
    }

    /** Forget a timer; a late {@link AgentEvent.TimerFired} of it is harmless. */
    record CancelTimer(AgentTimerKey key) implements AgentAction {
        @Override
        public void accept(Visitor visitor) {
            visitor.cancelTimer(this);
        }
    }

    /** Tell the observers (metrics, log): never changes what the core does. */
    record Notify(AgentNotice notice) implements AgentAction {
        @Override
        public void accept(Visitor visitor) {
            visitor.notify(this);
        }
    }
}
