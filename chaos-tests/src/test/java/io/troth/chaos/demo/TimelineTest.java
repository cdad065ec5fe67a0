package io.troth.chaos.demo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.troth.chaos.bank.Answer;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What the demo of a cluster says about time is what happened. */
class TimelineTest {

    private final Timeline timeline = new Timeline();

    private void committed(long... millis) {
        for (long each : millis) {
            timeline.told(each, new Answer(each, Answer.Kind.COMMITTED, "-", ""));
        }
    }

    private void rolledBack(long millis, String detail) {
        timeline.told(millis, new Answer(millis, Answer.Kind.ROLLED_BACK, "-", detail));
    }

    @Test
    void theLongestGapIsTheOneAroundTheFault() {
        committed(100, 5_000, 5_100);
        rolledBack(5_500, "LEADER_CHANGED: epoch 3 has followed");
        committed(6_000, 6_050, 9_000);
        assertEquals(
                900, timeline.longestGap(5_050, 6_020), "that before the fault does not count, a rollback no less");
        assertEquals(2_950, timeline.longestGap(6_020, 7_000), "it may end after the fault");
        assertEquals(1_000, timeline.longestGap(9_500, 10_000), "and lasts as long as nothing is committed");
    }

    @Test
    void countsWhatWasToldInASpan() {
        committed(100);
        rolledBack(150, "LEADER_CHANGED: epoch 3 has followed");
        committed(200);
        rolledBack(250, "STATEMENT_FAILED");
        rolledBack(260, "STATEMENT_FAILED: resource bank-a");
        committed(1_000);
        assertEquals(2, timeline.committed(100, 1_000));
        assertEquals(Map.of("LEADER_CHANGED", 1L, "STATEMENT_FAILED", 2L), timeline.rolledBack(100, 1_000));
        assertEquals(Map.of("STATEMENT_FAILED", 2L), timeline.rolledBack(200, 1_000));
        assertArrayEquals(new long[] {2, 0, 1}, timeline.committedPer(400));
    }

    @Test
    void hasALineForEachSecond() {
        committed(100, 200, 2_500);
        assertEquals(3, timeline.lines().size());
        assertEquals("   0 s     2 " + "#".repeat(40), timeline.lines().get(0));
        assertEquals("   1 s     0", timeline.lines().get(1));
    }
}
