package io.troth.agent.xa;

import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.GlobalTxId;

/** The names of prepared branches at the server, for tests of other packages. */
public final class PostgresGids {

    private PostgresGids() {}

    /** The name of a branch of this cluster. */
    public static String ofCluster(ClusterId cluster, GlobalTxId tx) {
        return PostgresGid.of(new TrothXid(cluster, tx, new BranchId(0xf0, 1)));
    }
}
