package io.troth.client.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.client.grpc.Endpoint;
import io.troth.core.ErrorCode;
import io.troth.core.TrothException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Goal: whoever waits hears in time. Method: a loop and a clock that the test moves, and a link that leads nowhere. */
class ClientEngineTest {

    private final TimersByHand timers = new TimersByHand();
    private boolean clockFails;
    private int problemsLeft = Integer.MAX_VALUE;
    private long now;

    @Test
    void aTickThatFailsIsNotTheLast() {
        ClientEngine engine = start();
        CompletableFuture<?> begun = engine.begin(1_000);
        clockFails = true;
        assertThrows(IllegalStateException.class, timers::next);

        clockFails = false;
        now += TimeUnit.MINUTES.toNanos(1);
        timers.next();

        assertNoCoordinator(begun);
    }

    @Test
    void whatATurnHasDecidedIsHeardAlthoughTheTurnFails() {
        ClientEngine engine = start();
        CompletableFuture<?> begun = engine.begin(1_000);
        now += TimeUnit.MINUTES.toNanos(1);
        problemsLeft = 1;
        assertThrows(IllegalStateException.class, timers::next);
        assertNoCoordinator(begun);
    }

    private ClientEngine start() {
        return ClientEngine.start(
                ClientSettings.of(List.of(new Endpoint("localhost", 1))), this::nanos, timers, new Nowhere());
    }

    private static void assertNoCoordinator(CompletableFuture<?> begun) {
        assertTrue(begun.isDone());
        TrothException failure = (TrothException)
                assertThrows(CompletionException.class, begun::join).getCause();
        assertEquals(ErrorCode.NO_COORDINATOR, failure.code());
    }

    private long nanos() {
        if (clockFails) {
            throw new IllegalStateException("for a test");
        }
        return now;
    }

    private final class Nowhere extends SilentLink {
        @Override
        public String problem() {
            if (problemsLeft-- == 0) {
                throw new IllegalStateException("for a test");
            }
            return super.problem();
        }
    }
}
