package io.troth.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Goal: a time that no driver could be told is refused where it is said. Method: the limits, and beyond. */
class ResourceOptionsTest {

    @Test
    void anAnswerMayTakeAMillisecondToADay() {
        for (Duration good : List.of(Duration.ofMillis(1), Duration.ofHours(24))) {
            assertEquals(good, ResourceOptions.DEFAULTS.withAnswerTimeout(good).answerTimeout());
        }
        for (Duration bad : List.of(
                Duration.ZERO, Duration.ofNanos(999_999), Duration.ofDays(30), ChronoUnit.FOREVER.getDuration())) {
            IllegalArgumentException refused =
                    assertThrows(IllegalArgumentException.class, () -> ResourceOptions.DEFAULTS.withAnswerTimeout(bad));
            assertTrue(refused.getMessage().contains("at most 24 h"), refused::toString);
        }
    }
}
