package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.BranchWork;
import io.troth.core.Decision;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.Vote;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Everything that can happen to the coordinator's core except the application of log entries, which comes in through
 * {@code CoordinatorStateMachine.apply}. Duplicate, late, reordered and unknown-transaction events are ordinary inputs.
 *
 * <p>Field values were checked at the edge for form and size; whether they make sense is the core's to judge.
 */
public sealed interface Event {

    /** Calls the visitor's method for this kind. */
    <R> R accept(Visitor<R> visitor);

    /** One method a kind: a new kind does not compile until everyone has an answer to it. */
    interface Visitor<R> {
        R leadershipStarted(LeadershipStarted event);

        R leadershipLost(LeadershipLost event);

        R acceptingChanged(AcceptingChanged event);

        R commitFetched(CommitFetched event);

        R agentConnected(AgentConnected event);

        R agentDisconnected(AgentDisconnected event);

        R enlist(Enlist event);

        R voteReceived(VoteReceived event);

        R onePhaseProof(OnePhaseProof event);

        R onePhaseResult(OnePhaseResult event);

        R branchDone(BranchDone event);

        R branchInquiry(BranchInquiry event);

        R fateReported(FateReported event);

        R scanReported(ScanReported event);

        R clientDisconnected(ClientDisconnected event);

        R openSession(OpenSession event);

        R resumeSession(ResumeSession event);

        R closeSession(CloseSession event);

        R progress(Progress event);

        R commitRequested(CommitRequested event);

        R rollbackRequested(RollbackRequested event);

        R outcomeInquiry(OutcomeInquiry event);

        R operatorForces(OperatorForces event);

        R resourceExcluded(ResourceExcluded event);

        R resourceHeld(ResourceHeld event);

        R timerFired(TimerFired event);
    }

