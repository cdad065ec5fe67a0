package io.troth.chaos.bank;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Makes transfers on a few threads, as long as it is told to, and prints every answer. Orders, one per line: {@code run
 * n} (transfers on {@code n} threads until {@code pause}, which is answered by {@code PAUSED} when all of them have an
 * answer), {@code burst n} ({@code n} transfers at the same time on different accounts, at most {@value
 * #WORKERS}; each is announced by {@code COMMITTING number tx text}, and none commits before all are announced; answered by {@code BURST-DONE}), {@code settle} (asks again what is
 * unknown; {@code SETTLED}).
 */
public final class TransferRunner {

    /** How many transfers can be in flight. */
    public static final int WORKERS = 8;

    private static final int AMOUNT_MAX = 300;

    /** The first accounts take part in bursts only: they always have enough, and nobody waits for them. */
    private static final int RESERVED_ACCOUNTS = 5;

    /** One transfer, from begin to answer. Thread-safe. */
    @FunctionalInterface
    public interface Bankers {
        /** Makes the transfer and says what the answer was; runs {@code beforeCommit} with the id just before commit. */
        Answer transfer(Transfer transfer, Consumer<String> beforeCommit);
    }

    private final Bankers bankers;
    private final Supplier<List<Answer>> unsettled;
    private final int accounts;
    private final PrintStream out;
    private final Random random;
    private final AtomicLong numbers;
    private final ExecutorService workers = Executors.newFixedThreadPool(WORKERS);
    private final Object lock = new Object();
    private boolean running;
    private int busy;

    /**
     * A runner at rest.
     *
     * @param unsettled asks again about every transfer that was answered UNKNOWN, and returns the answers
     * @param accounts how many accounts each bank has, numbered from 1
     * @param firstNumber the number of the first transfer
     */
    public TransferRunner(
            Bankers bankers,
            Supplier<List<Answer>> unsettled,
            int accounts,
            long firstNumber,
            PrintStream out,
            Random random) {
        this.bankers = bankers;
        this.unsettled = unsettled;
        this.accounts = accounts;
        this.numbers = new AtomicLong(firstNumber - 1);
        this.out = out;
        this.random = random;
    }

    /** Carries out one order; returns at once unless it is {@code pause} or {@code settle}. */
    public void order(String line) {
        List<String> words = List.of(line.split(" ", 2));
        switch (words.get(0)) {
            case "run" -> run(Integer.parseInt(words.get(1)));
            case "pause" -> pause();
            case "burst" -> burst(Integer.parseInt(words.get(1)));
            case "settle" -> settle();
            default -> say("UNKNOWN-ORDER " + line);
        }
    }

    private void run(int threads) {
        synchronized (lock) {
            running = true;
            busy += threads;
        }
        for (int i = 0; i < threads; i++) {
            workers.execute(() -> {
                try {
                    while (isRunning()) {
                        say(bankers.transfer(next(), tx -> {}).line());
                    }
                } finally {
                    leave();
                }
            });
        }
    }

    private void pause() {
        synchronized (lock) {
            running = false;
            while (busy > 0) {
                try {
                    lock.wait();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return;
                }
            }
        }
        say("PAUSED");
    }

    private void burst(int count) {
        List<Transfer> transfers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            transfers.add(new Transfer(numbers.incrementAndGet(), 1 + i, 1 + i, 1 + i));
        }
        CountDownLatch notReady = new CountDownLatch(count);
        AtomicLong left = new AtomicLong(count);
        for (Transfer transfer : transfers) {
            workers.execute(() -> {
                try {
                    say(inBurst(transfer, notReady).line());
                } finally {
                    if (left.decrementAndGet() == 0) {
                        say("BURST-DONE");
                    }
                }
            });
        }
    }

    /**
     * Nobody commits before all others could: the first commit may park the coordinator, and who has a branch to enlist
     * then would wait for it.
     */
    private Answer inBurst(Transfer transfer, CountDownLatch notReady) {
        AtomicBoolean announced = new AtomicBoolean();
        try {
            return bankers.transfer(transfer, tx -> {
                announced.set(true);
                say("COMMITTING " + transfer.number() + " " + tx + " " + text(transfer));
                notReady.countDown();
                awaitAll(notReady);
            });
        } finally {
            if (!announced.get()) {
                // It failed: the others go on without it.
                notReady.countDown();
            }
        }
    }

    private static void awaitAll(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void settle() {
        unsettled.get().forEach(answer -> say(answer.line()));
        say("SETTLED");
    }

    private Transfer next() {
        synchronized (random) {
            long amount = 1L + random.nextInt(AMOUNT_MAX);
            return new Transfer(
                    numbers.incrementAndGet(),
                    RESERVED_ACCOUNTS + 1 + random.nextInt(accounts - RESERVED_ACCOUNTS),
                    RESERVED_ACCOUNTS + 1 + random.nextInt(accounts - RESERVED_ACCOUNTS),
                    random.nextBoolean() ? amount : -amount);
        }
    }

    private static String text(Transfer transfer) {
        return transfer.amount() + " from A/" + transfer.fromAccount() + " to B/" + transfer.toAccount();
    }

    private boolean isRunning() {
        synchronized (lock) {
            return running;
        }
    }

    private void leave() {
        synchronized (lock) {
            busy--;
            lock.notifyAll();
        }
    }

    private void say(String line) {
        synchronized (out) {
            out.println(line);
            out.flush();
        }
    }
}
