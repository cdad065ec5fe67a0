package io.troth.core.participant;

import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.Reason;
import org.jspecify.annotations.Nullable;

/**
 * What the agent's core wants done, in this order. The engine carries actions out without deciding anything.
 */
public sealed interface AgentAction {

    /** Calls the visitor's method for this kind. */
    <R> R accept(Visitor<R> visitor);

    /** One method a kind: a new kind does not compile until everyone has an answer to it. */
    interface Visitor<R> {
        R callAdmitted(CallAdmitted action);

        R callRefused(CallRefused action);

        R statementRefused(StatementRefused action);

        R send(Send action);

        R closeStream(CloseStream action);

        R prepare(Prepare action);

        R commitOnePhase(CommitOnePhase action);

        R rollback(Rollback action);

        R commitPrepared(CommitPrepared action);

        R rollbackPrepared(RollbackPrepared action);

        R listPrepared(ListPrepared action);

        R askDatabase(AskDatabase action);

        R useCluster(UseCluster action);

        R startTimer(StartTimer action);

        R cancelTimer(CancelTimer action);

        R notify(Notify action);
    }

    /** The call may use the branch; {@code first}: this scope had not joined it before. */
    record CallAdmitted(long ticket, BranchId branch, boolean first) implements AgentAction {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.callAdmitted(this);
        }
    }

    /** The call may not work; nothing has happened. */
    record CallRefused(long ticket, Reason reason) implements AgentAction {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.callRefused(this);
        }
    }

    /** The statement must not be sent. */
    record StatementRefused(BranchId branch, Reason reason) implements AgentAction {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.statementRefused(this);
        }
    }

    /** Send on the open stream; dropped when there is none. */
    record Send(CoordinatorMessage message) implements AgentAction {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.send(this);
        }
    }

    /** Refuse the peer: end the stream, dial again later. */
    record CloseStream(Reason reason) implements AgentAction {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.closeStream(this);
        }
    }

    /** {@link AgentEvent.PrepareCompleted} answers. */
    record Prepare(String resource, GlobalTxId tx, BranchId branch) implements AgentAction {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.prepare(this);
        }
    }

    /** {@link AgentEvent.OnePhaseCompleted} answers. */
    record CommitOnePhase(String resource, GlobalTxId tx, BranchId branch) implements AgentAction {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.commitOnePhase(this);
        }
    }

    /** Roll back an unprepared branch; {@link AgentEvent.RollbackCompleted} answers. */
    record Rollback(String resource, GlobalTxId tx, BranchId branch) implements AgentAction {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.rollback(this);
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
        public <R> R accept(Visitor<R> visitor) {
            return visitor.commitPrepared(this);
        }
    }

    /** {@link AgentEvent.PhaseTwoCompleted} answers. */
    record RollbackPrepared(String resource, GlobalTxId tx, BranchId branch) implements AgentAction {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.rollbackPrepared(this);
        }
    }

    /** {@link AgentEvent.ScanCompleted} answers. */
    record ListPrepared(String resource) implements AgentAction {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.listPrepared(this);
        }
    }

    /** {@link AgentEvent.FateKnown} answers. */
    record AskDatabase(String resource, GlobalTxId tx, BranchId branch, Proof proof) implements AgentAction {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.askDatabase(this);
        }
    }

    /** The cluster is known now: its xids are ours, in every database. Said once. */
    record UseCluster(ClusterId cluster) implements AgentAction {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.useCluster(this);
        }
    }

    /** Start or replace a timer. */
    record StartTimer(AgentTimerKey key, long delayMillis) implements AgentAction {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.startTimer(this);
        }
    }

    /** Forget a timer; a late {@link AgentEvent.TimerFired} of it is harmless. */
    record CancelTimer(AgentTimerKey key) implements AgentAction {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.cancelTimer(this);
        }
    }

    /** Tell the observers (metrics, log): never changes what the core does. */
    record Notify(AgentNotice notice) implements AgentAction {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.notify(this);
        }
    }
}
