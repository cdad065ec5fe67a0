package io.troth.chaos.bank;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/**
 * Goal: a burst can be parked as a whole. Method: bankers that write down what happens, the last of them slow or failing.
 */
class TransferRunnerTest {

    private static final int COUNT = 4;
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final ByteArrayOutputStream output = new ByteArrayOutputStream();
    private final Queue<String> happened = new ConcurrentLinkedQueue<>();
    private final CountDownLatch othersCame = new CountDownLatch(COUNT - 1);

    @Test
    void commitsNothingBeforeTheSlowestCould() {
        burst(this::slowLast);
        assertEquals(
                List.of("work", "work", "work", "work", "commit", "commit", "commit", "commit"),
                List.copyOf(happened),
                output.toString(UTF_8));
    }

    @Test
    void goesOnWithoutTheOneThatFailed() {
        burst(this::failingLast);
        assertEquals(List.of("work", "work", "work", "commit", "commit", "commit"), List.copyOf(happened));
        assertEquals(COUNT - 1L, said("COMMITTING "), output.toString(UTF_8));
    }

    private Answer slowLast(Transfer transfer, Consumer<String> beforeCommit) {
        if (transfer.fromAccount() == COUNT) {
            await(othersCame);
        }
        return committed(transfer, beforeCommit);
    }

    private Answer failingLast(Transfer transfer, Consumer<String> beforeCommit) {
        if (transfer.fromAccount() == COUNT) {
            await(othersCame);
            return new Answer(transfer.number(), Answer.Kind.ROLLED_BACK, "-", "no money");
        }
        return committed(transfer, beforeCommit);
    }

    private Answer committed(Transfer transfer, Consumer<String> beforeCommit) {
        String tx = "tx-" + transfer.number();
        happened.add("work");
        othersCame.countDown();
        beforeCommit.accept(tx);
        happened.add("commit");
        return new Answer(transfer.number(), Answer.Kind.COMMITTED, tx, "");
    }

    private void burst(TransferRunner.Bankers bankers) {
        PrintStream out = new PrintStream(output, true, UTF_8);
        new TransferRunner(bankers, List::of, 10, 1, out, new Random(1)).order("burst " + COUNT);
        Awaitility.await().atMost(LIMIT).until(() -> said("BURST-DONE") == 1);
    }

    private long said(String prefix) {
        return output.toString(UTF_8)
                .lines()
                .filter(line -> line.startsWith(prefix))
                .count();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
