package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A one-phase transaction whose result the leader does not have: an open T in state ONE_PHASE, or a question about one
 * that left no record (protocol 8.3). A plain structure of {@link OnePhase}.
 */
final class OnePhaseCase {

    /** Whose word is waited for. */
    enum Stage {
        /** The instance was told to commit, or asked. */
        INSTANCE,
        /** The instance has no stream; it has some time to come back. */
        ABSENT,
        /** The database is asked about the proof. */
        FATE
    }

    final GlobalTxId tx;
    final BranchId branch;
    final String resource;
    final List<RequestId> waiters = new ArrayList<>(1);
    /** The database that holds the branch; null when nobody remembers. */
    @Nullable
    String identity;

    @Nullable
    Proof proof;

    Stage stage = Stage.INSTANCE;
    /** The stream that was asked last; null when nobody could be. */
    @Nullable
    StreamId asked;

    OnePhaseCase(GlobalTxId tx, BranchId branch, String resource) {
        this.tx = tx;
        this.branch = branch;
        this.resource = resource;
    }
}
