package io.troth.coordinator.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import io.troth.coordinator.HeardLog;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.Notice;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.parallel.Isolated;

/** Goal: a flood of one thing fills no disk, and hides nothing else. Method: notices at times of this test. */
@Isolated // Hears what every coordinator logs.
class NoticeLogTest {

    @RegisterExtension
    final HeardLog heard = new HeardLog("coordinator", Level.WARN);

    private long now = Long.MAX_VALUE - 5;
    private final NoticeLog log = new NoticeLog(() -> now);

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
                        "refused OUTCOME_UNKNOWN: r",
                        "ALARM  OUTCOME_UNKNOWN: b5 (2 more since the last line)"),
                heard.texts());
    }

    @Test
    void warnsOfRefusalsButNotOfWhatOnlyCameTooLate() {
        log.requestRefused(new Notice.RequestRefused(new Reason(ErrorCode.TRANSACTION_ENDED, "b1")));
        assertEquals(List.of(), heard.texts());
        heard.listenFrom(Level.INFO);
        log.requestRefused(new Notice.RequestRefused(new Reason(ErrorCode.TRANSACTION_ENDED, "b2")));
        log.requestRefused(new Notice.RequestRefused(new Reason(ErrorCode.OVERLOADED, "b3")));
        log.requestRefused(new Notice.RequestRefused(new Reason(ErrorCode.OVERLOADED, "b4")));
        now += TimeUnit.SECONDS.toNanos(1);
        log.requestRefused(new Notice.RequestRefused(new Reason(ErrorCode.TRANSACTION_ENDED, "b5")));
        log.requestRefused(new Notice.RequestRefused(new Reason(ErrorCode.OVERLOADED, "b6")));
        assertEquals(
                List.of(
                        "refused OVERLOADED: b3",
                        "refused TRANSACTION_ENDED: b5 (1 more since the last line)",
                        "refused OVERLOADED: b6 (1 more since the last line)"),
                heard.texts());
    }

    private void change(Reason refusing, Reason reason) {
        log.stepping(
                new Event.AcceptingChanged(refusing == null && reason.code() != ErrorCode.DRAINING, reason, refusing));
    }

    @Test
    void saysOnceWhatIsTheMatterWithTheDiskAndWhenThatIsOver() {
        heard.listenFrom(Level.INFO);
        Reason full = new Reason(ErrorCode.DISK_FLOOR, "7 bytes are left on the log's disk");
        Reason hangs = new Reason(ErrorCode.LOG_STALLED, "a write of the log hangs");
        Reason many = new Reason(ErrorCode.OVERLOADED, "too many open transactions");
        Reason stops = new Reason(ErrorCode.DRAINING, "the coordinator is stopping");
        change(full, full);
        change(new Reason(ErrorCode.DISK_FLOOR, "6 bytes are left on the log's disk"), stops);
        change(hangs, stops);
        change(null, hangs);
        // These two stand in the log in other words already.
        change(many, many);
        change(null, stops);
        assertEquals(
                List.of(
                        "no new transactions: DISK_FLOOR: 7 bytes are left on the log's disk. "
                                + ErrorCode.DISK_FLOOR.advice(),
                        "no new transactions: LOG_STALLED: a write of the log hangs. " + ErrorCode.LOG_STALLED.advice(),
                        "LOG_STALLED is over"),
                heard.texts());
    }
}
