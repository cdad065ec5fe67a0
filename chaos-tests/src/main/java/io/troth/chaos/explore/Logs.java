package io.troth.chaos.explore;

import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The states of the decision log, as protocol 3 promises it and not more. What the current leader has handed over becomes
 * durable in this order, at any time; when another epoch begins, each entry in flight is kept or lost. What an older
 * leader hands over later is lost. A durable entry is applied by its own leader at any later time, or never.
 */
final class Logs {

    /**
     * One state.
     *
     * @param flying handed over and not durable
     * @param lost COMMITs that a log client might propose again
     * @param purged each transaction that is purged, with the epoch of the leader that has let it go
     * @param before what was durable when the log was restored; nobody but the checks knows it
     */
    record State(
            int epoch,
            List<LogEntry> durable,
            List<LogEntry> flying,
            List<LogRecord.Commit> lost,
            Map<GlobalTxId, Integer> purged,
            List<LogEntry> before) {

        /** Entry number {@code index} of those that the leader of this epoch has appended, null when not durable yet. */
        @Nullable
        LogEntry ofEpoch(int number, int index) {
            int left = index;
            for (LogEntry entry : durable) {
                if (entry.epochNumber() == number && left-- == 0) {
                    return entry;
                }
            }
            return null;
        }

        private Set<GlobalTxId> ended() {
            Set<GlobalTxId> ended = new HashSet<>();
            for (LogEntry entry : durable) {
                if (entry.record() instanceof LogRecord.End end) {
                    ended.add(end.tx());
                }
            }
            return ended;
        }

        /** What a new leader is given: neither ENDs nor the COMMITs that have one (or are purged). */
        List<LogEntry> recovered() {
            Set<GlobalTxId> ended = ended();
            List<LogEntry> all = new ArrayList<>();
            for (LogEntry entry : durable) {
                boolean over = entry.record() instanceof LogRecord.Commit commit
                        && (ended.contains(commit.tx()) || isPurged(commit.tx()));
                if (!over && !(entry.record() instanceof LogRecord.End)) {
                    all.add(entry);
                }
            }
            return all;
        }

        /** The COMMIT of T, applied or about to be, also when it was purged or lost since; one of a wrong epoch is none. */
        LogRecord.@Nullable Commit decision(GlobalTxId tx) {
            LogRecord.Commit found = find(before, tx);
            return found != null ? found : find(durable, tx);
        }

        boolean isPurged(GlobalTxId tx) {
            return purged.containsKey(tx);
        }

        /**
         * What a look-up of the leader of this epoch finds. It misses nothing that only a later leader has let go: where
         * that is applied, the leadership is over, and whatever a look-up finds is told to nobody.
         */
        LogRecord.@Nullable Commit find(GlobalTxId tx, int number) {
            Integer by = purged.get(tx);
            return by != null && by <= number ? null : find(durable, tx);
        }

        private static LogRecord.@Nullable Commit find(List<LogEntry> entries, GlobalTxId tx) {
            for (LogEntry entry : entries) {
                if (entry.record() instanceof LogRecord.Commit commit
                        && commit.tx().equals(tx)
                        && entry.epochNumber() == tx.epoch().number()) {
                    return commit;
                }
            }
            return null;
        }

        /** True when the EPOCH entry of the present epoch is durable. */
        boolean isOpen() {
            return ofEpoch(epoch, 0) != null;
        }

        boolean isRestored() {
            return !before.isEmpty();
        }
    }

    private final Things<State> states = new Things<>();
    private final LongMap appended = new LongMap();
    private final LongMap advanced = new LongMap();
    private final LongMap begun = new LongMap();
    private final LongMap purges = new LongMap();
    private final Things<Object> things;

    Logs(Things<Object> things) {
        this.things = things;
    }

    int empty() {
        return states.number(new State(0, List.of(), List.of(), List.of(), Map.of(), List.of()));
    }

    State get(int number) {
        return states.get(number);
    }

    int append(int log, int epoch, LogRecord record) {
        State state = get(log);
        if (state.epoch != epoch) {
            return log;
        }
        long key = LongMap.pair(log, things.number(record));
        int known = appended.get(key);
        if (known < 0) {
            known = states.number(new State(
                    epoch,
                    state.durable,
                    plus(state.flying, new LogEntry(epoch, record)),
                    state.lost,
                    state.purged,
                    state.before));
            appended.put(key, known);
        }
        return known;
    }

    /** The oldest entry in flight becomes durable. */
    int advance(int log) {
        int known = advanced.get(log);
        if (known < 0) {
            State state = get(log);
            known = states.number(new State(
                    state.epoch,
                    plus(state.durable, state.flying.get(0)),
                    state.flying.subList(1, state.flying.size()),
                    state.lost,
                    state.purged,
                    state.before));
            advanced.put(log, known);
        }
        return known;
    }

    /** Another epoch begins: of the entries in flight those are kept whose bit is set. */
    int begin(int log, int kept) {
        long key = LongMap.pair(log, kept);
        int known = begun.get(key);
        if (known < 0) {
            State state = get(log);
            List<LogEntry> durable = new ArrayList<>(state.durable);
            List<LogRecord.Commit> lost = new ArrayList<>(state.lost);
            for (int i = 0; i < state.flying.size(); i++) {
                LogEntry entry = state.flying.get(i);
                if ((kept >>> i & 1) == 1) {
                    durable.add(entry);
                } else if (entry.record() instanceof LogRecord.Commit commit) {
                    lost.add(commit);
                }
            }
            known = states.number(new State(state.epoch + 1, durable, List.of(), lost, state.purged, state.before));
            begun.put(key, known);
        }
        return known;
    }

    /** A lost COMMIT is proposed once more, in the present epoch. */
    int proposeAgain(int log) {
        State state = get(log);
        LogEntry again = new LogEntry(state.epoch, state.lost.get(0));
        return states.number(new State(
                state.epoch,
                plus(state.durable, again),
                state.flying,
                state.lost.subList(1, state.lost.size()),
                state.purged,
                state.before));
    }

    /** The log is restored from a backup of its first entry, with the restore command; another epoch begins. */
    int restore(int log) {
        State state = get(log);
        List<LogEntry> durable =
                List.of(state.durable.get(0), new LogEntry(state.epoch, new LogRecord.Distrust(state.epoch)));
        return states.number(new State(state.epoch + 1, durable, List.of(), List.of(), Map.of(), state.durable));
    }

    /** Deletes what the leader says may go, as the log does: only COMMITs that have an END. */
    int purge(int log, LogRecord.Horizon horizon) {
        long key = LongMap.pair(log, things.number(horizon));
        int known = purges.get(key);
        if (known < 0) {
            State state = get(log);
            Map<GlobalTxId, Integer> purged = new HashMap<>(state.purged);
            for (GlobalTxId tx : state.ended()) {
                int byEpoch = Long.compare(tx.epoch().number(), horizon.epoch().number());
                if (byEpoch < 0 || (byEpoch == 0 && tx.session() <= horizon.session())) {
                    purged.putIfAbsent(tx, state.epoch);
                }
            }
            known = states.number(
                    new State(state.epoch, state.durable, state.flying, state.lost, purged, state.before));
            purges.put(key, known);
        }
        return known;
    }

    private static List<LogEntry> plus(List<LogEntry> list, LogEntry entry) {
        List<LogEntry> longer = new ArrayList<>(list);
        longer.add(entry);
        return longer;
    }
}
