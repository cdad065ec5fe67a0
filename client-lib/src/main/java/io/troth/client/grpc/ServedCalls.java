package io.troth.client.grpc;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.troth.client.context.NanoClock;
import io.troth.core.GlobalTxId;
import java.util.HashSet;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * The calls that this process has served, so that none is served twice (protocol 5.4). A call is remembered until T's
 * time is over; over the limit new calls are refused, never old ones forgotten. Thread-safe.
 */
final class ServedCalls {

    /** No coordinator lets a transaction live longer; what a header says is anybody's word. */
    private static final long REMEMBERED_MILLIS_MAX = TimeUnit.DAYS.toMillis(1);

    private final int callsMax;
    private final NanoClock clock;

    @GuardedBy("this")
    private final Set<Served> served = new HashSet<>();

    /** What ends first comes first: how long a call is remembered does not depend on the others. */
    @GuardedBy("this")
    private final PriorityQueue<Until> order =
            new PriorityQueue<>((left, right) -> Long.signum(left.nanos() - right.nanos()));

    ServedCalls(int callsMax, NanoClock clock) {
        this.callsMax = callsMax;
        this.clock = clock;
    }

    /** What to do with a call. */
    enum Verdict {
        NEW,
        DUPLICATE,
        FULL
    }

    private record Served(GlobalTxId tx, long call) {}

    private record Until(Served call, long nanos) {}

    synchronized Verdict admit(GlobalTxId tx, long call, long remainingMillis) {
        long now = clock.nanos();
        forget(now);
        Served key = new Served(tx, call);
        if (served.contains(key)) {
            return Verdict.DUPLICATE;
        }
        if (served.size() >= callsMax) {
            return Verdict.FULL;
        }
        served.add(key);
        long millis = Math.min(remainingMillis, REMEMBERED_MILLIS_MAX);
        order.add(new Until(key, now + TimeUnit.MILLISECONDS.toNanos(millis)));
        return Verdict.NEW;
    }

    @GuardedBy("this")
    private void forget(long now) {
        while (!order.isEmpty() && order.element().nanos() - now <= 0) {
            served.remove(order.remove().call());
        }
    }
}
