package io.troth.client.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.client.grpc.ServedCalls.Verdict;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Goal: no call is served twice within T's time, and memory is bounded. Method: a clock that the test turns. */
class ServedCallsTest {

    private static final GlobalTxId TX = new GlobalTxId(0, new EpochId(1, 1), 1, 1);

    private final AtomicLong now = new AtomicLong();
    private final ServedCalls served = new ServedCalls(2, now::get);

    @Test
    void refusesASecondArrivalUntilTheTimeIsOver() {
        assertEquals(Verdict.NEW, served.admit(TX, 1, 100, false));
        assertEquals(Verdict.DUPLICATE, served.admit(TX, 1, 100, false));
        now.addAndGet(TimeUnit.MILLISECONDS.toNanos(99));
        assertEquals(Verdict.DUPLICATE, served.admit(TX, 1, 100, false));
        now.addAndGet(TimeUnit.MILLISECONDS.toNanos(1));
        assertEquals(Verdict.NEW, served.admit(TX, 1, 100, false));
    }

    @Test
    void refusesNewCallsRatherThanForgetOldOnes() {
        assertEquals(Verdict.NEW, served.admit(TX, 1, 1_000, false));
        assertEquals(Verdict.NEW, served.admit(TX, 2, 10, false));
        assertEquals(Verdict.FULL, served.admit(TX, 3, 10, false));
        assertEquals(2, served.size());
        now.addAndGet(TimeUnit.MILLISECONDS.toNanos(10));
        assertEquals(1, served.size());
        assertEquals(Verdict.NEW, served.admit(TX, 3, 10, false), "the one behind a longer one has made room");
        assertEquals(Verdict.DUPLICATE, served.admit(TX, 1, 10, false));
    }

    @Test
    void forgetsWhatIsOverBehindALongerOne() {
        assertEquals(Verdict.NEW, served.admit(TX, 1, 1_000, false));
        assertEquals(Verdict.NEW, served.admit(TX, 2, 10, false));
        now.addAndGet(TimeUnit.MILLISECONDS.toNanos(10));
        assertEquals(Verdict.NEW, served.admit(TX, 2, 10, false));
    }

    @Test
    void leavesTheRoomToCallsThatMoreThanTheirHeaderSpeaksFor() {
        ServedCalls twenty = new ServedCalls(20, now::get);
        assertEquals(Verdict.NEW, twenty.admit(TX, 1, 1_000, true));
        assertEquals(Verdict.NEW, twenty.admit(TX, 2, 10, true));
        assertEquals(Verdict.FULL_OF_STRANGERS, twenty.admit(TX, 3, 10, true));
        assertEquals(Verdict.DUPLICATE, twenty.admit(TX, 1, 10, true));
        assertEquals(Verdict.DUPLICATE, twenty.admit(TX, 1, 10, false), "whatever is known of it by now");
        for (int call = 4; call < 22; call++) {
            assertEquals(Verdict.NEW, twenty.admit(TX, call, 1_000, false));
        }
        assertEquals(Verdict.FULL, twenty.admit(TX, 22, 10, false));
        now.addAndGet(TimeUnit.MILLISECONDS.toNanos(10));
        assertEquals(Verdict.NEW, twenty.admit(TX, 3, 10, true));
        assertEquals(Verdict.FULL, twenty.admit(TX, 22, 10, true));
    }

    @Test
    void costsNoMoreTheMoreItRemembers() {
        long few = cpuNanosOfRefusals(200);
        long many = cpuNanosOfRefusals(200_000);
        assertTrue(many < 100 * few, many + " ns against " + few + " ns, with 1,000 times as many calls remembered");
    }

    /** By this thread's own CPU time: neither the machine's speed nor what else runs there counts. */
    private long cpuNanosOfRefusals(int calls) {
        ServedCalls full = new ServedCalls(calls, now::get);
        assertEquals(Verdict.NEW, full.admit(TX, calls, 1_000, false));
        for (int call = 1; call < calls; call++) {
            assertEquals(Verdict.NEW, full.admit(TX, call, 10, false));
        }
        long before = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
        for (int call = 1; call <= 20_000; call++) {
            assertEquals(Verdict.FULL, full.admit(TX, calls + call, 10, false));
        }
        long cost = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - before;
        now.addAndGet(TimeUnit.MILLISECONDS.toNanos(10));
        assertEquals(Verdict.NEW, full.admit(TX, calls + 1, 10, false), "all but one are over");
        return cost;
    }
}
