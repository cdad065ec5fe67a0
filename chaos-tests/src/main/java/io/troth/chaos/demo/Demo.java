package io.troth.chaos.demo;

import io.troth.chaos.bank.Answer;
import io.troth.chaos.bank.Bank;
import io.troth.chaos.bank.TransferRunner;
import io.troth.chaos.cluster.Teller;
import io.troth.chaos.demo.DemoOptions.Sabotage;
import io.troth.chaos.process.Children;
import io.troth.chaos.process.WorkDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One run of the demo: opens the stage, lets transfers run, plays the acts, and judges. {@link #close()} may come from
 * another thread at any moment, as it does after Ctrl-C; it leaves nothing behind.
 */
final class Demo implements AutoCloseable {

    private static final long PROGRESS_MILLIS = 200;
    private static final int COMPLAINTS = 20;

    private final DemoOptions options;
    private final Narrator narrator;
    private final WorkDirectory directory;
    private final Children children;
    private final Path binaries;
    private final Object lock = new Object();
    private @Nullable Stage stage;
    private boolean closed;

    /**
     * A run that has not begun.
     *
     * @param binaries where the database programs are unpacked; null for the run's own directory
     */
    Demo(DemoOptions options, Narrator narrator, @Nullable Path binaries) {
        this.options = options;
        this.narrator = narrator;
        this.directory = WorkDirectory.create("troth-demo-");
        this.children = new Children(directory.directory("logs"));
        this.binaries = binaries == null ? directory.path() : binaries;
    }

    /** Plays everything and says how it went. */
    Verdict run() {
        long began = System.nanoTime();
        Stage opened = open();
        Teller teller = new Teller(opened.client());
        long money = opened.money();
        narrator.line(
                "  " + money + " in " + 2 * options.accounts() + " accounts of two banks; the sum must never change.");

        narrator.heading("Transfers");
        narrator.paragraph(
                "Each takes money from an account of one bank and gives it to one of the other: one transaction over two"
                        + " databases. A transfer that would overdraw an account is rolled back in both.");
        long before = stretch(teller);
        narrator.line("  " + before + " committed so far");

        ActRunner runner = new ActRunner(opened, teller, narrator, options);
        List<ActResult> acts = new ArrayList<>();
        for (Act act : options.acts()) {
            ActResult result = runner.play(act);
            long committed = options.has(Sabotage.NOTHING_AFTERWARDS) ? 0 : stretch(teller);
            narrator.line("  transfers go on: " + committed + " more committed");
            acts.add(result.withCommittedAfterwards(committed));
        }
        sabotage(opened, teller);
        Verdict verdict = Verdict.of(acts, rest(opened, teller, money));
        new Summary(narrator)
                .print(
                        acts,
                        teller.ledger().counts(),
                        verdict,
                        TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began));
        return verdict;
    }

    /** Everything is running and stays so: says where. */
    void printAddresses() {
        Stage running = stage;
        if (running != null) {
            narrator.heading("Still running (Ctrl-C ends it)");
            narrator.table("  ", running.addresses());
            narrator.line("  logs and data: " + directory.path());
        }
    }

    /** Something went wrong: shows the end of what each process has said, before it is deleted. */
    void printComplaints() {
        try (Stream<Path> files = Files.list(children.logDirectory())) {
            for (Path file : files.sorted().toList()) {
                List<String> lines = Files.readAllLines(file);
                if (!lines.isEmpty()) {
                    narrator.heading("The last lines of " + file.getFileName());
                }
                lines.subList(Math.max(0, lines.size() - COMPLAINTS), lines.size())
                        .forEach(narrator::line);
            }
        } catch (IOException e) {
            narrator.line("  the logs cannot be read: " + e.getMessage());
        }
    }

    /** The directory below which everything is written. */
    Path directory() {
        return directory.path();
    }

    @Override
    public void close() {
        synchronized (lock) {
            if (closed) {
                return;
            }
            closed = true;
        }
        children.close();
        Stage running = stage;
        if (running != null) {
            running.close();
        }
        directory.close();
    }

    private Stage open() {
        narrator.heading("Starting two databases, one coordinator, two agents, one client");
        narrator.paragraph(
                "Each is a process of its own. An agent drives the transactions of one database. The coordinator"
                        + " decides, for each transfer, whether it happens in both banks or in neither, and writes that down.");
        Stage opened = new Stage(directory.path(), children, binaries, options.accounts());
        stage = opened;
        return opened;
    }

    /** Lets transfers run for a while. Returns how many were committed. */
    private long stretch(Teller teller) {
        long committedBefore = teller.committed();
        teller.run(TransferRunner.WORKERS);
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(options.stretchMillis());
        while (System.nanoTime() - deadline < 0) {
            narrator.progress(progress(teller), false);
            pause();
        }
        teller.pause();
        narrator.progress(progress(teller), true);
        return teller.committed() - committedBefore;
    }

    private static String progress(Teller teller) {
        return "  " + teller.ledger().size() + " transfers: " + teller.committed() + " committed, "
                + teller.ledger().count(Answer.Kind.ROLLED_BACK) + " rolled back, "
                + teller.ledger().count(Answer.Kind.UNKNOWN) + " unknown";
    }

    private Verdict.Rest rest(Stage opened, Teller teller, long moneyBefore) {
        teller.settle();
        Bank.Books first = opened.books(opened.bankA());
        Bank.Books second = opened.books(opened.bankB());
        return new Verdict.Rest(
                moneyBefore,
                first.total() + second.total(),
                opened.prepared(),
                teller.ledger().compare(first, second),
                teller.ledger().counts());
    }

    private void sabotage(Stage opened, Teller teller) {
        if (options.has(Sabotage.ANSWER)) {
            teller.ledger().falsifyOne();
        }
        if (options.has(Sabotage.MONEY)) {
            opened.bankA().execute("UPDATE account SET balance = balance + 1 WHERE number = 1");
        }
        if (options.has(Sabotage.PREPARED)) {
            opened.bankB().execute("BEGIN", "CREATE TABLE left_behind (n int)", "PREPARE TRANSACTION 'left behind'");
        }
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(PROGRESS_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("the demo was interrupted", e);
        }
    }
}
