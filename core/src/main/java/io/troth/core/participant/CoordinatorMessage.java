package io.troth.core.participant;

import io.troth.core.BranchId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.Vote;
import io.troth.core.coordinator.Fate;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.coordinator.PhaseTwoResult;
import org.jspecify.annotations.Nullable;

/**
 * What an agent says to the leader. Sent on the stream that is open when it is said, or never: whoever needs it after a
 * break asks again.
 */
public sealed interface CoordinatorMessage {

    /** Calls the visitor's method for this kind. */
    <R> R accept(Visitor<R> visitor);

    /** One method a kind: a new kind does not compile until everyone has an answer to it. */
    interface Visitor<R> {
        R enlist(Enlist message);

        R branchVote(BranchVote message);

        R onePhaseProof(OnePhaseProof message);

        R onePhaseResult(OnePhaseResult message);

        R branchDone(BranchDone message);

        R branchInquiry(BranchInquiry message);

        R fateReport(FateReport message);

        R scanReport(ScanReport message);
    }

    /** A branch has started (protocol 5.2). Answered only to refuse. */
    record Enlist(GlobalTxId tx, SessionKey key, BranchId branch, String resource, long remainingMillis)
            implements CoordinatorMessage {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.enlist(this);
        }
    }

    /** The answer to prepare: a proof only with YES, a reason only with NO. */
    record BranchVote(
            GlobalTxId tx,
            BranchId branch,
            Vote vote,
            @Nullable Proof proof,
            @Nullable Reason reason) implements CoordinatorMessage {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.branchVote(this);
        }
    }

    /** Sent just before a commit in one phase (protocol 8.1). */
    record OnePhaseProof(GlobalTxId tx, BranchId branch, Proof proof) implements CoordinatorMessage {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.onePhaseProof(this);
        }
    }

    /** The answer to CommitOnePhase or AskOnePhase. */
    record OnePhaseResult(
            GlobalTxId tx,
            BranchId branch,
            OnePhaseFate fate,
            @Nullable Reason reason) implements CoordinatorMessage {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.onePhaseResult(this);
        }
    }

    /** Phase 2 of a committed branch has ended (protocol 9.3). */
    record BranchDone(GlobalTxId tx, BranchId branch, PhaseTwoResult result, String detail)
            implements CoordinatorMessage {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.branchDone(this);
        }
    }

    /** This xid is prepared in the database: what is its outcome? (protocol 9.5) */
    record BranchInquiry(GlobalTxId tx, BranchId branch, String resource) implements CoordinatorMessage {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.branchInquiry(this);
        }
    }

    /** What the database said about a proof (protocol 8.2). */
    record FateReport(GlobalTxId tx, BranchId branch, Fate fate) implements CoordinatorMessage {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.fateReport(this);
        }
    }

    /** A full list was read; the lowest (epoch, session) prepared in it, null and 0 when there is none (protocol 9.4). */
    record ScanReport(String resource, @Nullable EpochId lowestEpoch, long lowestSession)
            implements CoordinatorMessage {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.scanReport(this);
        }
    }
}
