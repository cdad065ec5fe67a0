package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.troth.chaos.bank.Transfer;
import io.troth.client.GlobalTransaction;
import io.troth.client.OutcomeToken;
import io.troth.client.OutcomeUnknownException;
import io.troth.client.RolledBackException;
import io.troth.core.Outcome;
import io.troth.core.TrothException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Goal: a caller who is interrupted at any moment hears the true outcome or that it is unknown, and leaves nothing behind.
 * Method: threads that transfer money are interrupted at random until each outcome was heard several times; then every
 * answer is compared with both banks.
 */
class InterruptedCallersTest {

    private static final int CALLERS = 4;
    private static final int EACH = 10;
    private static final int PAUSE_NANOS_MAX = (int) TimeUnit.MILLISECONDS.toNanos(20);

    /** @param token of an outcome that is unknown */
    private record Answer(
            Transfer transfer, Outcome outcome, @Nullable OutcomeToken token) {}

    private final Queue<Answer> answers = new ConcurrentLinkedQueue<>();
    private final Map<Outcome, AtomicInteger> counts = new ConcurrentHashMap<>(Map.of(
            Outcome.COMMITTED, new AtomicInteger(),
            Outcome.ROLLED_BACK, new AtomicInteger(),
            Outcome.UNKNOWN, new AtomicInteger()));
    private final AtomicBoolean enough = new AtomicBoolean();

    @Test
    void hearTheTruthOrThatItIsUnknown() throws Exception {
        try (Stack stack = Stack.start("InterruptedCallers")) {
            interruptedTransfers(stack);
            stack.banks().awaitNothingPrepared();
            Set<Long> committed = stack.banks().numbers(Banks.A);
            assertEquals(committed, stack.banks().numbers(Banks.B));
            for (Answer answer : answers) {
                Outcome told = answer.token() == null
                        ? answer.outcome()
                        : stack.client().outcome(answer.token());
                boolean isThere = committed.contains(answer.transfer().number());
                assertEquals(
                        isThere ? Outcome.COMMITTED : Outcome.ROLLED_BACK,
                        told,
                        () -> "first told " + answer.outcome());
            }
            stack.banks().assertNoMoneyLost();
            for (int i = 0; i < Banks.ACCOUNTS; i++) {
                assertEquals(Outcome.COMMITTED, transfer(stack).outcome(), "locks, connections and calls are free");
            }
        }
    }

    private void interruptedTransfers(Stack stack) throws Exception {
        List<Thread> callers = new ArrayList<>();
        ExecutorService threads = Executors.newFixedThreadPool(CALLERS, task -> {
            Thread caller = new Thread(task, "caller");
            callers.add(caller);
            return caller;
        });
        try {
            List<Future<?>> work = new ArrayList<>();
            for (int i = 0; i < CALLERS; i++) {
                work.add(threads.submit(() -> {
                    while (!enough.get()) {
                        Answer answer = transfer(stack);
                        // For the next one to begin with.
                        boolean unused = Thread.interrupted();
                        answers.add(answer);
                        counts.get(answer.outcome()).incrementAndGet();
                    }
                }));
            }
            Random random = new Random(1);
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (counts.values().stream().anyMatch(count -> count.get() < EACH) && System.nanoTime() - end < 0) {
                LockSupport.parkNanos(random.nextInt(PAUSE_NANOS_MAX));
                callers.get(random.nextInt(CALLERS)).interrupt();
            }
            enough.set(true);
            for (Future<?> each : work) {
                each.get(60, TimeUnit.SECONDS);
            }
            counts.forEach((outcome, count) -> assertEquals(EACH, Math.min(EACH, count.get()), outcome + " was heard"));
        } finally {
            threads.shutdownNow();
        }
    }

    private static Answer transfer(Stack stack) {
        Transfer transfer = Banks.transfer();
        try (GlobalTransaction tx = stack.client().begin()) {
            stack.work(transfer);
            return new Answer(transfer, tx.commit().outcome(), null);
        } catch (OutcomeUnknownException e) {
            return new Answer(transfer, Outcome.UNKNOWN, e.token());
        } catch (RolledBackException | SQLException e) {
            return new Answer(transfer, Outcome.ROLLED_BACK, null);
        } catch (TrothException e) {
            assertEquals("interrupted while waiting", e.reason().detail(), "it was to begin");
            return new Answer(transfer, Outcome.ROLLED_BACK, null);
        }
    }
}
