package io.troth.chaos.demo;

import io.troth.chaos.bank.Answer;
import io.troth.chaos.bank.Bank;
import io.troth.chaos.cluster.Teller;
import io.troth.chaos.demo.DemoOptions.Sabotage;
import io.troth.chaos.process.Children;
import io.troth.chaos.process.WorkDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One run of a demo: its processes, what they write, and what every demo does with transfers and at its end. {@link
 * #close()} may come from another thread at any moment, as it does after Ctrl-C; it leaves nothing behind.
 */
abstract class Show implements AutoCloseable {

    /** All processes of a demo. */
    interface Setting extends AutoCloseable {

        /** What is where, for somebody who wants to look; the first row is the head. */
        List<List<String>> addresses();

        /** Ends every process, the databases' backends included. Leaves the directory. */
        @Override
        void close();
    }

    private static final long PROGRESS_MILLIS = 200;
    private static final int COMPLAINTS = 20;

    final Narrator narrator;
    final Children children;
    final Path binaries;
    private final WorkDirectory directory;
    private final Object lock = new Object();
    private volatile @Nullable Setting setting;
    private boolean closed;

    /**
     * A run that has not begun.
     *
     * @param binaries where the database programs are unpacked; null for the run's own directory
     */
    Show(Narrator narrator, @Nullable Path binaries) {
        this.narrator = narrator;
        this.directory = WorkDirectory.create("troth-demo-");
        this.children = new Children(directory.directory("logs"));
        this.binaries = binaries == null ? directory.path() : binaries;
    }

    /** Plays everything and says how it went. */
    abstract Verdict run();

    /** These processes run now, and end with this. */
    final <S extends Setting> S running(S started) {
        setting = started;
        return started;
    }

    /** Everything is running and stays so: says where. */
    void printAddresses() {
        Setting running = setting;
        if (running != null) {
            narrator.heading("Still running (Ctrl-C ends it)");
            narrator.table("  ", running.addresses());
            narrator.line("  logs and data: " + directory.path());
        }
    }

    /** Something went wrong: shows the end of what each process has said, before it is deleted. */
    void printComplaints() {
        try (Stream<Path> files = Files.list(children.logDirectory())) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
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
        Setting running = setting;
        if (running != null) {
            running.close();
        }
        directory.close();
    }

    /** Shows for a while how transfers go on. */
    static void watch(Narrator narrator, Teller teller, long millis) {
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        while (System.nanoTime() - until < 0) {
            narrator.progress(progress(teller), false);
            pause(PROGRESS_MILLIS);
        }
    }

    static String progress(Teller teller) {
        return "  " + teller.ledger().size() + " transfers: " + teller.committed() + " committed, "
                + teller.ledger().count(Answer.Kind.ROLLED_BACK) + " rolled back, "
                + teller.ledger().count(Answer.Kind.UNKNOWN) + " unknown";
    }

    /** How it ended, when every transfer has an answer. */
    static Verdict.Rest rest(DemoBanks banks, Teller teller, long moneyBefore) {
        teller.settle();
        Bank.Books first = banks.books(banks.a());
        Bank.Books second = banks.books(banks.b());
        return new Verdict.Rest(
                moneyBefore,
                first.total() + second.total(),
                banks.prepared(),
                teller.ledger().compare(first, second),
                teller.ledger().counts());
    }

    static void sabotage(Set<Sabotage> sabotages, DemoBanks banks, Teller teller) {
        if (sabotages.contains(Sabotage.ANSWER)) {
            teller.ledger().falsifyOne();
        }
        if (sabotages.contains(Sabotage.MONEY)) {
            banks.a().execute("UPDATE account SET balance = balance + 1 WHERE number = 1");
        }
        if (sabotages.contains(Sabotage.PREPARED)) {
            banks.b().execute("BEGIN", "CREATE TABLE left_behind (n int)", "PREPARE TRANSACTION 'left behind'");
        }
    }

    static void pause(long millis) {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("the demo was interrupted", e);
        }
    }
}
