package io.troth.coordinator.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.troth.core.coordinator.TimerKey;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The timers against a list that is sorted anew each time: same content, same order, whatever was cancelled. */
class TimerQueueTest {

    private final TimerQueue timers = new TimerQueue();

    @Test
    void firesInOrderAndOnlyWhatIsDue() {
        timers.start(key(1), 30);
        timers.start(key(2), 10);
        timers.start(key(3), 10);
        assertEquals(10, timers.nanosToNext(0));
        assertEquals(6, timers.nanosToNext(4));
        assertEquals(0, timers.nanosToNext(11));
        assertNull(timers.pollDue(9));
        assertEquals(key(2), timers.pollDue(10));
        assertEquals(key(3), timers.pollDue(10));
        assertNull(timers.pollDue(10));
        timers.cancel(key(1));
        assertEquals(Long.MAX_VALUE, timers.nanosToNext(10));
    }

    @Test
    void goesOnWhenTheClockWraps() {
        timers.start(key(1), Long.MAX_VALUE + 5);
        timers.start(key(2), Long.MAX_VALUE - 5);
        assertEquals(key(2), timers.pollDue(Long.MAX_VALUE));
        assertNull(timers.pollDue(Long.MAX_VALUE));
        assertEquals(key(1), timers.pollDue(Long.MIN_VALUE + 10));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void agreesWithASortedList(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Map<TimerKey, Long> model = new LinkedHashMap<>();
        long now = 0;
        for (int i = 0; i < 20_000; i++) {
            TimerKey key = key(1 + random.nextInt(200));
            switch (random.nextInt(4)) {
                case 0, 1 -> {
                    long due = now + random.nextInt(1_000);
                    timers.start(key, due);
                    model.remove(key);
                    model.put(key, due);
                }
                case 2 -> {
                    timers.cancel(key);
                    model.remove(key);
                }
                default -> {
                    now += random.nextInt(20);
                    assertEquals(dueInModel(model, now), dueInQueue(now));
                }
            }
            assertEquals(model.size(), timers.size());
        }
    }

    private static List<TimerKey> dueInModel(Map<TimerKey, Long> model, long now) {
        List<TimerKey> due = model.entrySet().stream()
                .filter(entry -> entry.getValue() <= now)
                .sorted(Comparator.comparingLong(Map.Entry::getValue))
                .map(Map.Entry::getKey)
                .toList();
        due.forEach(model::remove);
        return due;
    }

    private List<TimerKey> dueInQueue(long now) {
        List<TimerKey> due = new ArrayList<>();
        for (TimerKey key = timers.pollDue(now); key != null; key = timers.pollDue(now)) {
            due.add(key);
        }
        return due;
    }

    private static TimerKey key(long session) {
        return new TimerKey.SessionAge(session);
    }
}
