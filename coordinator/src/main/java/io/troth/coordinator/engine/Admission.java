package io.troth.coordinator.engine;

import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.coordinator.Event;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Whether new transactions may begin: several causes may speak against it at once, the first in order is told. What was
 * begun all the same is refused for the first one that is no drain, so that a drain never hides that the log cannot take
 * it.
 */
final class Admission {

    /** The causes, the one that lasts longest first. */
    enum Cause {
        DRAINING(ErrorCode.DRAINING),
        LOG_STALLED(ErrorCode.LOG_STALLED),
        DISK_FLOOR(ErrorCode.DISK_FLOOR),
        OVERLOADED(ErrorCode.OVERLOADED);

        private final ErrorCode code;

        Cause(ErrorCode code) {
            this.code = code;
        }
    }

    /** How often the load is looked at. */
    private static final long LOAD_CHECK_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    /**
     * So long a drain waits for client sessions with nothing open to be closed: what a client had begun before it was told
     * of the drain may still be heard of first.
     */
    static final long BEGUN_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Map<Cause, Reason> causes = new EnumMap<>(Cause.class);
    private final int openTransactionsMax;
    private @Nullable Reason announced;
    private @Nullable Reason announcedRefusing;
    private long loadCheckedNanos;
    private long drainEndNanos;
    private long drainBegunNanos;

    Admission(int openTransactionsMax) {
        this.openTransactionsMax = openTransactionsMax;
    }

    void raise(Cause cause, String detail) {
        causes.putIfAbsent(cause, new Reason(cause.code, detail));
    }

    void clear(Cause cause) {
        causes.remove(cause);
    }

    /** Why the coordinator as a whole is not one to send clients to; full is not such a reason. */
    @Nullable
    Reason notReady() {
        Reason draining = causes.get(Cause.DRAINING);
        return draining == null ? causes.get(Cause.LOG_STALLED) : draining;
    }

    /** What the core, and by it the clients, have to be told since the last call; null when nothing has changed. */
    @Nullable
    Event change() {
        Reason refusing = null;
        for (Map.Entry<Cause, Reason> each : causes.entrySet()) {
            if (refusing == null && each.getKey() != Cause.DRAINING) {
                refusing = each.getValue();
            }
        }
        Reason reason = isDraining() ? causes.get(Cause.DRAINING) : refusing;
        Reason told = reason == null ? announced : reason;
        boolean same = Objects.equals(reason, announced) && Objects.equals(refusing, announcedRefusing);
        announced = reason;
        announcedRefusing = refusing;
        return same || told == null ? null : new Event.AcceptingChanged(reason == null, told, refusing);
    }

    boolean isLoadCheckDue(long nowNanos) {
        return nowNanos - loadCheckedNanos >= LOAD_CHECK_NANOS;
    }

    /** Full is full; there is room again when a tenth is free, so that clients are not told at every transaction. */
    void checkLoad(long nowNanos, int open) {
        loadCheckedNanos = nowNanos;
        if (open >= openTransactionsMax) {
            raise(Cause.OVERLOADED, "too many open transactions");
        } else if (open < openTransactionsMax - openTransactionsMax / 10) {
            clear(Cause.OVERLOADED);
        }
    }

    /** The end comes after this time, or at that of an earlier drain. */
    void drain(long nowNanos, long limitNanos) {
        long endNanos = nowNanos + limitNanos;
        if (!isDraining() || endNanos - drainEndNanos < 0) {
            drainEndNanos = endNanos;
        }
        if (!isDraining()) {
            drainBegunNanos = nowNanos;
        }
        raise(Cause.DRAINING, "the coordinator is stopping");
    }

    boolean isDraining() {
        return causes.containsKey(Cause.DRAINING);
    }

    /** Whether all that clients have begun before they were told to begin nothing should have been heard of. */
    boolean isBegunHeard(long nowNanos) {
        return nowNanos - drainBegunNanos >= BEGUN_NANOS;
    }

    boolean isDrainOver(long nowNanos) {
        return isDraining() && drainEndNanos - nowNanos <= 0;
    }

    /** How long nothing will be to do here; not negative. */
    long nanosToNext(long nowNanos) {
        long nanos = Long.MAX_VALUE;
        if (isDraining()) {
            nanos = Math.min(nanos, drainEndNanos - nowNanos);
            if (!isBegunHeard(nowNanos)) {
                nanos = Math.min(nanos, drainBegunNanos + BEGUN_NANOS - nowNanos);
            }
        }
        if (causes.containsKey(Cause.OVERLOADED)) {
            nanos = Math.min(nanos, loadCheckedNanos + LOAD_CHECK_NANOS - nowNanos);
        }
        return Math.max(0, nanos);
    }
}
