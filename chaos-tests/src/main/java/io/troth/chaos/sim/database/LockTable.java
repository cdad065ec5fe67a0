package io.troth.chaos.sim.database;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Row locks, shared and exclusive, in strict two-phase locking: first come, first served, and no lock is left early. */
final class LockTable {

    enum Answer {
        GRANTED,
        WAITS,
        DEADLOCK
    }

    private record Waiter(ServerTransaction transaction, boolean exclusive, Runnable granted) {}

    private static final class Lock {
        final Map<Long, ServerTransaction> shared = new TreeMap<>();
        final List<Waiter> queue = new ArrayList<>();

        @Nullable
        ServerTransaction exclusive;

        boolean admits(ServerTransaction who, boolean wantsExclusive) {
            if (exclusive != null && exclusive != who) {
                return false;
            }
            return !wantsExclusive || shared.keySet().stream().allMatch(serial -> serial == who.serial);
        }

        void give(ServerTransaction who, boolean wantsExclusive) {
            if (wantsExclusive) {
                exclusive = who;
            } else {
                shared.put(who.serial, who);
            }
        }

        boolean isFree() {
            return exclusive == null && shared.isEmpty() && queue.isEmpty();
        }
    }

    private final Map<String, Lock> locks = new TreeMap<>();

    /**
     * Takes a lock, or waits for it.
     *
     * @param granted runs when a lock that was waited for is there
     */
    Answer take(ServerTransaction who, String key, boolean exclusive, Runnable granted) {
        Lock lock = locks.computeIfAbsent(key, none -> new Lock());
        boolean holds = lock.exclusive == who || (!exclusive && lock.shared.containsKey(who.serial));
        boolean upgrades = exclusive && lock.shared.containsKey(who.serial);
        if (holds) {
            return Answer.GRANTED;
        }
        if (lock.admits(who, exclusive) && (lock.queue.isEmpty() || upgrades)) {
            lock.give(who, exclusive);
            return Answer.GRANTED;
        }
        Waiter waiter = new Waiter(who, exclusive, granted);
        lock.queue.add(upgrades ? 0 : lock.queue.size(), waiter);
        if (waitsForItself(who)) {
            lock.queue.remove(waiter);
            return Answer.DEADLOCK;
        }
        return Answer.WAITS;
    }

    private boolean waitsForItself(ServerTransaction who) {
        TreeSet<Long> seen = new TreeSet<>();
        List<ServerTransaction> open = new ArrayList<>(List.of(who));
        while (!open.isEmpty()) {
            for (ServerTransaction blocker : blockersOf(open.remove(open.size() - 1))) {
                if (blocker == who) {
                    return true;
                }
                if (seen.add(blocker.serial)) {
                    open.add(blocker);
                }
            }
        }
        return false;
    }

    private List<ServerTransaction> blockersOf(ServerTransaction who) {
        List<ServerTransaction> blockers = new ArrayList<>();
        for (Lock lock : locks.values()) {
            for (int i = 0; i < lock.queue.size(); i++) {
                if (lock.queue.get(i).transaction() != who) {
                    continue;
                }
                if (lock.exclusive != null && lock.exclusive != who) {
                    blockers.add(lock.exclusive);
                }
                boolean exclusive = lock.queue.get(i).exclusive();
                lock.shared.values().stream()
                        .filter(holder -> exclusive && holder != who)
                        .forEach(blockers::add);
                lock.queue.subList(0, i).forEach(ahead -> blockers.add(ahead.transaction()));
            }
        }
        return blockers;
    }

    /** The transaction waits no longer; what it holds it keeps. */
    void leaveQueues(ServerTransaction who) {
        for (String key : List.copyOf(locks.keySet())) {
            Lock lock = locks.get(key);
            if (lock != null && lock.queue.removeIf(waiter -> waiter.transaction() == who)) {
                serve(key, lock);
            }
        }
    }

    /** The transaction is over. */
    void release(ServerTransaction who) {
        for (String key : List.copyOf(locks.keySet())) {
            Lock lock = locks.get(key);
            if (lock == null) {
                continue;
            }
            boolean held = lock.shared.remove(who.serial) != null;
            if (lock.exclusive == who) {
                lock.exclusive = null;
                held = true;
            }
            if (lock.queue.removeIf(waiter -> waiter.transaction() == who) || held) {
                serve(key, lock);
            }
        }
    }

    private void serve(String key, Lock lock) {
        List<Runnable> granted = new ArrayList<>();
        Iterator<Waiter> queue = lock.queue.iterator();
        while (queue.hasNext()) {
            Waiter next = queue.next();
            if (!lock.admits(next.transaction(), next.exclusive())) {
                break;
            }
            lock.give(next.transaction(), next.exclusive());
            queue.remove();
            granted.add(next.granted());
        }
        if (lock.isFree()) {
            locks.remove(key);
        }
        granted.forEach(Runnable::run);
    }

    /** Forgets everything: the server has died. */
    void clear() {
        locks.clear();
    }

    /** A prepared transaction that came back after a crash holds what it wrote; nobody can be in its way. */
    void restore(ServerTransaction prepared) {
        for (String key : prepared.writes.keySet()) {
            locks.computeIfAbsent(key, none -> new Lock()).exclusive = prepared;
        }
    }
}
