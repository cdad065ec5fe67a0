package io.troth.coordinator.grpc;

import com.google.protobuf.ByteString;
import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.ClientMessage;
import io.troth.proto.v1.Accepting;
import io.troth.proto.v1.AgentOrder;
import io.troth.proto.v1.AgentStreamResponse;
import io.troth.proto.v1.AskFate;
import io.troth.proto.v1.AskOnePhase;
import io.troth.proto.v1.ClientReply;
import io.troth.proto.v1.ClientStreamResponse;
import io.troth.proto.v1.CommitBranch;
import io.troth.proto.v1.CommitOnePhase;
import io.troth.proto.v1.CoordinatorState;
import io.troth.proto.v1.EnlistRefused;
import io.troth.proto.v1.InquiryAnswer;
import io.troth.proto.v1.Prepare;
import io.troth.proto.v1.RollbackBranch;
import io.troth.proto.v1.SessionClosed;
import io.troth.proto.v1.SessionOpened;
import io.troth.proto.v1.SessionRef;
import io.troth.proto.v1.TransactionAnswer;
import io.troth.proto.v1.Welcome;
import java.util.List;

/** From the words of the core to those of the wire. Immutable. */
final class WireWriter implements AgentMessage.Visitor<AgentOrder.Builder>, ClientMessage.Visitor<ClientReply.Builder> {

    private final ClusterId cluster;
    private final int shard;

    WireWriter(ClusterId cluster, int shard) {
        this.cluster = cluster;
        this.shard = shard;
    }

    ClientReply reply(ClientMessage message) {
        return message.accept(this).build();
    }

    AgentOrder order(AgentMessage message) {
        return message.accept(this).build();
    }

    /** The first reply on every client stream. */
    ClientReply state(EpochId epoch) {
        return ClientReply.newBuilder()
                .setCoordinatorState(CoordinatorState.newBuilder()
                        .setClusterId(cluster.value())
                        .setShard(shard)
                        .setEpoch(epoch(epoch)))
                .build();
    }

    static ClientStreamResponse clientFrame(Head head, List<ClientReply> replies) {
        ClientStreamResponse.Builder frame = ClientStreamResponse.newBuilder()
                .setDurableBatch(head.durableBatch())
                .addAllReplies(replies);
        if (head.epoch() != null) {
            frame.setEpoch(epoch(head.epoch()));
        }
        return frame.build();
    }

    static AgentStreamResponse agentFrame(Head head, List<AgentOrder> orders) {
        AgentStreamResponse.Builder frame = AgentStreamResponse.newBuilder()
                .setDurableBatch(head.durableBatch())
                .addAllOrders(orders);
        if (head.epoch() != null) {
            frame.setEpoch(epoch(head.epoch()));
        }
        return frame.build();
    }

    @Override
    public ClientReply.Builder sessionOpened(ClientMessage.SessionOpened message) {
        return ClientReply.newBuilder()
                .setCorrelationId(message.correlation())
                .setSessionOpened(SessionOpened.newBuilder()
                        .setSession(SessionRef.newBuilder()
                                .setEpoch(epoch(message.epoch()))
                                .setSession(message.session())
                                .setKey(key(message.key())))
                        .setMaxOpen(message.maxOpen())
                        .setMaxAgeMillis(message.maxAgeMillis())
                        .setCommitsInPlace(message.commitsInPlace())
                        .setCompletionLimitMillis(message.completionLimitMillis()));
    }

    @Override
    public ClientReply.Builder accepting(ClientMessage.Accepting message) {
        return ClientReply.newBuilder()
                .setAccepting(
                        Accepting.newBuilder().setAccepting(message.accepting()).setReason(reason(message.reason())));
    }

    @Override
    public ClientReply.Builder answer(ClientMessage.Answer message) {
        TransactionAnswer.Builder answer = TransactionAnswer.newBuilder()
                .setTx(tx(message.tx()))
                .setOutcome(outcome(message.outcome()))
                .setCompleting(message.completing());
        if (message.branch() != null) {
            answer.setBranch(branch(message.branch()));
        }
        if (message.reason() != null) {
            answer.setReason(reason(message.reason()));
        }
        return ClientReply.newBuilder().setCorrelationId(message.correlation()).setTransactionAnswer(answer);
    }

    @Override
    public ClientReply.Builder refused(ClientMessage.Refused message) {
        return ClientReply.newBuilder().setCorrelationId(message.correlation()).setRefused(reason(message.reason()));
    }

    @Override
    public AgentOrder.Builder welcome(AgentMessage.Welcome message) {
        return AgentOrder.newBuilder()
                .setWelcome(Welcome.newBuilder()
                        .setClusterId(cluster.value())
                        .setShard(shard)
                        .setEpoch(epoch(message.epoch())));
    }

    @Override
    public AgentOrder.Builder enlistRefused(AgentMessage.EnlistRefused message) {
        return AgentOrder.newBuilder()
                .setEnlistRefused(EnlistRefused.newBuilder()
                        .setTx(tx(message.tx()))
                        .setBranch(branch(message.branch()))
                        .setReason(reason(message.reason())));
    }

