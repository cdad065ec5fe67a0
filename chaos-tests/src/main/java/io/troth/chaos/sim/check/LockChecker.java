package io.troth.chaos.sim.check;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * No branch keeps its locks longer than it may: an unprepared one little beyond its deadline, a prepared one no longer
 * than recovery takes once nothing goes wrong any more.
 */
public final class LockChecker implements Checker {

    /**
     * How long locks may be held.
     *
     * @param afterDeadlineNanos by a branch that was never prepared, after its deadline: two seconds, and as long as
     *     processes stand still in the run
     * @param afterFaultsNanos by a prepared branch, after it was prepared or the last thing went wrong
     */
    public record Limits(long afterDeadlineNanos, long afterFaultsNanos) {

        /** The protocol's own, for processes that never stand still. */
        public static final Limits OWN = new Limits(TimeUnit.SECONDS.toNanos(2), TimeUnit.SECONDS.toNanos(60));
    }

    private final Limits limits;

    public LockChecker(Limits limits) {
        this.limits = limits;
    }

    @Override
    public List<String> complaints(History history) {
        List<String> complaints = new ArrayList<>();
        for (BranchFacts branch : history.branches()) {
            if (branch.touchedByRestore()) {
                // Its times are those of two histories.
                continue;
            }
            boolean wasPrepared = branch.preparedNanos() >= 0;
            long until = wasPrepared
                    ? Math.max(branch.preparedNanos(), history.lastFaultNanos()) + limits.afterFaultsNanos()
                    : saturated(branch.deadlineNanos(), limits.afterDeadlineNanos());
            boolean isOpen = branch.endedNanos() < 0;
            if (isOpen || branch.endedNanos() > until) {
                complaints.add("locks: " + branch.branch() + " of " + branch.tx() + " at " + branch.resource() + ", "
                        + (wasPrepared ? "prepared" : "unprepared") + ", "
                        + (isOpen
                                ? "holds its locks in the end"
                                : "held its locks for " + millis(branch.endedNanos() - until)
                                        + " ms more than it may"));
            }
        }
        return complaints;
    }

    private static long saturated(long nanos, long more) {
        return nanos > Long.MAX_VALUE - more ? Long.MAX_VALUE : nanos + more;
    }

    private static long millis(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(nanos);
    }
}
