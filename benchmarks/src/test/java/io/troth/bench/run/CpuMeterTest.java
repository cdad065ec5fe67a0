package io.troth.bench.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Goal: CPU time is that of the turn. Method: looks of this test. */
class CpuMeterTest {

    private static final long SERVER = 1;
    private static final long BACKEND = 2;
    private static final long COORDINATOR = 3;

    @Test
    void whatABackendUsedBeforeTheTurnInWhichItEndsIsNotOfThatTurn() {
        CpuMeter.Reading before = new CpuMeter.Reading(
                70, Map.of(SERVER, 10L, BACKEND, 5_000L, COORDINATOR, 30L), Set.of(SERVER, BACKEND));
        // The kernel adds up what ended children have used.
        CpuMeter.Reading after =
                new CpuMeter.Reading(75, Map.of(SERVER, 10L + 5_020, COORDINATOR, 37L), Set.of(SERVER));

        CpuUse use = CpuMeter.between(before, after, Map.of("coordinator", COORDINATOR));

        assertEquals(new CpuUse(5, 20, 7, Map.of("coordinator", 7L)), use);
    }
}
