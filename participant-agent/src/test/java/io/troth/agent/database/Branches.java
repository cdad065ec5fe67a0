package io.troth.agent.database;

import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import java.util.concurrent.atomic.AtomicLong;

/** Fresh names for transactions and branches. */
public final class Branches {

    public static final ClusterId CLUSTER = new ClusterId(0x7107_0000_0000_0001L);
    public static final ClusterId OTHER_CLUSTER = new ClusterId(0x7107_0000_0000_0002L);

    private static final AtomicLong NEXT = new AtomicLong(1);

    private Branches() {}

    public static GlobalTxId nextTx() {
        return new GlobalTxId(0, new EpochId(1, 0xfeedL), 1, NEXT.getAndIncrement());
    }

    public static BranchId nextBranch() {
        return new BranchId(0xa6e27L, NEXT.getAndIncrement());
    }
}
