package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Proof;
import io.troth.core.Reason;
import org.jspecify.annotations.Nullable;

/**
 * What the leader says to an agent. All of it may arrive late, twice or never.
 */
public sealed interface AgentMessage {

    /** Calls the visitor's method for this kind. */
    <R> R accept(Visitor<R> visitor);

    /** One method a kind: a new kind does not compile until everyone has an answer to it. */
    interface Visitor<R> {
        R welcome(Welcome message);

        R enlistRefused(EnlistRefused message);

        R prepare(Prepare message);

        R commitOnePhase(CommitOnePhase message);

        R askOnePhase(AskOnePhase message);

        R commitBranch(CommitBranch message);

        R rollbackBranch(RollbackBranch message);

        R sessionClosed(SessionClosed message);

        R inquiryAnswer(InquiryAnswer message);

        R askFate(AskFate message);
    }

    /** The leader is ready in this epoch; branches of it may start. */
    record Welcome(EpochId epoch) implements AgentMessage {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.welcome(this);
        }
    }

    /** The branch takes no part: roll it back. */
    record EnlistRefused(GlobalTxId tx, BranchId branch, Reason reason) implements AgentMessage {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.enlistRefused(this);
        }
    }

    /** Vote. {@code calls} is what the client counted. */
    record Prepare(GlobalTxId tx, BranchId branch, int calls) implements AgentMessage {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.prepare(this);
        }
    }

    /** Commit your branch, the only one of T, by yourself (protocol 8). */
    record CommitOnePhase(GlobalTxId tx, BranchId branch, int calls) implements AgentMessage {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.commitOnePhase(this);
        }
    }

    /** Say the kept one-phase result; roll a still unprepared branch back first (protocol 8.3). */
    record AskOnePhase(GlobalTxId tx, BranchId branch) implements AgentMessage {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.askOnePhase(this);
        }
    }

    /**
     * Phase 2. {@code firstAttempt}: sent once, in the epoch that wrote the COMMIT. {@code forced}: by a logged HEURISTIC,
     * which holds for any T (protocol 10.6).
     */
    record CommitBranch(
            GlobalTxId tx,
            BranchId branch,
            String resource,
            @Nullable Proof proof,
            boolean firstAttempt,
            boolean forced)
            implements AgentMessage {

        /** By T's decision. */
        public CommitBranch(
                GlobalTxId tx, BranchId branch, String resource, @Nullable Proof proof, boolean firstAttempt) {
            this(tx, branch, resource, proof, firstAttempt, false);
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.commitBranch(this);
        }
    }

    /** Roll back whatever there is of the branch, prepared or not. Not acknowledged. {@code forced} as in CommitBranch. */
    record RollbackBranch(GlobalTxId tx, BranchId branch, String resource, boolean forced) implements AgentMessage {

        /** By T's decision. */
        public RollbackBranch(GlobalTxId tx, BranchId branch, String resource) {
            this(tx, branch, resource, false);
        }

        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.rollbackBranch(this);
        }
    }

    /** Roll back the unprepared branches of this client session. */
    record SessionClosed(EpochId epoch, long session) implements AgentMessage {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.sessionClosed(this);
        }
    }

    /** Only PENDING, UNKNOWN, FORGOTTEN: leave the branch alone. The certain answers come as CommitBranch or RollbackBranch. */
    record InquiryAnswer(GlobalTxId tx, BranchId branch, Outcome outcome) implements AgentMessage {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.inquiryAnswer(this);
        }
    }

    /** Ask your database about the proof of a lost one-phase branch (protocol 8.2). */
    record AskFate(GlobalTxId tx, BranchId branch, String resource, Proof proof) implements AgentMessage {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.askFate(this);
        }
    }
}
