package io.troth.coordinator.grpc;

import com.google.protobuf.MessageLite;
import io.grpc.stub.StreamObserver;
import io.troth.coordinator.admin.Administration;
import io.troth.core.BranchId;
import io.troth.core.Decision;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.Reason;
import io.troth.core.ResourceName;
import io.troth.core.TrothException;
import io.troth.proto.v1.AdminServiceGrpc;
import io.troth.proto.v1.CloseTransactionRequest;
import io.troth.proto.v1.CloseTransactionResponse;
import io.troth.proto.v1.ExcludeResourceRequest;
import io.troth.proto.v1.ExcludeResourceResponse;
import io.troth.proto.v1.GetStatusRequest;
import io.troth.proto.v1.GetStatusResponse;
import io.troth.proto.v1.GetTransactionRequest;
import io.troth.proto.v1.GetTransactionResponse;
import io.troth.proto.v1.HoldResourceRequest;
import io.troth.proto.v1.HoldResourceResponse;
import io.troth.proto.v1.ListAgentsRequest;
import io.troth.proto.v1.ListAgentsResponse;
import io.troth.proto.v1.ListInDoubtRequest;
import io.troth.proto.v1.ListInDoubtResponse;
import io.troth.proto.v1.ListTransactionsRequest;
import io.troth.proto.v1.ListTransactionsResponse;
import io.troth.proto.v1.ResolveBranchRequest;
import io.troth.proto.v1.ResolveBranchResponse;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

/** {@code AdminService}. What changes something is taken from a loopback address only, as long as there are no roles. */
final class AdminEndpoint extends AdminServiceGrpc.AdminServiceImplBase {

    /** What is left out of a list then is more. Clients of gRPC take no message of more than 4 MiB, unless told to. */
    private static final int LIST_BYTES_MAX = 3 * 1024 * 1024;

    private final Administration administration;
    private final GrpcStreamGateway gateway;
    private final EventLoops loops;
    private final Refusals refusals;

    AdminEndpoint(Administration administration, GrpcStreamGateway gateway, EventLoops loops, Refusals refusals) {
        this.administration = administration;
        this.gateway = gateway;
        this.loops = loops;
        this.refusals = refusals;
    }

    private <R> UnaryCall<R> call(StreamObserver<R> responses) {
        return new UnaryCall<>(responses, loops.current(), refusals);
    }

    @Override
    public void getStatus(GetStatusRequest request, StreamObserver<GetStatusResponse> responses) {
        call(responses)
                .answer(
                        administration.status(),
                        view -> AdminCodec.status(
                                gateway.cluster(), view, gateway.head().durableBatch()));
    }

    @Override
    public void listTransactions(ListTransactionsRequest request, StreamObserver<ListTransactionsResponse> responses) {
        call(responses).answer(administration.transactions(request.getLimit()), list -> {
            ListTransactionsResponse.Builder response = ListTransactionsResponse.newBuilder();
            boolean all = addAll(list.items(), AdminCodec::transaction, response::addTransactions);
            return response.setTruncated(list.truncated() || !all).build();
        });
    }

    @Override
    public void getTransaction(GetTransactionRequest request, StreamObserver<GetTransactionResponse> responses) {
        UnaryCall<GetTransactionResponse> call = call(responses);
        call.run(() -> call.answer(
                administration.transaction(GlobalTxId.parse(request.getTx())),
                view -> GetTransactionResponse.newBuilder()
                        .setTransaction(AdminCodec.transaction(view))
                        .build()));
    }

    @Override
    public void listAgents(ListAgentsRequest request, StreamObserver<ListAgentsResponse> responses) {
        call(responses).answer(administration.agents(request.getLimit()), list -> {
            ListAgentsResponse.Builder response = ListAgentsResponse.newBuilder();
            boolean all = addAll(list.items(), AdminCodec::agent, response::addAgents);
            return response.setTruncated(list.truncated() || !all).build();
        });
    }

