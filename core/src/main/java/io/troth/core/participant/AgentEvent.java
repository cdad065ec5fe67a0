package io.troth.core.participant;

import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.Fate;

/**
 * Everything that can happen to an agent's core. Duplicate, late, reordered and unknown-branch events are ordinary inputs.
 */
public sealed interface AgentEvent {

    /** Calls the visitor's method for this kind. */
    <R> R accept(Visitor<R> visitor);

    /** One method a kind: a new kind does not compile until everyone has an answer to it. */
    interface Visitor<R> {
        R heard(Heard event);

        R clusterHeard(ClusterHeard event);

        R streamBroken(StreamBroken event);

        R callJoins(CallJoins event);

        R announced(Announced event);

        R scopeClosed(ScopeClosed event);

        R statementBegins(StatementBegins event);

        R statementEnded(StatementEnded event);

        R commitInPlace(CommitInPlace event);

        R prepareInPlace(PrepareInPlace event);

        R commitPreparedInPlace(CommitPreparedInPlace event);

        R rollbackInPlace(RollbackInPlace event);

        R ordered(Ordered event);

        R prepareCompleted(PrepareCompleted event);

        R onePhaseProofKnown(OnePhaseProofKnown event);

        R onePhaseCompleted(OnePhaseCompleted event);

        R rollbackCompleted(RollbackCompleted event);

        R phaseTwoCompleted(PhaseTwoCompleted event);

        R scanCompleted(ScanCompleted event);

        R fateKnown(FateKnown event);

        R databaseConnectionLost(DatabaseConnectionLost event);

        R timerFired(TimerFired event);

        R drainStarted(DrainStarted event);

        R stopped(Stopped event);
    }

    /** The head of a batch from a coordinator stream: the epoch it leads and its highest durable batch number. */
    record Heard(EpochId epoch, long durableBatch) implements AgentEvent {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.heard(this);
        }
    }

    /** A coordinator stream (or the configuration) has named the cluster. */
    record ClusterHeard(ClusterId cluster) implements AgentEvent {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.clusterHeard(this);
        }
    }

    /** The stream to the coordinator is gone. */
    record StreamBroken(Reason reason) implements AgentEvent {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.streamBroken(this);
        }
    }

    /**
     * A call scope uses a resource. Answered by CallAdmitted or CallRefused with the same ticket.
     *
     * @param inPlace whether nobody but this process has heard of T: a branch that starts now is not enlisted before
     *     {@link Announced}, and may end by {@link CommitInPlace}
     */
    record CallJoins(
            long ticket,
            ClusterId cluster,
            GlobalTxId tx,
            SessionKey key,
            long call,
            long scopeId,
            String resource,
            long remainingMillis,
            boolean inPlace)
            implements AgentEvent {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.callJoins(this);
        }
    }

    /** T is not alone in this process any more, or has a second branch: the coordinator must hear of this one. */
    record Announced(BranchId branch, long remainingMillis) implements AgentEvent {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.announced(this);
        }
    }

    /** A call scope has ended; nothing of it may run any more (protocol 5.5). */
    record ScopeClosed(GlobalTxId tx, long scopeId) implements AgentEvent {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.scopeClosed(this);
        }
    }

    /** A statement or fetch wants to run. Answered by StatementRefused, or by nothing: admitted. */
    record StatementBegins(BranchId branch, long scopeId) implements AgentEvent {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.statementBegins(this);
        }
    }

    /** An admitted statement or fetch has ended. */
    record StatementEnded(BranchId branch, StatementEnd end) implements AgentEvent {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.statementEnded(this);
        }
    }

    /**
     * T's client, which is in this process, commits; T has one branch, this one, and nobody else has heard of T. Answered by
     * {@link AgentAction.EndedInPlace}.
     */
    record CommitInPlace(GlobalTxId tx, BranchId branch) implements AgentEvent {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.commitInPlace(this);
        }
    }

    /**
     * T's client, which is in this process, is to bring the votes of all its branches to the leader with the Commit; nobody else
     * has heard of T. Answered by {@link AgentAction.VotedInPlace}.
     */
    record PrepareInPlace(GlobalTxId tx, BranchId branch) implements AgentEvent {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.prepareInPlace(this);
        }
    }

    /**
     * The leader has left it to T's client to tell that T is committed, and the branch has voted YES in place. Answered by
     * {@link AgentAction.EndedInPlace} as soon as that is done. A ROLLBACK comes from the leader alone.
     */
    record CommitPreparedInPlace(GlobalTxId tx, BranchId branch) implements AgentEvent {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.commitPreparedInPlace(this);
        }
    }

    /** T's client, which is in this process, has given T up; nobody else has heard of it. */
    record RollbackInPlace(GlobalTxId tx, Reason reason) implements AgentEvent {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.rollbackInPlace(this);
        }
    }

    /** The leader of this epoch says something. */
    record Ordered(EpochId epoch, AgentMessage message) implements AgentEvent {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.ordered(this);
        }
    }

    /** The answer to {@link AgentAction.Prepare}. */
    record PrepareCompleted(BranchId branch, PrepareResult result) implements AgentEvent {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.prepareCompleted(this);
        }
    }

    /** Comes before the answer to {@link AgentAction.CommitOnePhase} when the database has a proof. */
    record OnePhaseProofKnown(BranchId branch, Proof proof) implements AgentEvent {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.onePhaseProofKnown(this);
        }
    }

    /** The answer to {@link AgentAction.CommitOnePhase}. */
    record OnePhaseCompleted(BranchId branch, OnePhaseCompletion completion) implements AgentEvent {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.onePhaseCompleted(this);
        }
    }

    /** The answer to {@link AgentAction.Rollback}: the connection is free of the branch. */
    record RollbackCompleted(BranchId branch) implements AgentEvent {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.rollbackCompleted(this);
        }
    }

    /** The answer to {@link AgentAction.CommitPrepared} and {@link AgentAction.RollbackPrepared}. */
    record PhaseTwoCompleted(BranchId branch, PhaseTwoCompletion completion) implements AgentEvent {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.phaseTwoCompleted(this);
        }
    }

    /** The answer to {@link AgentAction.ListPrepared}. */
    record ScanCompleted(String resource, ScanCompletion completion) implements AgentEvent {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.scanCompleted(this);
        }
    }

    /** The answer to {@link AgentAction.AskDatabase}. */
    record FateKnown(GlobalTxId tx, BranchId branch, Fate fate) implements AgentEvent {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.fateKnown(this);
        }
    }

    /** A connection to this database was lost: a prepare may have completed unseen (protocol 9.5). */
    record DatabaseConnectionLost(String resource) implements AgentEvent {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.databaseConnectionLost(this);
        }
    }

    /** A timer started by {@link AgentAction.StartTimer} has run out. */
    record TimerFired(AgentTimerKey key) implements AgentEvent {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.timerFired(this);
        }
    }

    /** No new branch from now on; running ones go on. */
    record DrainStarted() implements AgentEvent {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.drainStarted(this);
        }
    }

    /** The process ends: unprepared branches are rolled back, prepared ones stay (protocol 7.1). */
    record Stopped(Reason reason) implements AgentEvent {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.stopped(this);
        }
    }
}
