package io.troth.coordinator.log;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.troth.coordinator.log.rocksdb.Logs;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Goal: what a log says of its disk ends with the log. Method: the watch alone, with a clock that is set. */
class DiskWatchTest {

    private final AtomicLong nanos = new AtomicLong();
    private final RecordingListener heard = new RecordingListener();
    private final DiskWatch watch = new DiskWatch(
            heard, nanos::get, () -> Long.MAX_VALUE, Logs.environment().threads(), 10, 0);

    private void hang() {
        watch.writeBegins();
        nanos.addAndGet(Duration.ofSeconds(1).toNanos());
        Awaitility.await()
                .pollDelay(Duration.ZERO)
                .atMost(Duration.ofSeconds(60))
                .until(() -> heard.stalls().equals(List.of(true)));
    }

    @Test
    void tellsThatAWriteHangsAndThatItHasReturned() {
        hang();
        assertEquals(Duration.ofSeconds(1).toNanos(), watch.writeReturned());
        assertEquals(List.of(true, false), heard.stalls());
        watch.close();
    }

    /** Raft may still apply an entry of a leader that has given up; its engine hears of nothing after the failure. */
    @Test
    void tellsNothingOfAWriteThatReturnsAfterTheEnd() {
        hang();
        watch.end();
        long unused = watch.writeReturned();
        assertEquals(List.of(true), heard.stalls());
    }
}
