package io.troth.coordinator.log.rocksdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The clock stands still but for the pauses of the taking thread, so that each look is seen. */
class HandOverQueueTest {

    private static final int LOOKS_MAX = 10;
    private static final long PAUSE_NANOS = HandOverQueue.SHORT_NANOS / LOOKS_MAX;
    private static final long LIMIT_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private long clock;
    private int pauses;
    /** An item comes with the pause of this number. */
    private int comesAt;

    private final HandOverQueue<String> queue = new HandOverQueue<>(() -> clock, this::pause, 2);

    private void pause() {
        pauses++;
        clock += PAUSE_NANOS;
        if (pauses == comesAt) {
            queue.add("late");
        }
    }

    /** How often it looks before it sleeps or has something. */
    private int looks(HandOverQueue<String> asked, @Nullable String result) throws InterruptedException {
        pauses = 0;
        assertEquals(result, asked.poll(LIMIT_NANOS));
        return pauses;
    }

    @Test
    void looksAsLongAsWaitsAreShort() throws InterruptedException {
        comesAt = 3;
        assertEquals(3, looks(queue, "late"));
        comesAt = LOOKS_MAX;
        assertEquals(LOOKS_MAX, looks(queue, "late"));

        comesAt = 0;
        assertEquals(LOOKS_MAX, looks(queue, null), "it looks for a moment only");
        assertEquals(0, looks(queue, null), "the last wait was not short");
    }

    @Test
    void sleepsAtOnceWhereMuchHasCome() throws InterruptedException {
        takes(HandOverQueue.FEW);
        comesAt = 2;
        assertEquals(2, looks(queue, "late"));

        takes(HandOverQueue.FEW);
        assertEquals(0, looks(queue, null), "with the one before it was more than a few");
    }

    private void takes(int items) throws InterruptedException {
        for (int i = 0; i < items; i++) {
            queue.add("item");
        }
        assertEquals(0, looks(queue, "item"));
        for (int i = 1; i < items; i++) {
            assertEquals("item", queue.poll());
        }
        assertNull(queue.poll());
    }

    @Test
    void looksNoLongerThanItMayWait() throws InterruptedException {
        assertNull(queue.poll(2 * PAUSE_NANOS));

        assertEquals(2, pauses);
    }

    @Test
    void neverLooksOnOneProcessor() throws InterruptedException {
        HandOverQueue<String> alone = new HandOverQueue<>(() -> clock, this::pause, 1);

        assertEquals(0, looks(alone, null));
    }
}