    @Override
    public AgentOrder.Builder prepare(AgentMessage.Prepare message) {
        return AgentOrder.newBuilder()
                .setPrepare(Prepare.newBuilder()
                        .setTx(tx(message.tx()))
                        .setBranch(branch(message.branch()))
                        .setCalls(message.calls()));
    }

    @Override
    public AgentOrder.Builder commitOnePhase(AgentMessage.CommitOnePhase message) {
        return AgentOrder.newBuilder()
                .setCommitOnePhase(CommitOnePhase.newBuilder()
                        .setTx(tx(message.tx()))
                        .setBranch(branch(message.branch()))
                        .setCalls(message.calls()));
    }

    @Override
    public AgentOrder.Builder askOnePhase(AgentMessage.AskOnePhase message) {
        return AgentOrder.newBuilder()
                .setAskOnePhase(AskOnePhase.newBuilder().setTx(tx(message.tx())).setBranch(branch(message.branch())));
    }

    @Override
    public AgentOrder.Builder commitBranch(AgentMessage.CommitBranch message) {
        CommitBranch.Builder commit = CommitBranch.newBuilder()
                .setTx(tx(message.tx()))
                .setBranch(branch(message.branch()))
                .setResource(message.resource())
                .setFirstAttempt(message.firstAttempt())
                .setForced(message.forced());
        if (message.proof() != null) {
            commit.setProof(proof(message.proof()));
        }
        return AgentOrder.newBuilder().setCommitBranch(commit);
    }

    @Override
    public AgentOrder.Builder rollbackBranch(AgentMessage.RollbackBranch message) {
        return AgentOrder.newBuilder()
                .setRollbackBranch(RollbackBranch.newBuilder()
                        .setTx(tx(message.tx()))
                        .setBranch(branch(message.branch()))
                        .setResource(message.resource())
                        .setForced(message.forced()));
    }

    @Override
    public AgentOrder.Builder sessionClosed(AgentMessage.SessionClosed message) {
        return AgentOrder.newBuilder()
                .setSessionClosed(SessionClosed.newBuilder()
                        .setEpoch(epoch(message.epoch()))
                        .setSession(message.session()));
    }

    @Override
    public AgentOrder.Builder inquiryAnswer(AgentMessage.InquiryAnswer message) {
        return AgentOrder.newBuilder()
                .setInquiryAnswer(InquiryAnswer.newBuilder()
                        .setTx(tx(message.tx()))
                        .setBranch(branch(message.branch()))
                        .setOutcome(outcome(message.outcome())));
    }

    @Override
    public AgentOrder.Builder askFate(AgentMessage.AskFate message) {
        return AgentOrder.newBuilder()
                .setAskFate(AskFate.newBuilder()
                        .setTx(tx(message.tx()))
                        .setBranch(branch(message.branch()))
                        .setResource(message.resource())
                        .setProof(proof(message.proof())));
    }

    static io.troth.proto.v1.Reason reason(Reason reason) {
        return io.troth.proto.v1.Reason.newBuilder()
                .setCode(reason.code().name())
                .setDetail(reason.detail())
                .build();
    }

    static io.troth.proto.v1.Outcome outcome(Outcome outcome) {
        return switch (outcome) {
            case COMMITTED -> io.troth.proto.v1.Outcome.OUTCOME_COMMITTED;
            case ROLLED_BACK -> io.troth.proto.v1.Outcome.OUTCOME_ROLLED_BACK;
            case READ_ONLY -> io.troth.proto.v1.Outcome.OUTCOME_READ_ONLY;
            case PENDING -> io.troth.proto.v1.Outcome.OUTCOME_PENDING;
            case UNKNOWN -> io.troth.proto.v1.Outcome.OUTCOME_UNKNOWN;
            case FORGOTTEN -> io.troth.proto.v1.Outcome.OUTCOME_FORGOTTEN;
            case NOT_LEADER -> io.troth.proto.v1.Outcome.OUTCOME_NOT_LEADER;
        };
    }

    private static io.troth.proto.v1.EpochId epoch(EpochId epoch) {
        return io.troth.proto.v1.EpochId.newBuilder()
                .setNumber(epoch.number())
                .setNonce(epoch.nonce())
                .build();
    }

    private static io.troth.proto.v1.GlobalTxId tx(GlobalTxId tx) {
        return io.troth.proto.v1.GlobalTxId.newBuilder()
                .setShard(tx.shard())
                .setEpoch(tx.epoch().number())
                .setNonce(tx.epoch().nonce())
                .setSession(tx.session())
                .setSequence(tx.sequence())
                .build();
    }

    private static io.troth.proto.v1.BranchId branch(BranchId branch) {
        return io.troth.proto.v1.BranchId.newBuilder()
                .setInstance(branch.instance())
                .setCounter(branch.counter())
                .build();
    }

    private static io.troth.proto.v1.SessionKey key(SessionKey key) {
        return io.troth.proto.v1.SessionKey.newBuilder()
                .setHigh(key.high())
                .setLow(key.low())
                .build();
    }

    private static ByteString proof(Proof proof) {
        return ByteString.copyFrom(proof.toByteArray());
    }
}
