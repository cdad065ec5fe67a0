package io.troth.core.coordinator;

import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Invariant;
import java.util.Map;

/**
 * Decides when ended records may be forgotten (protocol 9.4): one boundary at a time. Everything at or below it has
 * ended; then the outcome retention runs; then every known resource has to report a scan without a prepared xid at or
 * below it; then HORIZON is appended, and when it is applied the log may purge.
 */
final class Horizons {

    private final Leader leader;

    Horizons(Leader leader) {
        this.leader = leader;
    }

    /** Looks for the next boundary; called whenever a session is over or an END is applied. Constant time. */
    void consider() {
        HorizonState state = leader.horizon;
        if (!leader.isReady() || state.next != null || leader.unendedOlder > 0) {
            return;
        }
        LogRecord.Horizon boundary;
        long lowest = leader.sessions.lowest();
        if (lowest > 1) {
            boundary = new LogRecord.Horizon(leader.epoch(), lowest - 1);
        } else {
            Map.Entry<Long, EpochId> older =
                    leader.epochs.known.lowerEntry(leader.epoch().number());
            if (older == null) {
                return;
            }
            boundary = new LogRecord.Horizon(older.getValue(), Long.MAX_VALUE);
        }
        LogRecord.Horizon applied = leader.epochs.horizon;
        if (applied != null && EpochTable.isAtOrBelow(boundary.epoch(), boundary.session(), applied)) {
            return;
        }
        state.next = boundary;
        state.retained = false;
        state.handed = false;
        state.cleared.clear();
        leader.out.startTimer(
                new TimerKey.Retention(boundary.epoch(), boundary.session()), leader.limits.outcomeRetentionMillis());
    }

    void retentionFired(TimerKey.Retention key) {
        LogRecord.Horizon next = leader.horizon.next;
        if (next != null && next.epoch().equals(key.epoch()) && next.session() == key.session()) {
            leader.horizon.retained = true;
            advance();
        }
    }

    void scanned(Event.ScanReported event) {
        LogRecord.Horizon next = leader.horizon.next;
        AgentStream stream = leader.agents.find(event.stream());
        if (stream == null || !stream.offers(event.resource())) {
            return;
        }
        leader.operator
                .leftAlone
                .entrySet()
                .removeIf(left -> left.getValue().resource().equals(event.resource())
                        && isBelow(left.getKey().tx(), event));
        boolean clear = next != null
                && (event.lowestEpoch() == null
                        || !EpochTable.isAtOrBelow(event.lowestEpoch(), event.lowestSession(), next));
        if (leader.horizon.retained && clear) {
            leader.horizon.cleared.add(event.resource());
            advance();
        }
    }

    /** True when no branch of T can be in the list: it is below the lowest, in the order in which agents look for that. */
    private static boolean isBelow(GlobalTxId tx, Event.ScanReported event) {
        EpochId lowest = event.lowestEpoch();
        int byEpoch = lowest == null ? -1 : tx.epoch().compareTo(lowest);
        return byEpoch < 0 || (byEpoch == 0 && tx.session() < event.lowestSession());
    }

    /** Appends HORIZON when nothing is waited for any more. */
    void advance() {
        HorizonState state = leader.horizon;
        if (state.next == null || !state.retained || state.handed || leader.agents.known.isEmpty()) {
            return;
        }
        for (String resource : leader.agents.known) {
            if (!leader.agents.excluded.contains(resource) && !state.cleared.contains(resource)) {
                return;
            }
        }
        state.handed = true;
        leader.out.append(state.next, true);
    }

    /** HORIZON is applied: live, and in recovery. */
    void applied(LogRecord.Horizon horizon) {
        LogRecord.Horizon before = leader.epochs.horizon;
        if (before == null || !EpochTable.isAtOrBelow(horizon.epoch(), horizon.session(), before)) {
            leader.epochs.horizon = horizon;
        }
        leader.operator.heuristics.keySet().removeIf(key -> leader.epochs.isForgotten(key.tx()));
        leader.operator.mixed.removeIf(key -> leader.epochs.isForgotten(key.tx()));
        if (leader.isReady()) {
            purge();
        }
        if (horizon.equals(leader.horizon.next)) {
            leader.horizon.next = null;
            consider();
        }
    }

    /** Lets the log forget, after checking once more that nothing unended would go. */
    void purge() {
        LogRecord.Horizon horizon = leader.epochs.horizon;
        if (horizon == null) {
            return;
        }
        for (CommittedTransaction committed : leader.committed.values()) {
            Invariants.check(
                    Invariant.I7_PURGES_ONLY_ENDED,
                    !EpochTable.isAtOrBelow(committed.tx.epoch(), committed.tx.session(), horizon),
                    committed.tx,
                    "COMMIT without END at or below the horizon");
        }
        leader.out.purge(horizon);
    }
}
