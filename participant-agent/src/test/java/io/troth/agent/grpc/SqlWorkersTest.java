package io.troth.agent.grpc;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Goal: who gives a call up waits for no other call. */
class SqlWorkersTest {

    private static final int LIMIT_SECONDS = 20;

    private final SqlWorkers workers = new SqlWorkers(2);

    /** A database that the network does not reach answers no cancel for ten seconds. */
    @Test
    void aCancelThatIsNotAnsweredHoldsNoOtherUp() throws Exception {
        CountDownLatch answered = new CountDownLatch(1);
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch others = new CountDownLatch(2);
        try (workers) {
            workers.cancels().execute(() -> {
                asked.countDown();
                await(answered, 10 * LIMIT_SECONDS);
            });
            assertTrue(await(asked, LIMIT_SECONDS));
            workers.cancels().execute(others::countDown);
            var unused = workers.cancelAfter(1, others::countDown);
            assertTrue(await(others, LIMIT_SECONDS));
        } finally {
            answered.countDown();
        }
    }

    private static boolean await(CountDownLatch latch, long seconds) {
        try {
            return latch.await(seconds, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
