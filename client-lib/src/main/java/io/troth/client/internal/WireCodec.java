package io.troth.client.internal;

import com.google.protobuf.UnsafeByteOperations;
import io.troth.client.context.InPlaceBranch;
import io.troth.core.BranchId;
import io.troth.core.BranchWork;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.proto.v1.BranchVote;
import io.troth.proto.v1.SessionRef;
import io.troth.proto.v1.TransactionAnswer;
import io.troth.proto.v1.Vote;

/** Between the words of the core and those of the wire. What comes in wrong throws IllegalArgumentException. */
final class WireCodec {

    private WireCodec() {}

    static io.troth.proto.v1.GlobalTxId toWire(GlobalTxId tx) {
        return io.troth.proto.v1.GlobalTxId.newBuilder()
                .setShard(tx.shard())
                .setEpoch(tx.epoch().number())
                .setNonce(tx.epoch().nonce())
                .setSession(tx.session())
                .setSequence(tx.sequence())
                .build();
    }

    static io.troth.proto.v1.SessionKey toWire(SessionKey key) {
        return io.troth.proto.v1.SessionKey.newBuilder()
                .setHigh(key.high())
                .setLow(key.low())
                .build();
    }

    static io.troth.proto.v1.Reason toWire(Reason reason) {
        return io.troth.proto.v1.Reason.newBuilder()
                .setCode(reason.code().name())
                .setDetail(reason.detail())
                .build();
    }

    static io.troth.proto.v1.BranchWork toWire(BranchWork work) {
        return io.troth.proto.v1.BranchWork.newBuilder()
                .setBranch(io.troth.proto.v1.BranchId.newBuilder()
                        .setInstance(work.branch().instance())
                        .setCounter(work.branch().counter()))
                .setResource(work.resource())
                .setCalls(work.calls())
                .build();
    }

    static io.troth.proto.v1.CommitContent toWire(CommitContent content) {
        io.troth.proto.v1.CommitContent.Builder wire = io.troth.proto.v1.CommitContent.newBuilder();
        content.branches().forEach(work -> wire.addBranches(toWire(work)));
        return wire.setOnePhaseAllowed(content.onePhaseAllowed()).build();
    }

    static BranchVote toWire(InPlaceBranch.Ballot ballot) {
        BranchVote.Builder wire = BranchVote.newBuilder()
                .setVote(
                        switch (ballot.vote()) {
                            case YES -> Vote.VOTE_YES;
                            case NO -> Vote.VOTE_NO;
                            case READ_ONLY -> Vote.VOTE_READ_ONLY;
                        });
        if (ballot.proof() != null) {
            wire.setProof(UnsafeByteOperations.unsafeWrap(ballot.proof().toByteArray()));
        }
        if (ballot.reason() != null) {
            wire.setReason(toWire(ballot.reason()));
        }
        return wire.build();
    }

    static SessionRef toWire(ClientSession session) {
        return SessionRef.newBuilder()
                .setEpoch(io.troth.proto.v1.EpochId.newBuilder()
                        .setNumber(session.epoch().number())
                        .setNonce(session.epoch().nonce()))
                .setSession(session.number())
                .setKey(toWire(session.key()))
                .build();
    }

    static EpochId fromWire(io.troth.proto.v1.EpochId epoch) {
        return new EpochId(epoch.getNumber(), epoch.getNonce());
    }

    static GlobalTxId fromWire(io.troth.proto.v1.GlobalTxId tx) {
        return new GlobalTxId(
                tx.getShard(), new EpochId(tx.getEpoch(), tx.getNonce()), tx.getSession(), tx.getSequence());
    }

    static SessionKey fromWire(io.troth.proto.v1.SessionKey key) {
        return new SessionKey(key.getHigh(), key.getLow());
    }

    static Reason fromWire(io.troth.proto.v1.Reason reason) {
        return Reason.named(reason.getCode(), reason.getDetail());
    }

    static Answer fromWire(TransactionAnswer answer) {
        return new Answer(
                fromWire(answer.getTx()),
                fromWire(answer.getOutcome()),
                answer.getCompleting(),
                answer.hasBranch()
                        ? new BranchId(
                                answer.getBranch().getInstance(),
                                answer.getBranch().getCounter())
                        : null,
                answer.hasReason() ? fromWire(answer.getReason()) : null,
                null);
    }

    /** An outcome of a newer coordinator is never taken for a certain one. */
    private static Outcome fromWire(io.troth.proto.v1.Outcome outcome) {
        return switch (outcome) {
            case OUTCOME_COMMITTED -> Outcome.COMMITTED;
            case OUTCOME_ROLLED_BACK -> Outcome.ROLLED_BACK;
            case OUTCOME_READ_ONLY -> Outcome.READ_ONLY;
            case OUTCOME_PENDING -> Outcome.PENDING;
            case OUTCOME_FORGOTTEN -> Outcome.FORGOTTEN;
            case OUTCOME_NOT_LEADER -> Outcome.NOT_LEADER;
            case OUTCOME_UNKNOWN, OUTCOME_UNSPECIFIED, UNRECOGNIZED -> Outcome.UNKNOWN;
        };
    }
}
