package io.troth.bench.run;

import io.troth.bench.contender.Step;
import io.troth.bench.contender.Work;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * By how much the transactions of one loop must have changed each database. What counts is not the sum of balances, which
 * two writes at the same database leave as it was, but the sum of all balances, each by the place of its account, from 1:
 * every transaction that writes changes that, always in the same direction. Thread-safe.
 */
final class Ledger {

    /** Adds up balances as {@link #change} adds up amounts. */
    static final String SQL = "SELECT sum((id + 1) * balance)::bigint FROM account";

    private final AtomicLongArray least;
    private final AtomicLongArray most;

    Ledger(int databases) {
        least = new AtomicLongArray(databases);
        most = new AtomicLongArray(databases);
    }

    /** Takes note of a transaction that has ended well. */
    void succeeded(Work work) {
        for (int resource : work.resources()) {
            long change = change(work, resource);
            least.addAndGet(resource, change);
            most.addAndGet(resource, change);
        }
    }

    /** Takes note of one of which nobody knows whether it has happened. */
    void failed(Work work) {
        for (int resource : work.resources()) {
            long change = change(work, resource);
            least.addAndGet(resource, Math.min(0, change));
            most.addAndGet(resource, Math.max(0, change));
        }
    }

    private static long change(Work work, int resource) {
        long change = 0;
        for (Step step : work.steps()) {
            change += step.resource() == resource ? (step.account() + 1) * step.amount() : 0;
        }
        return change;
    }

    int databases() {
        return least.length();
    }

    /** The least that a database may have changed by. */
    long least(int database) {
        return least.get(database);
    }

    /** The most that it may have changed by; the same as the least when nothing has failed. */
    long most(int database) {
        return most.get(database);
    }
}