    /** This process leads now. The log it recovered ends with the durable batch {@code recoveredBatch}. */
    record LeadershipStarted(EpochId epoch, long recoveredBatch) implements Event {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.leadershipStarted(this);
        }
    }

    /** The log failed or another leads: decide and answer nothing any more (protocol L4). */
    record LeadershipLost() implements Event {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.leadershipLost(this);
        }
    }

    /**
     * New transactions are refused, or welcome again: overload, disk floor, drain. Running ones go on.
     *
     * @param reason why clients are to begin nothing, or why they were not to
     * @param refusing why what they have begun all the same is refused too; null when it is taken, which a drain alone
     *     does
     */
    record AcceptingChanged(
            boolean accepting, Reason reason, @Nullable Reason refusing) implements Event {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.acceptingChanged(this);
        }
    }

    /** The answer to {@link Action.FetchCommit}: the applied COMMIT of an ended, not purged T, or null. */
    record CommitFetched(GlobalTxId tx, LogRecord.@Nullable Commit commit) implements Event {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.commitFetched(this);
        }
    }

    /** An agent has opened its stream and said who it is. */
    record AgentConnected(StreamId stream, AgentHello hello) implements Event {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.agentConnected(this);
        }
    }

    /** The stream is gone: unprepared branches enlisted on it are dead. */
    record AgentDisconnected(StreamId stream) implements Event {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.agentDisconnected(this);
        }
    }

    /** A branch of T has started (protocol 5.2). Answered only to refuse. */
    record Enlist(
            StreamId stream, GlobalTxId tx, SessionKey key, BranchId branch, String resource, long remainingMillis)
            implements Event {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.enlist(this);
        }
    }

    /** The answer to prepare. Counts only on the stream the prepare was sent on (protocol 7.2). */
    record VoteReceived(
            StreamId stream,
            GlobalTxId tx,
            BranchId branch,
            Vote vote,
            @Nullable Proof proof,
            @Nullable Reason reason) implements Event {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.voteReceived(this);
        }
    }

    /** Sent by the agent just before it commits in one phase (protocol 8.1). */
    record OnePhaseProof(StreamId stream, GlobalTxId tx, BranchId branch, Proof proof) implements Event {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.onePhaseProof(this);
        }
    }

    /** The answer to CommitOnePhase or AskOnePhase. */
    record OnePhaseResult(
            StreamId stream,
            GlobalTxId tx,
            BranchId branch,
            OnePhaseFate fate,
            @Nullable Reason reason) implements Event {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.onePhaseResult(this);
        }
    }

    /** Phase 2 has ended at a branch (protocol 9.3). {@code detail} is for people. */
    record BranchDone(StreamId stream, GlobalTxId tx, BranchId branch, PhaseTwoResult result, String detail)
            implements Event {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.branchDone(this);
        }
    }

    /** An agent found this xid prepared in its database and asks for the outcome (protocol 9.5). */
    record BranchInquiry(StreamId stream, GlobalTxId tx, BranchId branch, String resource) implements Event {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.branchInquiry(this);
        }
    }

    /** What the database said about the proof of a lost one-phase branch (protocol 8.2). */
    record FateReported(StreamId stream, GlobalTxId tx, BranchId branch, Fate fate) implements Event {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.fateReported(this);
        }
    }

    /** A full list of the prepared xids of a resource was read; the lowest (epoch, session) in it, null epoch when empty. */
    record ScanReported(
            StreamId stream, String resource, @Nullable EpochId lowestEpoch, long lowestSession) implements Event {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.scanReported(this);
        }
    }

    /** The client's stream is gone: its sessions wait for the grace to be resumed. */
    record ClientDisconnected(StreamId stream) implements Event {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.clientDisconnected(this);
        }
    }

    /**
     * A client wants a session.
     *
     * @param key drawn by the engine
     * @param commitsInPlace whether the client may have a transaction's branches, all in its own process, prepared or
     *     committed while it is unheard of here
     */
    record OpenSession(RequestId request, SessionKey key, String clientName, boolean commitsInPlace) implements Event {

        /** Of a client that leaves every decision to the leader. */
        public OpenSession(RequestId request, SessionKey key, String clientName) {
            this(request, key, clientName, false);
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.openSession(this);
        }
    }

    /** A client takes its session over to a new stream of the same leader. */
    record ResumeSession(RequestId request, EpochId epoch, long session, SessionKey key) implements Event {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.resumeSession(this);
        }
    }

    /** A client is done with its session. */
    record CloseSession(StreamId stream, EpochId epoch, long session, SessionKey key) implements Event {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.closeSession(this);
        }
    }

    /** The lowest sequence of the session that has not ended at the client. */
    record Progress(StreamId stream, EpochId epoch, long session, SessionKey key, long lowestOpen) implements Event {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.progress(this);
        }
    }

    /**
     * Commit, the first time or repeated (protocol 6). {@code waitCompleted} false means {@code wait=DECIDED}.
     *
     * @param votes of the listed branches, in their order, when all of them were prepared in place; empty when the leader is
     *     to ask for them
     */
    record CommitRequested(
            RequestId request,
            GlobalTxId tx,
            SessionKey key,
            long lowestOpen,
            CommitContent content,
            List<BranchVote> votes,
            boolean waitCompleted,
            long remainingMillis)
            implements Event {

        /** What a branch that was prepared in place has voted: a proof only with YES, a reason only with NO. */
        public record BranchVote(
                Vote vote, @Nullable Proof proof, @Nullable Reason reason) {}

        public CommitRequested {
            votes = List.copyOf(votes);
        }

        /** The leader is to ask for the votes. */
        public CommitRequested(
                RequestId request,
                GlobalTxId tx,
                SessionKey key,
                long lowestOpen,
                CommitContent content,
                boolean waitCompleted,
                long remainingMillis) {
            this(request, tx, key, lowestOpen, content, List.of(), waitCompleted, remainingMillis);
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.commitRequested(this);
        }
    }

    /** The client gives T up. {@code branches} are those it knows; only for messages, never for a decision. */
    record RollbackRequested(
            RequestId request, GlobalTxId tx, SessionKey key, long lowestOpen, List<BranchWork> branches, Reason reason)
            implements Event {
        public RollbackRequested {
            branches = List.copyOf(branches);
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.rollbackRequested(this);
        }
    }

    /** A question about T (protocol 9.1); {@code content} is that of its Commit, null when it is not known. */
    record OutcomeInquiry(
            RequestId request, GlobalTxId tx, @Nullable CommitContent content) implements Event {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.outcomeInquiry(this);
        }
    }

    /** An operator decides a prepared branch, or (branch null) closes a COMMIT that can never end (protocol 10.6). */
    record OperatorForces(
            RequestId request, GlobalTxId tx, @Nullable BranchId branch, Decision decision, String reason)
            implements Event {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.operatorForces(this);
        }
    }

    /** A resource is gone for ever (operator): the horizon no longer waits for its scan. */
    record ResourceExcluded(String resource, boolean excluded) implements Event {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.resourceExcluded(this);
        }
    }

    /** A resource is on hold (operator, or after a restore): its in-doubt branches are listed, not resolved. */
    record ResourceHeld(String resource, boolean held) implements Event {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.resourceHeld(this);
        }
    }

    /** A timer started by {@link Action.StartTimer} has run out. */
    record TimerFired(TimerKey key) implements Event {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.timerFired(this);
        }
    }
}
