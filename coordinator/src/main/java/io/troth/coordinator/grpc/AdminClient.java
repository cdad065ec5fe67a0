package io.troth.coordinator.grpc;

import io.troth.coordinator.admin.CoordinatorStatus;
import io.troth.coordinator.admin.Listing;
import io.troth.core.BranchId;
import io.troth.core.Decision;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.TrothException;
import io.troth.core.coordinator.AgentHello;
import io.troth.core.coordinator.InDoubtView;
import io.troth.core.coordinator.TransactionView;
import io.troth.proto.v1.AdminServiceGrpc;
import io.troth.proto.v1.CloseTransactionRequest;
import io.troth.proto.v1.ExcludeResourceRequest;
import io.troth.proto.v1.GetStatusRequest;
import io.troth.proto.v1.GetTransactionRequest;
import io.troth.proto.v1.HoldResourceRequest;
import io.troth.proto.v1.ListAgentsRequest;
import io.troth.proto.v1.ListAgentsResponse;
import io.troth.proto.v1.ListInDoubtRequest;
import io.troth.proto.v1.ListInDoubtResponse;
import io.troth.proto.v1.ListTransactionsRequest;
import io.troth.proto.v1.ListTransactionsResponse;
import io.troth.proto.v1.ResolveBranchRequest;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Speaks to the {@code AdminService} of a coordinator and waits for the answer, for the command line. Every method throws
 * {@link TrothException}: with the code that the coordinator gave, with NO_COORDINATOR when it cannot be reached, and
 * with OUTCOME_UNKNOWN when something was to be changed and it is not known whether it was.
 */
public final class AdminClient implements RemoteClient {

    private final RemoteCalls calls;

    /**
     * Connects at the first call.
     *
     * @param endpoint {@code host:port}
     * @param tls null for plaintext; its authorities are those that the coordinator's certificate must come from
     * @param timeoutMillis how long each call may take
     * @throws IllegalArgumentException when the endpoint is not one or a TLS file cannot be read
     */
    public AdminClient(String endpoint, @Nullable ClientTls tls, long timeoutMillis) {
        calls = new RemoteCalls(endpoint, tls, timeoutMillis);
    }

    /** How the coordinator is. */
    public CoordinatorStatus status() {
        return AdminCodec.status(look(stub -> stub.getStatus(GetStatusRequest.getDefaultInstance())));
    }

    /** Unended COMMITs of older epochs, then the open transactions. */
    public Listing<TransactionView> transactions(int limit) {
        ListTransactionsResponse list = look(stub -> stub.listTransactions(
                ListTransactionsRequest.newBuilder().setLimit(limit).build()));
        return AdminCodec.listing(list.getTransactionsList(), list.getTruncated(), AdminCodec::transaction);
    }

    /** What is in memory of one. */
    public TransactionView transaction(GlobalTxId tx) {
        return AdminCodec.transaction(look(stub -> stub.getTransaction(
                        GetTransactionRequest.newBuilder().setTx(tx.toString()).build()))
                .getTransaction());
    }

    /** The connected agents. */
    public Listing<AgentHello> agents(int limit) {
        ListAgentsResponse list = look(stub ->
                stub.listAgents(ListAgentsRequest.newBuilder().setLimit(limit).build()));
        return AdminCodec.listing(list.getAgentsList(), list.getTruncated(), AdminCodec::agent);
    }

    /** Prepared branches that are not finished. */
    public Listing<InDoubtView> inDoubt(int limit) {
        ListInDoubtResponse list = look(stub ->
                stub.listInDoubt(ListInDoubtRequest.newBuilder().setLimit(limit).build()));
        return AdminCodec.listing(list.getBranchesList(), list.getTruncated(), AdminCodec::inDoubt);
    }

    /** Decides a branch by force; what its transaction was decided to be, as far as that is known. */
    public Outcome resolve(GlobalTxId tx, BranchId branch, Decision decision, String reason) {
        ResolveBranchRequest request = ResolveBranchRequest.newBuilder()
                .setTx(tx.toString())
                .setBranch(branch.toString())
                .setDecision(AdminCodec.decision(decision))
                .setReason(reason)
                .build();
        return AdminCodec.known(change(stub -> stub.resolveBranch(request)).getOutcome());
    }

    /** Closes a COMMIT that can never end. */
    public Outcome close(GlobalTxId tx, String reason) {
        CloseTransactionRequest request = CloseTransactionRequest.newBuilder()
                .setTx(tx.toString())
                .setReason(reason)
                .build();
        return AdminCodec.known(change(stub -> stub.closeTransaction(request)).getOutcome());
    }

    /** Holds a resource, or releases it; false when no agent of such a resource was ever heard of. */
    public boolean hold(String resource, boolean held, String reason) {
        HoldResourceRequest request = HoldResourceRequest.newBuilder()
                .setResource(resource)
                .setHeld(held)
                .setReason(reason)
                .build();
        return change(stub -> stub.holdResource(request)).getKnown();
    }

    /** Excludes a resource that is gone for ever, or includes it again; false as {@link #hold}. */
    public boolean exclude(String resource, boolean excluded, String reason) {
        ExcludeResourceRequest request = ExcludeResourceRequest.newBuilder()
                .setResource(resource)
                .setExcluded(excluded)
                .setReason(reason)
                .build();
        return change(stub -> stub.excludeResource(request)).getKnown();
    }

    private <T> T look(Function<AdminServiceGrpc.AdminServiceBlockingStub, T> call) {
        return calls.look(AdminServiceGrpc::newBlockingStub, call);
    }

    private <T> T change(Function<AdminServiceGrpc.AdminServiceBlockingStub, T> call) {
        return calls.change(AdminServiceGrpc::newBlockingStub, call);
    }

    @Override
    public void close() {
        calls.close();
    }
}
