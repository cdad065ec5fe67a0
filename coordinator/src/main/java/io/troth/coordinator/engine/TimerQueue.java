package io.troth.coordinator.engine;

import io.troth.core.coordinator.TimerKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The running timers, in the order in which they are due and, when that is equal, in which they were started. A binary
 * heap that knows where each timer is, because nearly every timer is cancelled long before it is due: a cancelled one
 * leaves at once.
 */
final class TimerQueue {

    private static final class Timer {
        final TimerKey key;
        final long dueNanos;
        final long number;
        int place;

        Timer(TimerKey key, long dueNanos, long number) {
            this.key = key;
            this.dueNanos = dueNanos;
            this.number = number;
        }

        /** A difference, because a monotonic clock may wrap. */
        boolean isBefore(Timer other) {
            long difference = dueNanos - other.dueNanos;
            return difference < 0 || (difference == 0 && number < other.number);
        }
    }

    private final Map<TimerKey, Timer> byKey = new HashMap<>();
    private final List<Timer> heap = new ArrayList<>();
    private long started;

    /** Starts a timer, in place of a running one of this key. */
    void start(TimerKey key, long dueNanos) {
        cancel(key);
        Timer timer = new Timer(key, dueNanos, started++);
        timer.place = heap.size();
        heap.add(timer);
        byKey.put(key, timer);
        up(timer);
    }

    void cancel(TimerKey key) {
        Timer timer = byKey.remove(key);
        if (timer != null) {
            remove(timer);
        }
    }

    /** Takes out the first timer that is due, null when none is. */
    @Nullable
    TimerKey pollDue(long nowNanos) {
        if (heap.isEmpty() || heap.get(0).dueNanos - nowNanos > 0) {
            return null;
        }
        Timer first = heap.get(0);
        byKey.remove(first.key);
        remove(first);
        return first.key;
    }

    /** Nanoseconds until the first timer is due, 0 when one is, {@link Long#MAX_VALUE} when none runs. */
    long nanosToNext(long nowNanos) {
        return heap.isEmpty() ? Long.MAX_VALUE : Math.max(0, heap.get(0).dueNanos - nowNanos);
    }

    int size() {
        return heap.size();
    }

    void clear() {
        heap.clear();
        byKey.clear();
    }

    private void remove(Timer timer) {
        Timer last = heap.remove(heap.size() - 1);
        if (last != timer) {
            put(last, timer.place);
            up(last);
            down(last);
        }
    }

    private void up(Timer timer) {
        while (timer.place > 0) {
            Timer parent = heap.get((timer.place - 1) / 2);
            if (!timer.isBefore(parent)) {
                return;
            }
            swap(timer, parent);
        }
    }

    private void down(Timer timer) {
        while (2 * timer.place + 1 < heap.size()) {
            int left = 2 * timer.place + 1;
            Timer child = heap.get(left);
            if (left + 1 < heap.size() && heap.get(left + 1).isBefore(child)) {
                child = heap.get(left + 1);
            }
            if (!child.isBefore(timer)) {
                return;
            }
            swap(timer, child);
        }
    }

    private void swap(Timer a, Timer b) {
        int place = a.place;
        put(a, b.place);
        put(b, place);
    }

    private void put(Timer timer, int place) {
        timer.place = place;
        heap.set(place, timer);
    }
}
