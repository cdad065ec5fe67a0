package io.troth.chaos.sim;

import io.troth.core.BranchId;
import io.troth.core.GlobalTxId;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Which branches have voted YES to their clients. One thread. */
final class InPlaceWatch {

    private final Map<GlobalTxId, Set<BranchId>> prepared = new HashMap<>();

    void prepared(GlobalTxId tx, BranchId branch) {
        prepared.computeIfAbsent(tx, none -> new HashSet<>()).add(branch);
    }

    boolean isPrepared(GlobalTxId tx, BranchId branch) {
        return prepared.getOrDefault(tx, Set.of()).contains(branch);
    }
}
