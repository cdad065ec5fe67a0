package io.troth.coordinator.grpc;

import io.troth.coordinator.admin.ClusterView;
import io.troth.proto.v1.AddMemberRequest;
import io.troth.proto.v1.ClusterServiceGrpc;
import io.troth.proto.v1.GetClusterRequest;
import io.troth.proto.v1.RemoveMemberRequest;
import io.troth.proto.v1.TransferLeadershipRequest;
import org.jspecify.annotations.Nullable;

/**
 * Speaks to the {@code ClusterService} of one member and waits for the answer, for the command line. Every method throws
 * {@link io.troth.core.TrothException}, as those of {@link AdminClient} do.
 */
public final class ClusterClient implements RemoteClient {

    private final RemoteCalls calls;

    /**
     * Connects at the first call.
     *
     * @param endpoint {@code host:port} of one member
     * @param tls null for plaintext; its authorities are those that the member's certificate must come from
     * @param timeoutMillis how long each call may take
     * @throws IllegalArgumentException when the endpoint is not one or a TLS file cannot be read
     */
    public ClusterClient(String endpoint, @Nullable ClientTls tls, long timeoutMillis) {
        calls = new RemoteCalls(endpoint, tls, timeoutMillis);
    }

    /** How this member sees the cluster. */
    public ClusterView view() {
        return ClusterCodec.view(calls.look(
                ClusterServiceGrpc::newBlockingStub, stub -> stub.getCluster(GetClusterRequest.getDefaultInstance())));
    }

    /** Lets another member lead; this one must be the leader. */
    public void transfer(String node, String reason) {
        TransferLeadershipRequest request = TransferLeadershipRequest.newBuilder()
                .setNode(node)
                .setReason(reason)
                .build();
        var unused = calls.change(ClusterServiceGrpc::newBlockingStub, stub -> stub.transferLeadership(request));
    }

    /** Takes a new member in; this one must be the leader. */
    public void add(String node, String address, @Nullable String endpoint, String reason) {
        AddMemberRequest request = AddMemberRequest.newBuilder()
                .setNode(node)
                .setAddress(address)
                .setEndpoint(endpoint == null ? "" : endpoint)
                .setReason(reason)
                .build();
        var unused = calls.change(ClusterServiceGrpc::newBlockingStub, stub -> stub.addMember(request));
    }

    /** Removes a member; this one must be the leader. */
    public void remove(String node, String reason) {
        RemoveMemberRequest request =
                RemoveMemberRequest.newBuilder().setNode(node).setReason(reason).build();
        var unused = calls.change(ClusterServiceGrpc::newBlockingStub, stub -> stub.removeMember(request));
    }

    @Override
    public void close() {
        calls.close();
    }
}
