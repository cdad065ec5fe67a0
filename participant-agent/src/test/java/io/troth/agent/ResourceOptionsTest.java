package io.troth.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Goal: no database is asked to wait for longer, or less, than it can. Method: the ends of what is allowed. */
class ResourceOptionsTest {

    @Test
    void anAnswerIsWaitedForAtLeastAMillisecondAndAtMostAnHour() {
        for (Duration allowed : List.of(Duration.ofMillis(1), Duration.ofHours(1))) {
            assertEquals(
                    allowed, ResourceOptions.DEFAULTS.withAnswerTimeout(allowed).answerTimeout());
        }
        // In milliseconds, as an int, 25 days are negative; the last one is too long even as a long.
        for (Duration refused : List.of(Duration.ofNanos(1), Duration.ofDays(25), Duration.ofSeconds(Long.MAX_VALUE))) {
            assertThrows(IllegalArgumentException.class, () -> ResourceOptions.DEFAULTS.withAnswerTimeout(refused));
        }
    }
}
