package io.troth.core.participant;

import io.troth.core.BranchId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.Vote;
import io.troth.core.coordinator.OnePhaseFate;
import io.troth.core.coordinator.PhaseTwoResult;
import io.troth.core.coordinator.StateReader;
import io.troth.core.coordinator.StateWriter;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Who hears what becomes of a branch, and what the leader knows of it. It hears as soon as it has heard of the branch; the
 * client that commits in place does, being in this process.
 */
final class BranchReports {

    private final GlobalTxId tx;
    private final BranchId branch;
    private final String resource;

    /** Whether the leader has heard of the branch. */
    private boolean announced;

    /** Whether the client waits here for a vote or an end in place. */
    private boolean inPlace;

    /** Whether the leader, asked about the branch, knew nothing of it any more. */
    private boolean forgotten;

    BranchReports(GlobalTxId tx, BranchId branch, String resource) {
        this.tx = tx;
        this.branch = branch;
        this.resource = resource;
    }

    /** Enlists the branch, once. */
    void enlist(SessionKey key, long remainingMillis, Outbox out) {
        if (!announced) {
            announced = true;
            out.send(new CoordinatorMessage.Enlist(tx, key, branch, resource, remainingMillis));
        }
    }

    /** The leader speaks of the branch, so it is told how that ends. */
    void leaderAsks() {
        announced = true;
    }

    /** The client asks for the vote or the commit. False when the leader has heard of the branch after all, and decides. */
    boolean clientAsks(BranchState state) {
        boolean mine = state == BranchState.ROLLING_BACK || (state == BranchState.ACTIVE && !announced);
        inPlace |= mine;
        return mine;
    }

    void leftAlone(Outcome outcome) {
        forgotten |= outcome == Outcome.UNKNOWN;
    }

    boolean isForgotten() {
        return forgotten;
    }

    void vote(Vote vote, @Nullable Proof proof, @Nullable Reason reason, Outbox out) {
        if (inPlace) {
            out.add(new AgentAction.VotedInPlace(branch, vote, proof, reason));
        } else {
            out.send(new CoordinatorMessage.BranchVote(tx, branch, vote, proof, reason));
        }
        out.tell(new AgentNotice.Voted(tx, branch, vote, reason));
    }

    /** Of a commit in one phase, ahead of its result: when that is LOST, the proof is all that can tell. */
    void onePhaseProof(@Nullable Proof proof, Outbox out) {
        if (announced) {
            sendProof(tx, branch, proof, out);
        }
    }

    void onePhaseEnd(OnePhaseFate fate, @Nullable Reason reason, Outbox out) {
        if (inPlace && fate != OnePhaseFate.NOT_KNOWN) {
            out.add(new AgentAction.EndedInPlace(branch, fate, reason));
        }
        if (announced) {
            out.send(new CoordinatorMessage.OnePhaseResult(tx, branch, fate, reason));
        }
    }

    /** Phase 2 of a commit has ended. */
    void done(PhaseTwoResult result, String detail, Outbox out) {
        if (inPlace) {
            Reason reason = result == PhaseTwoResult.HEURISTIC_ROLLBACK
                    ? new Reason(ErrorCode.HEURISTIC_MIXED, resource + ": " + detail)
                    : null;
            out.add(new AgentAction.EndedInPlace(branch, OnePhaseFate.COMMITTED, reason));
        }
        out.send(new CoordinatorMessage.BranchDone(tx, branch, result, detail));
    }

    /** Protocol 10.1: part of the work may be durable, whatever becomes of T. */
    void bypassed(@Nullable Reason refusal, Supplier<String> described, Outbox out) {
        if (refusal != null && refusal.code() == ErrorCode.TRANSACTION_CONTROL_BYPASSED) {
            out.alarm(new Reason(refusal.code(), described.get() + ": " + refusal.detail()), tx);
        }
    }

    static void sendProof(GlobalTxId tx, BranchId branch, @Nullable Proof proof, Outbox out) {
        if (proof != null) {
            out.send(new CoordinatorMessage.OnePhaseProof(tx, branch, proof));
        }
    }

    void write(StateWriter out) {
        out.bool(announced);
        out.bool(inPlace);
        out.bool(forgotten);
    }

    void read(StateReader in) {
        announced = in.bool();
        inPlace = in.bool();
        forgotten = in.bool();
    }
}
