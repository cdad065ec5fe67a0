package io.troth.coordinator.grpc;

import io.grpc.stub.StreamObserver;
import io.troth.coordinator.admin.ClusterView;
import io.troth.coordinator.admin.Membership;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.TrothException;
import io.troth.proto.v1.AddMemberRequest;
import io.troth.proto.v1.AddMemberResponse;
import io.troth.proto.v1.ClusterServiceGrpc;
import io.troth.proto.v1.GetClusterRequest;
import io.troth.proto.v1.GetClusterResponse;
import io.troth.proto.v1.RemoveMemberRequest;
import io.troth.proto.v1.RemoveMemberResponse;
import io.troth.proto.v1.TransferLeadershipRequest;
import io.troth.proto.v1.TransferLeadershipResponse;
import org.jspecify.annotations.Nullable;

/** {@code ClusterService}: of every member, whether it leads or not. */
final class ClusterEndpoint extends ClusterServiceGrpc.ClusterServiceImplBase {

    private final EventLoops loops;
    private final Refusals refusals;

    /** Null for a single coordinator. */
    private volatile @Nullable Membership membership;

    ClusterEndpoint(EventLoops loops, Refusals refusals) {
        this.loops = loops;
        this.refusals = refusals;
    }

    void use(Membership itsMembership) {
        membership = itsMembership;
    }

    private Membership membership() {
        Membership its = membership;
        if (its == null) {
            throw new TrothException(Reason.of(ErrorCode.NOT_A_CLUSTER));
        }
        return its;
    }

    private <R> UnaryCall<R> call(StreamObserver<R> responses) {
        return new UnaryCall<>(responses, loops.current(), refusals);
    }

    @Override
    public void getCluster(GetClusterRequest request, StreamObserver<GetClusterResponse> responses) {
        UnaryCall<GetClusterResponse> call = call(responses);
        call.run(() -> {
            ClusterView view = membership().view();
            call.answer(ClusterCodec.response(view));
        });
    }

    @Override
    public void transferLeadership(
            TransferLeadershipRequest request, StreamObserver<TransferLeadershipResponse> responses) {
        UnaryCall<TransferLeadershipResponse> call = call(responses);
        call.run(() -> {
            String reason = AdminEndpoint.mayWrite(request.getReason());
            call.answer(
                    membership().transfer(ClusterCodec.node(request.getNode()), reason),
                    done -> TransferLeadershipResponse.getDefaultInstance());
        });
    }

    @Override
    public void addMember(AddMemberRequest request, StreamObserver<AddMemberResponse> responses) {
        UnaryCall<AddMemberResponse> call = call(responses);
        call.run(() -> {
            String reason = AdminEndpoint.mayWrite(request.getReason());
            String endpoint = request.getEndpoint();
            call.answer(
                    membership()
                            .add(
                                    ClusterCodec.node(request.getNode()),
                                    ClusterCodec.address(request.getAddress()),
                                    endpoint.isEmpty() ? null : ClusterCodec.address(endpoint),
                                    reason),
                    done -> AddMemberResponse.getDefaultInstance());
        });
    }

    @Override
    public void removeMember(RemoveMemberRequest request, StreamObserver<RemoveMemberResponse> responses) {
        UnaryCall<RemoveMemberResponse> call = call(responses);
        call.run(() -> {
            String reason = AdminEndpoint.mayWrite(request.getReason());
            call.answer(
                    membership().remove(ClusterCodec.node(request.getNode()), reason),
                    done -> RemoveMemberResponse.getDefaultInstance());
        });
    }
}
