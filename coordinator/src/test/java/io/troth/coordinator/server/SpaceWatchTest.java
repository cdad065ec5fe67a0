package io.troth.coordinator.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.slf4j.LoggerFactory;

/** Goal: who reads a follower's log learns that its disk is nearly full, once. Method: a disk of this test. */
@Isolated // Hears what the members of every cluster in this JVM log.
class SpaceWatchTest {

    private static final Logger LOGGER = (Logger) LoggerFactory.getLogger(SpaceWatch.class);

    private final ListAppender<ILoggingEvent> lines = new ListAppender<>();

    @BeforeEach
    void listen() {
        lines.start();
        LOGGER.addAppender(lines);
        LOGGER.setLevel(Level.INFO);
        LOGGER.setAdditive(false);
    }

    @AfterEach
    void stopListening() {
        LOGGER.setAdditive(true);
        LOGGER.setLevel(null);
        LOGGER.detachAppender(lines);
    }

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
                lines.list.stream()
                        .map(line -> line.getLevel() + " " + line.getFormattedMessage())
                        .toList());
    }
}
