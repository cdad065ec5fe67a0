package io.troth.coordinator.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.core.ErrorCode;
import io.troth.core.coordinator.Event;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/**
 * Goal: clients hear in time whether they may begin, and the engine sleeps no longer than until something here is due.
 * Method: the admission alone, on a clock that wraps.
 */
class AdmissionTest {

    private static final long START = Long.MAX_VALUE - 1;

    private final Admission admission = new Admission(100);

    private static long millis(long millis) {
        return TimeUnit.MILLISECONDS.toNanos(millis);
    }

    @Test
    void hasRoomAgainOnlyWhenATenthIsFree() {
        admission.checkLoad(START, 99);
        assertNull(admission.change());
        admission.checkLoad(START, 100);
        Event.AcceptingChanged full = (Event.AcceptingChanged) admission.change();
        assertFalse(full.accepting());
        assertEquals(ErrorCode.OVERLOADED, full.reason().code());
        admission.checkLoad(START, 90);
        assertNull(admission.change(), "told once");
        admission.checkLoad(START, 89);
        assertTrue(((Event.AcceptingChanged) admission.change()).accepting());
    }

    @Test
    void looksAtTheLoadTenTimesASecondAndSleepsThroughOnlyWhileThereIsRoom() {
        admission.checkLoad(START, 0);
        assertFalse(admission.isLoadCheckDue(START + millis(100) - 1));
        assertTrue(admission.isLoadCheckDue(START + millis(100)));
        assertEquals(Long.MAX_VALUE, admission.nanosToNext(START + millis(40)));
        admission.checkLoad(START, 100);
        assertEquals(millis(60), admission.nanosToNext(START + millis(40)));
    }

    @Test
    void sleepsNoLongerThanADrainLasts() {
        admission.drain(START, millis(30_000));
        assertEquals(millis(600), admission.nanosToNext(START + millis(400)), "what was begun is heard then");
        assertEquals(millis(29_000), admission.nanosToNext(START + millis(1_000)));
        assertEquals(0, admission.nanosToNext(START + millis(30_001)));
        assertFalse(admission.isDrainOver(START + millis(30_000) - 1));
        assertTrue(admission.isDrainOver(START + millis(30_000)));
    }

    @Test
    void aSecondDrainMayEndSoonerAndNotLater() {
        admission.drain(START, millis(30_000));
        admission.drain(START + millis(900), millis(60_000));
        assertTrue(admission.isBegunHeard(START + millis(1_000)), "that is counted from the first");
        assertTrue(admission.isDrainOver(START + millis(30_000)));
        admission.drain(START + millis(1_000), millis(5_000));
        assertFalse(admission.isDrainOver(START + millis(6_000) - 1));
        assertTrue(admission.isDrainOver(START + millis(6_000)));
    }
}
