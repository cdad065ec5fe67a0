package io.troth.chaos.sim.database;

import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * PostgreSQL's transaction ids, and which server, history and life they have a meaning in. After a crash the ids of
 * unfinished transactions can be given again, to strangers.
 */
final class TransactionIds {

    private static final long FIRST = 700;

    final long systemIdentifier;
    int timeline = 1;
    long lifeMicros;
    private long next = FIRST;

    TransactionIds(long systemIdentifier, long nowNanos) {
        this.systemIdentifier = systemIdentifier;
        this.lifeMicros = 1 + TimeUnit.NANOSECONDS.toMicros(nowNanos);
    }

    TransactionIds copy() {
        TransactionIds copy = new TransactionIds(systemIdentifier, 0);
        copy.timeline = timeline;
        copy.lifeMicros = lifeMicros;
        copy.next = next;
        return copy;
    }

    long next() {
        return next++;
    }

    /** The first id that is not given yet. */
    long snapshotEnd() {
        return next;
    }

    boolean isFuture(long id) {
        return id >= next;
    }

    /** Another life begins. Returns true when ids of unfinished transactions will be given again. */
    boolean crash(List<ServerTransaction> history, Surroundings world) {
        newLife(world.nowNanos());
        long durable = FIRST - 1;
        for (ServerTransaction each : history) {
            // A prepare is flushed with its id, which stays used also when it was rolled back since.
            boolean survives = each.state == ServerTransaction.State.COMMITTED || each.preparedNanos >= 0;
            durable = Math.max(durable, survives ? each.id : 0);
        }
        if (durable + 1 < next && world.random().nextInt(5) < 3) {
            next = durable + 1;
            return true;
        }
        return false;
    }

    void restore(TransactionIds saved, boolean newTimeline, long nowNanos) {
        next = saved.next;
        timeline = newTimeline ? timeline + 1 : saved.timeline;
        newLife(nowNanos);
    }

    private void newLife(long nowNanos) {
        lifeMicros = Math.max(lifeMicros + 1, TimeUnit.NANOSECONDS.toMicros(nowNanos));
    }
}
