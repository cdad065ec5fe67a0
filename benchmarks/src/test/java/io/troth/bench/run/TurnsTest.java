package io.troth.bench.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.bench.contender.Contender;
import io.troth.bench.contender.Environment;
import io.troth.bench.contender.NoopContender;
import io.troth.bench.contender.Running;
import io.troth.bench.contender.Work;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** What a turn counts, and what becomes of it when a contender breaks. Contenders of this process that only sleep. */
class TurnsTest {

    private static final int IN_FLIGHT = 2;
    private static final int ROUNDS = 2;

    @Test
    void everythingThatATurnCountsIsOfTheSameTime() throws Exception {
        Result result = run(new Sleeper("slow-to-tell", () -> new Sleeping() {
            @Override
            public long forcedWrites() {
                sleep(300);
                return 0;
            }
        }));

        assertEquals(Map.of(), result.absent());
        assertEquals(ROUNDS, result.turns().size());
        for (Turn turn : result.turns()) {
            long measured = turn.latency().getTotalCount();
            // Copying takes a moment, too, but no third of a second.
            assertTrue(measured < 1.5 * turn.committed(), measured + " of " + turn.committed());
        }
    }

    @Test
    void whoBreaksInATurnIsOutAndTheOthersGoOn() throws Exception {
        AtomicInteger asked = new AtomicInteger();
        AtomicInteger closed = new AtomicInteger();
        Result result = run(
                new Sleeper("breaks", () -> new Sleeping() {
                    @Override
                    public long forcedWrites() {
                        if (asked.incrementAndGet() > 1) {
                            throw new IllegalStateException("its log is gone");
                        }
                        return 0;
                    }

                    @Override
                    public void close() {
                        closed.incrementAndGet();
                    }
                }),
                new Sleeper("hangs", () -> new Sleeping() {
                    @Override
                    public void run(Work work) throws Exception {
                        super.run(work);
                        if (work.number() > 100) {
                            new CountDownLatch(1).await();
                        }
                    }
                }),
                new Sleeper("sound", Sleeping::new));

        assertEquals(Set.of("breaks", "hangs"), result.absent().keySet());
        assertTrue(String.valueOf(result.absent().get("breaks")).contains("its log is gone"), result::toString);
        assertTrue(String.valueOf(result.absent().get("hangs")).contains("none has ended for 1 s"), result::toString);
        assertFalse(result.problem("breaks", IN_FLIGHT).isEmpty());
        assertEquals("", result.problem("sound", IN_FLIGHT));
        assertEquals(ROUNDS, result.turns("sound", IN_FLIGHT).size());
        assertEquals(1, closed.get());
    }

    private static Result run(Contender... contenders) throws Exception {
        Plan plan = new Plan(
                Mix.transfer(), List.of(contenders), List.of(IN_FLIGHT), ROUNDS, Duration.ofMillis(200), IN_FLIGHT);
        return new Bench(plan, line -> {}, false, Duration.ofSeconds(1)).run();
    }

    private static void sleep(long millis) {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private record Sleeper(String name, Supplier<Running> opener) implements NoopContender {

        @Override
        public String description() {
            return "sleeps";
        }

        @Override
        public int logForcesClaimed() {
            return 0;
        }

        @Override
        public Running open(Environment environment) {
            return opener.get();
        }
    }

    private static class Sleeping implements Running {

        @Override
        public void run(Work work) throws Exception {
            TurnsTest.sleep(1);
        }

        @Override
        public long forcedWrites() {
            return 0;
        }

        @Override
        public void close() {
            // There is nothing to end.
        }
    }
}
