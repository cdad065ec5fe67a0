package io.troth.coordinator.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.Notice;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.slf4j.LoggerFactory;

/** Goal: a flood of one thing fills no disk, and hides nothing else. Method: notices at times of this test. */
@Isolated // Hears what every coordinator logs.
class NoticeLogTest {

    private static final Logger LOGGER = (Logger) LoggerFactory.getLogger("coordinator");

    private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
    private long now = Long.MAX_VALUE - 5;
    private final NoticeLog log = new NoticeLog(() -> now);

    @BeforeEach
    void listen() {
        lines.start();
        LOGGER.addAppender(lines);
        LOGGER.setLevel(Level.WARN);
        LOGGER.setAdditive(false);
    }

    @AfterEach
    void stopListening() {
        LOGGER.setAdditive(true);
        LOGGER.setLevel(null);
        LOGGER.detachAppender(lines);
    }

    private void accepting(boolean accepting, ErrorCode code) {
        log.stepping(new Event.AcceptingChanged(accepting, new Reason(code, "x"), null));
    }

    @Test
    void saysWhyNothingBeginsAndThatItDoesAgain() {
        accepting(false, ErrorCode.LOG_STALLED);
        accepting(true, ErrorCode.LOG_STALLED);
        accepting(false, ErrorCode.LOG_STALLED);
        accepting(true, ErrorCode.LOG_STALLED);
        now += TimeUnit.SECONDS.toNanos(1);
        accepting(false, ErrorCode.LOG_STALLED);
        accepting(false, ErrorCode.DISK_FLOOR);
        accepting(true, ErrorCode.DISK_FLOOR);
        assertEquals(
                List.of(
                        "no new transaction begins: LOG_STALLED: x",
                        "new transactions begin again",
                        "no new transaction begins: LOG_STALLED: x",
                        "no new transaction begins: DISK_FLOOR: x",
                        "new transactions begin again"),
                lines.list.stream().map(ILoggingEvent::getFormattedMessage).toList());
    }

    private static Notice.Alarm alarm(ErrorCode code, String detail) {
        return new Notice.Alarm(new Reason(code, detail), null);
    }

    @Test
    void alarmsOfOneCodeAreSaidOnceASecondAndCounted() {
        assertTrue(log.alarm(alarm(ErrorCode.OUTCOME_UNKNOWN, "b1")));
        assertFalse(log.alarm(alarm(ErrorCode.OUTCOME_UNKNOWN, "b2")));
        assertFalse(log.alarm(alarm(ErrorCode.OUTCOME_UNKNOWN, "b3")));
        assertTrue(log.alarm(alarm(ErrorCode.OUTCOME_FORGOTTEN, "b4")));
        assertTrue(log.requestRefused(new Notice.RequestRefused(new Reason(ErrorCode.OUTCOME_UNKNOWN, "r"))));
        now += TimeUnit.SECONDS.toNanos(1);
        assertTrue(log.alarm(alarm(ErrorCode.OUTCOME_UNKNOWN, "b5")));
        assertEquals(
                List.of(
                        "ALARM  OUTCOME_UNKNOWN: b1",
                        "ALARM  OUTCOME_FORGOTTEN: b4",
                        "refused OUTCOME_UNKNOWN: r (0 more since the last line)",
                        "ALARM  OUTCOME_UNKNOWN: b5 (2 more since the last line)"),
                lines.list.stream().map(ILoggingEvent::getFormattedMessage).toList());
    }
}
