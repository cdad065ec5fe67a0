package io.troth.coordinator.admin;

import org.jspecify.annotations.Nullable;

/**
 * A member of a cluster in numbers.
 *
 * @param view how it sees the cluster
 * @param leaderChanges how often this process has heard of another leader than before, or of none
 * @param forces how often it has forced Raft's log to the disk
 * @param forceNanosMedian how long that took in the middle of late; 0 before the first time
 * @param forceNanosP99 how long all but one in a hundred of late took at most; 0 before the first time
 * @param snapshotMillis how old the newest copy of its store is; null when there is none
 */
public record MemberFigures(
        ClusterView view,
        long leaderChanges,
        long forces,
        long forceNanosMedian,
        long forceNanosP99,
        @Nullable Long snapshotMillis) {}
