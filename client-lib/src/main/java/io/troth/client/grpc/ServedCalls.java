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
 * time is over; over the limit new calls are refused, never old ones forgotten. Calls of which only their header says that
 * there is such a T have a small part of the room: whoever makes headers up does not take the room of the others.
 * Thread-safe.
 */
final class ServedCalls {

    /** No coordinator lets a transaction live longer; what a header says is anybody's word. */
    private static final long REMEMBERED_MILLIS_MAX = TimeUnit.DAYS.toMillis(1);

    /** A tenth: right after a change of the leader all calls are so, for as long as this process has not heard of it. */
    private static final int STRANGERS_PART = 10;

    private final int callsMax;
    private final int strangersMax;
    private final NanoClock clock;

    @GuardedBy("this")
    private final Set<Served> served = new HashSet<>();

    /** What ends first comes first: how long a call is remembered does not depend on the others. */
    @GuardedBy("this")
    private final PriorityQueue<Until> order =
            new PriorityQueue<>((left, right) -> Long.signum(left.nanos() - right.nanos()));

    @GuardedBy("this")
    private int strangers;

    ServedCalls(int callsMax, NanoClock clock) {
        this.callsMax = callsMax;
        this.strangersMax = Math.max(1, callsMax / STRANGERS_PART);
        this.clock = clock;
    }

    /** What to do with a call. */
    enum Verdict {
        NEW,
        DUPLICATE,
        FULL,
        FULL_OF_STRANGERS
    }

    private record Served(GlobalTxId tx, long call) {}

    private record Until(Served call, boolean stranger, long nanos) {}

    /** {@code stranger}: nothing but the header says that there is such a transaction. */
    synchronized Verdict admit(GlobalTxId tx, long call, long remainingMillis, boolean stranger) {
        long now = clock.nanos();
        forget(now);
        Served key = new Served(tx, call);
        if (served.contains(key)) {
            return Verdict.DUPLICATE;
        }
        if (served.size() >= callsMax) {
            return Verdict.FULL;
        }
        if (stranger && strangers >= strangersMax) {
            return Verdict.FULL_OF_STRANGERS;
        }
        served.add(key);
        strangers += stranger ? 1 : 0;
        long millis = Math.min(remainingMillis, REMEMBERED_MILLIS_MAX);
        order.add(new Until(key, stranger, now + TimeUnit.MILLISECONDS.toNanos(millis)));
        return Verdict.NEW;
    }

    synchronized int size() {
        forget(clock.nanos());
        return served.size();
    }

    int strangersMax() {
        return strangersMax;
    }

    @GuardedBy("this")
    private void forget(long now) {
        while (!order.isEmpty() && order.element().nanos() - now <= 0) {
            Until over = order.remove();
            served.remove(over.call());
            strangers -= over.stranger() ? 1 : 0;
        }
    }
}
