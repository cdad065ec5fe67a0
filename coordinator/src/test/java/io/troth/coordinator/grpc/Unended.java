package io.troth.coordinator.grpc;

import io.troth.core.BranchId;
import io.troth.core.BranchList;
import io.troth.core.BranchWork;
import io.troth.core.GlobalTxId;
import io.troth.proto.v1.BeginRequest;
import io.troth.proto.v1.BeginResponse;
import io.troth.proto.v1.CommitRequest;
import io.troth.proto.v1.TransactionServiceGrpc;
import io.troth.proto.v1.WaitFor;
import java.util.List;

/** A committed transaction whose branch of {@code stock} never says that it is done. */
public final class Unended {

    public final GlobalTxId tx;
    public final BranchId held;
    final WireAgent accounts;
    final WireAgent stock;

    public Unended(LiveCoordinator coordinator) {
        accounts = new WireAgent(coordinator.channel, 0xa, "accounts");
        stock = new WireAgent(coordinator.channel, 0xb, "stock");
        stock.acknowledges = false;
        var facade = TransactionServiceGrpc.newBlockingStub(coordinator.channel);
        BeginResponse begun = facade.begin(BeginRequest.getDefaultInstance());
        tx = GlobalTxId.parse(begun.getTx());
        BranchWork first = accounts.enlist(begun);
        BranchWork second = stock.enlist(begun);
        held = second.branch();
        facade.commit(CommitRequest.newBuilder()
                .setTx(begun.getTx())
                .setKey(begun.getKey())
                .addBranches(new BranchList(false, List.of(first, second)).encode())
                .setWaitFor(WaitFor.WAIT_FOR_DECIDED)
                .build());
        Edge.until(() -> coordinator
                .engine
                .look(machine -> machine.inDoubt(10).size() == 1)
                .join());
    }
}
