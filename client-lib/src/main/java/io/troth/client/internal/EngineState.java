package io.troth.client.internal;

import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.proto.v1.Accepting;
import io.troth.proto.v1.ClientEntry;
import io.troth.proto.v1.CoordinatorState;
import org.jspecify.annotations.Nullable;

/** Who the coordinator is and whether it can be reached, shared by the engine's parts. Guarded by the engine's lock. */
final class EngineState {

    private final CoordinatorLink link;
    private final boolean hasOthers;
    private long lastCorrelation;

    /** True while a stream is up. */
    volatile boolean linkUp;

    /** The cluster of the first coordinator that answered; no other is spoken to. */
    @Nullable
    ClusterId cluster;

    int shard;

    /** The epoch of the stream that is, or was last, up. */
    @Nullable
    EpochId epoch;

    /** Why no transaction may begin; null while they may. */
    @Nullable
    Reason notAccepting;

    /** True: this leader stops. It waits until the sessions are closed, and no other one is to be opened. */
    boolean draining;

    /** True: it does, and one at another endpoint will lead; what wants to begin waits for that one. */
    boolean leaving;

    /** What stands in the way, when it is not the connection itself. */
    @Nullable
    Reason obstacle;

    /** {@code hasOthers}: whether there is more than one endpoint. */
    EngineState(CoordinatorLink link, boolean hasOthers) {
        this.link = link;
        this.hasOthers = hasOthers;
    }

    /** A stream is up: takes note of who answers, or says false and why when this client must not speak to it. */
    boolean accept(CoordinatorState coordinator) {
        if (coordinator.getEpoch().getNumber() < 1) {
            obstacle = new Reason(ErrorCode.NOT_READY, "the coordinator names no epoch");
            return false;
        }
        ClusterId itsCluster = new ClusterId(coordinator.getClusterId());
        if (cluster != null && !cluster.equals(itsCluster)) {
            obstacle = new Reason(ErrorCode.WRONG_CLUSTER, "expected cluster " + cluster + ", found " + itsCluster);
            return false;
        }
        EpochId itsEpoch = WireCodec.fromWire(coordinator.getEpoch());
        if (epoch != null && itsEpoch.number() < epoch.number()) {
            obstacle =
                    new Reason(ErrorCode.NOT_LEADER, "epoch " + itsEpoch.number() + " is older than " + epoch.number());
            return false;
        }
        linkUp = true;
        cluster = itsCluster;
        shard = coordinator.getShard();
        epoch = itsEpoch;
        notAccepting = null;
        draining = false;
        leaving = false;
        obstacle = null;
        return true;
    }

    /** Takes note of whether new transactions may begin. */
    void accepting(Accepting told) {
        Reason reason = told.getAccepting() ? null : WireCodec.fromWire(told.getReason());
        draining = reason != null && reason.code() == ErrorCode.DRAINING;
        leaving = hasOthers && draining;
        notAccepting = leaving ? null : reason;
    }

    /** Sends an entry under a new correlation id, which it returns. */
    long send(ClientEntry.Builder entry) {
        lastCorrelation++;
        link.send(entry.setCorrelationId(lastCorrelation).build());
        return lastCorrelation;
    }

    /** Sends an entry that wants no reply. */
    void tell(ClientEntry.Builder entry) {
        link.send(entry.build());
    }

    void tryElsewhere(String why) {
        link.tryElsewhere(why);
    }

    /** Why there is no usable session. */
    Reason whyNotConnected() {
        Reason known = obstacle;
        if (known != null) {
            return known;
        }
        return new Reason(
                ErrorCode.NO_COORDINATOR, linkUp ? "the coordinator has not opened a session yet" : link.problem());
    }
}
