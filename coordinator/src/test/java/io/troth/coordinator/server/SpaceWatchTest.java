package io.troth.coordinator.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ch.qos.logback.classic.Level;
import io.troth.coordinator.HeardLog;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.parallel.Isolated;

/** Goal: who reads a follower's log learns that its disk is nearly full, once. Method: a disk of this test. */
@Isolated // Hears what the members of every cluster in this JVM log.
class SpaceWatchTest {

    @RegisterExtension
    final HeardLog heard = new HeardLog(SpaceWatch.class.getName(), Level.INFO);

    @Test
    void saysOnceThatThereIsTooLittleAndOnceThatThereIsEnough() {
        AtomicLong free = new AtomicLong();
        SpaceWatch watch = new SpaceWatch(free::get, 100);
        for (long bytes : List.of(100L, 101L, 99L, 7L, 200L, 100L)) {
            free.set(bytes);
            watch.look();
        }
        assertEquals(
                List.of(
                        "WARN 99 bytes are left on this member's disk, less than log.freeFloor: free space",
                        "INFO 200 bytes are free on this member's disk again"),
                heard.events().stream()
                        .map(line -> line.getLevel() + " " + line.getFormattedMessage())
                        .toList());
    }
}
