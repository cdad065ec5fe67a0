package io.troth.coordinator.grpc;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.troth.core.BranchWork;
import io.troth.core.EpochId;
import io.troth.proto.v1.AgentEntry;
import io.troth.proto.v1.AgentOrder;
import io.troth.proto.v1.AgentServiceGrpc;
import io.troth.proto.v1.AgentStreamResponse;
import io.troth.proto.v1.BeginResponse;
import io.troth.proto.v1.BranchDone;
import io.troth.proto.v1.BranchId;
import io.troth.proto.v1.BranchInquiry;
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
    /** Guarded by this: whether votes are kept back, and those that are. */
    private boolean hesitates;

    private final List<AgentEntry.Builder> unsaid = new ArrayList<>();

    /** Returns when it is welcome. */
    public WireAgent(ManagedChannel channel, long instance, String resource) {
        this(channel, instance, resource, null);
        Edge.until(() -> orders().stream().anyMatch(AgentOrder::hasWelcome));
    }

    /** Has heard of an epoch before, and may not be welcome. */
    public WireAgent(ManagedChannel channel, long instance, String resource, @Nullable EpochId heard) {
        this.instance = instance;
        this.resource = resource;
        out = AgentServiceGrpc.newStub(channel).agentStream(this);
        AgentEntry.Builder hello = Edge.hello(instance, resource);
        if (heard != null) {
            hello.getHelloBuilder()
                    .setHighestEpoch(io.troth.proto.v1.EpochId.newBuilder()
                            .setNumber(heard.number())
                            .setNonce(heard.nonce()));
        }
        say(hello);
    }

    /** Acknowledges no commit from now on. */
    public void goesSilentAfterItsVote() {
        acknowledges = false;
    }

    /** Keeps its votes back until {@link #vote}. */
    public synchronized void hesitate() {
        hesitates = true;
    }

    /** Says the votes that it kept back. */
    public synchronized void vote() {
        hesitates = false;
        say(unsaid.toArray(AgentEntry.Builder[]::new));
        unsaid.clear();
    }

    /** Asks about a branch that its database lists as prepared. */
    public void inquire(io.troth.core.GlobalTxId tx, io.troth.core.BranchId branch) {
        say(AgentEntry.newBuilder()
                .setBranchInquiry(BranchInquiry.newBuilder()
                        .setTx(wire(tx))
                        .setBranch(Edge.branch(branch.instance(), branch.counter()))
                        .setResource(resource)));
    }

    /** A branch of a transaction that was begun by a unary call starts here. */
    public BranchWork enlist(BeginResponse begun) {
        io.troth.core.SessionKey key = io.troth.core.SessionKey.parse(begun.getKey());
        BranchId branch = enlist(
                wire(io.troth.core.GlobalTxId.parse(begun.getTx())),
                SessionKey.newBuilder().setHigh(key.high()).setLow(key.low()).build());
        return new BranchWork(WireReader.branch(branch), resource, 1);
    }

    private static GlobalTxId wire(io.troth.core.GlobalTxId tx) {
        return GlobalTxId.newBuilder()
                .setEpoch(tx.epoch().number())
                .setNonce(tx.epoch().nonce())
                .setSession(tx.session())
                .setSequence(tx.sequence())
                .build();
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

    /** What it was told so far. */
    public synchronized List<AgentOrder> orders() {
        return List.copyOf(orders);
    }

    @Override
    public void onNext(AgentStreamResponse response) {
        for (AgentOrder order : response.getOrdersList()) {
            synchronized (this) {
                orders.add(order);
            }
            AgentEntry.Builder answer = answer(order);
            if (answer != null && !keepsBack(answer)) {
                say(answer);
            }
        }
    }

    private synchronized boolean keepsBack(AgentEntry.Builder answer) {
        return hesitates && answer.hasVote() && unsaid.add(answer);
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
        if (order.hasAskOnePhase()) {
            return AgentEntry.newBuilder()
                    .setOnePhaseResult(OnePhaseResult.newBuilder()
                            .setTx(order.getAskOnePhase().getTx())
                            .setBranch(order.getAskOnePhase().getBranch())
                            .setFate(OnePhaseFate.ONE_PHASE_FATE_COMMITTED));
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

    /** Whether the coordinator has ended its stream. */
    public synchronized boolean isOver() {
        return end != null;
    }
}