    @Override
    public void listInDoubt(ListInDoubtRequest request, StreamObserver<ListInDoubtResponse> responses) {
        call(responses).answer(administration.inDoubt(request.getLimit()), list -> {
            ListInDoubtResponse.Builder response = ListInDoubtResponse.newBuilder();
            boolean all = addAll(list.items(), AdminCodec::inDoubt, response::addBranches);
            return response.setTruncated(list.truncated() || !all).build();
        });
    }

    /** False when not all of them go into one message. */
    private static <T, M extends MessageLite> boolean addAll(List<T> items, Function<T, M> codec, Consumer<M> list) {
        int bytes = 0;
        for (T item : items) {
            M message = codec.apply(item);
            bytes += message.getSerializedSize();
            if (bytes > LIST_BYTES_MAX) {
                return false;
            }
            list.accept(message);
        }
        return true;
    }

    @Override
    public void resolveBranch(ResolveBranchRequest request, StreamObserver<ResolveBranchResponse> responses) {
        UnaryCall<ResolveBranchResponse> call = call(responses);
        call.run(() -> {
            String reason = mayWrite(request.getReason());
            GlobalTxId tx = GlobalTxId.parse(request.getTx());
            BranchId branch = BranchId.parse(request.getBranch());
            Decision decision = AdminCodec.decision(request.getDecision());
            call.answer(
                    administration.resolve(tx, branch, decision, reason),
                    outcome -> ResolveBranchResponse.newBuilder()
                            .setOutcome(taken(tx, outcome))
                            .build());
        });
    }

    @Override
    public void closeTransaction(CloseTransactionRequest request, StreamObserver<CloseTransactionResponse> responses) {
        UnaryCall<CloseTransactionResponse> call = call(responses);
        call.run(() -> {
            String reason = mayWrite(request.getReason());
            GlobalTxId tx = GlobalTxId.parse(request.getTx());
            call.answer(
                    administration.close(tx, reason),
                    outcome -> CloseTransactionResponse.newBuilder()
                            .setOutcome(taken(tx, outcome))
                            .build());
        });
    }

    @Override
    public void holdResource(HoldResourceRequest request, StreamObserver<HoldResourceResponse> responses) {
        UnaryCall<HoldResourceResponse> call = call(responses);
        call.run(() -> {
            String reason = mayWrite(request.getReason());
            String resource = ResourceName.check(request.getResource());
            call.answer(
                    administration.hold(resource, request.getHeld(), reason),
                    known -> HoldResourceResponse.newBuilder().setKnown(known).build());
        });
    }

    @Override
    public void excludeResource(ExcludeResourceRequest request, StreamObserver<ExcludeResourceResponse> responses) {
        UnaryCall<ExcludeResourceResponse> call = call(responses);
        call.run(() -> {
            String reason = mayWrite(request.getReason());
            String resource = ResourceName.check(request.getResource());
            call.answer(
                    administration.exclude(resource, request.getExcluded(), reason),
                    known ->
                            ExcludeResourceResponse.newBuilder().setKnown(known).build());
        });
    }

    /** The reason, when the caller may change something. */
    static String mayWrite(String reason) {
        if (!PeerAddress.isLoopback(PeerAddress.current())) {
            throw new TrothException(
                    new Reason(ErrorCode.NOT_PERMITTED, "the call comes from " + PeerAddress.current()));
        }
        if (reason.isBlank()) {
            throw new IllegalArgumentException("whoever changes something says why: the reason is empty");
        }
        return WireReader.name("reason", reason);
    }

    /** The leader went while the decision was on its way to the log: only the next one can tell. */
    private static io.troth.proto.v1.Outcome taken(GlobalTxId tx, Outcome outcome) {
        if (outcome == Outcome.NOT_LEADER) {
            throw new TrothException(new Reason(
                    ErrorCode.OUTCOME_UNKNOWN, "whether " + tx + " was decided by force is not known; look again"));
        }
        return WireWriter.outcome(outcome);
    }
}
