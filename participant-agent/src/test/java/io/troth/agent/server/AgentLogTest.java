package io.troth.agent.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.core.participant.AgentNotice;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.slf4j.LoggerFactory;

/** Goal: what comes in masses does not fill the log, and hides nothing else. Method: a clock that the test turns. */
@Isolated // Hears what every agent logs.
class AgentLogTest {

    private static final Reason DOWN = Reason.of(ErrorCode.DATABASE_UNAVAILABLE);

    private final Logger logger = (Logger) LoggerFactory.getLogger("io.troth.agent");
    private final ListAppender<ILoggingEvent> written = new ListAppender<>();
    private final AtomicLong now = new AtomicLong();
    private final AgentLog log = new AgentLog(now::get);

    @BeforeEach
    void listen() {
        written.start();
        logger.addAppender(written);
        logger.setAdditive(false);
        logger.setLevel(Level.WARN);
    }

    @AfterEach
    void listenNoMore() {
        logger.setLevel(null);
        logger.setAdditive(true);
        logger.detachAppender(written);
    }

    private List<String> lines() {
        return written.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
    }

    @Test
    void writesOneLineASecondAndHowManyItLeftOut() {
        for (int i = 0; i < 5; i++) {
            log.heard(new AgentNotice.ScanFailed("accounts", DOWN));
        }
        assertEquals(1, lines().size());
        now.addAndGet(TimeUnit.SECONDS.toNanos(1));
        log.heard(new AgentNotice.ScanFailed("accounts", DOWN));
        assertEquals(2, lines().size());
        assertTrue(lines().get(1).endsWith("(and 4 more like it)"), lines().get(1));
    }

    @Test
    void saysWhenNoBranchCanStartBecauseOfALimit() {
        log.heard(new AgentNotice.Refused(Reason.of(ErrorCode.SCOPE_CLOSED)));
        assertEquals(List.of(), lines());
        log.heard(new AgentNotice.Refused(Reason.of(ErrorCode.OVERLOADED)));
        assertEquals(List.of("new branches are refused: OVERLOADED"), lines());
    }

    @Test
    void warnsOfALostStreamButNotOfOneThatIsClosed() {
        log.heard(new AgentNotice.NotReady(new Reason(ErrorCode.DRAINING, "the agent is closing"), 0));
        assertEquals(List.of(), lines());
        log.heard(new AgentNotice.NotReady(Reason.of(ErrorCode.STREAM_BROKEN), 0));
        assertEquals(List.of("not connected any more: STREAM_BROKEN"), lines());
    }

    /** At an orderly change of the leader there are none. */
    @Test
    void saysHowManyBranchesALostStreamRollsBackWhereThereAreAny() {
        log.heard(new AgentNotice.NotReady(Reason.of(ErrorCode.LEADER_CHANGED), 3));
        assertEquals(
                List.of("not connected any more, rolls back its unprepared branches (3): LEADER_CHANGED"), lines());
    }

    @Test
    void hidesNoResourceBehindAnotherAndNoAlarmBehindAnother() {
        log.heard(new AgentNotice.ScanFailed("accounts", DOWN));
        log.heard(new AgentNotice.ScanFailed("books", DOWN));
        log.heard(new AgentNotice.Alarm(Reason.of(ErrorCode.INTERNAL), null));
        log.heard(new AgentNotice.Alarm(Reason.of(ErrorCode.TRANSACTION_CONTROL_BYPASSED), null));
        assertEquals(4, lines().size(), () -> lines().toString());
    }
}
