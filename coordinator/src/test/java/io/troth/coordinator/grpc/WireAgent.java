package io.troth.coordinator.grpc;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.troth.proto.v1.AgentEntry;
import io.troth.proto.v1.AgentOrder;
import io.troth.proto.v1.AgentServiceGrpc;
import io.troth.proto.v1.AgentStreamResponse;
import io.troth.proto.v1.BranchDone;
import io.troth.proto.v1.BranchId;
import io.troth.proto.v1.Enlist;
import io.troth.proto.v1.GlobalTxId;
import io.troth.proto.v1.OnePhaseFate;
import io.troth.proto.v1.OnePhaseResult;
import io.troth.proto.v1.PhaseTwoResult;
import io.troth.proto.v1.SessionKey;
import io.troth.proto.v1.Vote;
import io.troth.proto.v1.VoteEntry;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An agent without a database, on the wire: it votes YES and does what it is told. */
public final class WireAgent implements StreamObserver<AgentStreamResponse> {

    final long instance;
    final String resource;
    private final List<AgentOrder> orders = new ArrayList<>();
    private final StreamObserver<io.troth.proto.v1.AgentStreamRequest> out;
    private long branches;
    private @Nullable Status end;
    /** Whether commits are acknowledged. */
    volatile boolean acknowledges = true;

    public WireAgent(ManagedChannel channel, long instance, String resource) {
        this.instance = instance;
        this.resource = resource;
        out = AgentServiceGrpc.newStub(channel).agentStream(this);
        say(Edge.hello(instance, resource));
        Edge.until(() -> orders().stream().anyMatch(AgentOrder::hasWelcome));
    }

    synchronized void say(AgentEntry.Builder... entries) {
        out.onNext(Edge.batch(entries));
    }

    /** A branch of T starts here. */
    public BranchId enlist(GlobalTxId tx, SessionKey key) {
        BranchId branch = Edge.branch(instance, ++branches);
        say(enlistEntry(tx, key, branch));
        return branch;
    }

    AgentEntry.Builder enlistEntry(GlobalTxId tx, SessionKey key, BranchId branch) {
        return AgentEntry.newBuilder()
                .setEnlist(Enlist.newBuilder()
                        .setTx(tx)
                        .setKey(key)
                        .setBranch(branch)
                        .setResource(resource)
                        .setRemainingMillis(60_000));
    }

    synchronized List<AgentOrder> orders() {
        return List.copyOf(orders);
    }

    @Override
    public void onNext(AgentStreamResponse response) {
        for (AgentOrder order : response.getOrdersList()) {
            synchronized (this) {
                orders.add(order);
            }
            AgentEntry.Builder answer = answer(order);
            if (answer != null) {
                say(answer);
            }
        }
    }

    private AgentEntry.@Nullable Builder answer(AgentOrder order) {
        if (order.hasPrepare()) {
            return AgentEntry.newBuilder()
                    .setVote(VoteEntry.newBuilder()
                            .setTx(order.getPrepare().getTx())
                            .setBranch(order.getPrepare().getBranch())
                            .setVote(Vote.VOTE_YES));
        }
        if (order.hasCommitBranch() && acknowledges) {
            return AgentEntry.newBuilder()
                    .setBranchDone(BranchDone.newBuilder()
                            .setTx(order.getCommitBranch().getTx())
                            .setBranch(order.getCommitBranch().getBranch())
                            .setResult(PhaseTwoResult.PHASE_TWO_RESULT_COMMITTED));
        }
        if (order.hasCommitOnePhase()) {
            return AgentEntry.newBuilder()
                    .setOnePhaseResult(OnePhaseResult.newBuilder()
                            .setTx(order.getCommitOnePhase().getTx())
                            .setBranch(order.getCommitOnePhase().getBranch())
                            .setFate(OnePhaseFate.ONE_PHASE_FATE_COMMITTED));
        }
        return null;
    }

    @Override
    public synchronized void onError(Throwable cause) {
        end = Status.fromThrowable(cause);
    }

    @Override
    public synchronized void onCompleted() {
        end = Status.OK;
    }

    synchronized boolean isOver() {
        return end != null;
    }
}
