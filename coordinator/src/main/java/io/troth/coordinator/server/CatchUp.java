package io.troth.coordinator.server;

import io.troth.coordinator.admin.ClusterView;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import org.jspecify.annotations.Nullable;

/**
 * Whether a member that follows has caught up since its start: whoever restarts one after the other waits for that, since
 * a member that lags could be the one that a majority is short of. What its leader had when it was first heard of has to
 * be applied; who has been there once stays a member of use, since under load everybody is behind at every look.
 * Thread-safe.
 */
final class CatchUp {

    /** What has to be applied; null before a leader was heard of. Guarded by this. */
    private @Nullable Long target;

    private boolean over;

    /**
     * Looks again.
     *
     * @param view how this member sees the cluster now
     * @param leaderIndex the last entry that the leader has said to be committed; -1 when it has said nothing yet
     * @return why it has not caught up, null when it has
     */
    synchronized @Nullable Reason look(ClusterView view, long leaderIndex) {
        if (view.role() == ClusterView.Role.OUTSIDE) {
            return new Reason(
                    ErrorCode.NOT_READY, "it has no vote: troth cluster add takes it in, on the leader's machine");
        }
        if (over) {
            return null;
        }
        if (target == null) {
            if (leaderIndex < 0) {
                return new Reason(ErrorCode.NOT_READY, "its leader has not said yet how far the log goes");
            }
            target = leaderIndex;
        }
        over = view.appliedIndex() >= target;
        return over
                ? null
                : new Reason(
                        ErrorCode.NOT_READY,
                        "it catches up: entry " + view.appliedIndex() + " of " + target + " is applied");
    }
}
