package io.troth.chaos.process;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One child process: its lines can be waited for, commands can be written to it, and it can be killed, stopped and
 * waited for. Lines that nobody waited for are kept (the last {@value #KEPT_LINES}) and written to a file.
 *
 * <p>Thread-safe.
 */
public final class ChildProcess implements AutoCloseable {

    /** What {@code waitFor} says about a process that SIGKILL ended: 128 + 9. */
    public static final int EXIT_KILLED = 137;

    private static final int KEPT_LINES = 20_000;
    private static final long EXIT_WAIT_SECONDS = 60;
    /** Who has not ended in order after this time is killed. */
    private static final long ORDERLY_SECONDS = 10;

    private final String name;
    private final Process process;
    private final Path errorFile;
    /** The signal that lets it end in order; null when it has nothing to put in order. */
    private final @Nullable String lastSignal;

    private final Writer input;
    private final Object lock = new Object();
    private final Deque<String> unread = new ArrayDeque<>();
    private final List<Consumer<String>> listeners = new CopyOnWriteArrayList<>();
    private final Thread pump;
    private String lastLine = "";
    private boolean outputEnded;

    /**
     * Takes over a process that has just been started.
     *
     * @param outputFile where its lines go
     * @param errorFile where the system puts its standard error
     */
    ChildProcess(String name, Process process, Path outputFile, Path errorFile, @Nullable String lastSignal) {
        this.name = name;
        this.process = process;
        this.errorFile = errorFile;
        this.lastSignal = lastSignal;
        this.input = new BufferedWriter(new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
        this.pump = new Thread(() -> pump(outputFile), "output-of-" + name);
        pump.setDaemon(true);
        pump.start();
    }

    public String name() {
        return name;
    }

    public long pid() {
        return process.pid();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** Hears every line that comes from now on, on the thread that reads them. */
    public void onLine(Consumer<String> listener) {
        listeners.add(listener);
    }

    /**
     * Waits for a line with this prefix; it and all lines before it count as read.
     *
     * @throws IllegalStateException when the process ends, or the time is over, without such a line
     */
    public String awaitLine(String prefix, Duration timeout) {
        return awaitLine(line -> line.startsWith(prefix), "\"" + prefix + "\"", timeout);
    }

    /** As {@link #awaitLine(String, Duration)}, for lines that a prefix does not describe. */
    public String awaitLine(Predicate<String> wanted, String description, Duration timeout) {
        long deadline = System.nanoTime() + timeout.toNanos();
        synchronized (lock) {
            while (true) {
                String line = takeUnread(wanted);
                if (line != null) {
                    return line;
                }
                long leftMillis = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                if (outputEnded) {
                    throw new IllegalStateException(
                            name + " ended without saying " + description + lastSaid() + itsEnd());
                }
                if (leftMillis <= 0) {
                    throw new IllegalStateException(name + " did not say " + description + " within "
                            + timeout.toMillis() + " ms" + lastSaid());
                }
                awaitMore(leftMillis);
            }
        }
    }

    /** Writes one command line to the child's standard input. A child that is gone is not an error. */
    public void send(String command) {
        synchronized (input) {
            try {
                input.write(command);
                input.write('\n');
                input.flush();
            } catch (IOException e) {
                if (process.isAlive()) {
                    throw new UncheckedIOException("cannot talk to " + name, e);
                }
            }
        }
    }

    /** Sends SIGKILL, which nothing in the child can see, and waits for the end. Returns the exit code. */
    public int kill() {
        process.destroyForcibly();
        return awaitExit(Duration.ofSeconds(EXIT_WAIT_SECONDS));
    }

    /** Sends SIGTERM: the child ends in its own orderly way. */
    public void terminate() {
        // Process.destroy would close its input, too, and whoever has a Lifeline would halt.
        process.toHandle().destroy();
    }

    /** Sends SIGINT: what Ctrl-C does, but where {@link #ignoresInterrupts}. */
    public void interrupt() {
        signal("INT");
    }

    /**
     * True when SIGINT is ignored here, as a shell has it for what runs behind it: children inherit that, and a JVM leaves it
     * so.
     */
    public static boolean ignoresInterrupts() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return false;
        }
        String ignored = Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("SigIgn:"))
                .findFirst()
                .orElseThrow();
        int interrupt = 1 << (2 - 1);
        return (Long.parseUnsignedLong(ignored.substring("SigIgn:".length()).strip(), 16) & interrupt) != 0;
    }

    /** Sends SIGSTOP: the child stands still, as in a long pause of its machine. */
    public void suspend() {
        signal("STOP");
        // The signal is only on its way when kill returns.
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(EXIT_WAIT_SECONDS);
        while (!standsStill() && System.nanoTime() - until < 0) {
            Thread.onSpinWait();
        }
    }

    /** True when every thread of the child has stopped; also where the system does not tell. */
    private boolean standsStill() {
        try (Stream<Path> threads = Files.list(Path.of("/proc", Long.toString(pid()), "task"))) {
            return threads.allMatch(ChildProcess::isStopped);
        } catch (IOException e) {
            return true;
        }
    }

    private static boolean isStopped(Path thread) {
        try {
            String stat = Files.readString(thread.resolve("stat"), StandardCharsets.ISO_8859_1);
            return stat.charAt(stat.lastIndexOf(')') + 2) == 'T';
        } catch (IOException e) {
            // This thread has ended.
            return true;
        }
    }

    /** Sends SIGCONT, the end of {@link #suspend()}. */
    public void proceed() {
        signal("CONT");
    }

    /**
     * Waits for the end and returns the exit code; {@value #EXIT_KILLED} after SIGKILL.
     *
     * @throws IllegalStateException when it still runs after that time
     */
    public int awaitExit(Duration timeout) {
        try {
            if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IllegalStateException(name + " still runs after " + timeout.toMillis() + " ms");
            }
            pump.join(TimeUnit.SECONDS.toMillis(1));
            closeInput();
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for the end of " + name, e);
        }
    }

    /** Ends the child if it still runs, in order if it knows how to, or else by SIGKILL. */
    @Override
    public void close() {
        if (lastSignal != null && process.isAlive()) {
            endInOrder(lastSignal);
        }
        if (process.isAlive()) {
            kill();
        } else {
            closeInput();
        }
    }

    private void endInOrder(String by) {
        signal(by);
        boolean unused = endsSoon();
    }

    private void signal(String signal) {
        try {
            Process kill = new ProcessBuilder("kill", "-" + signal, Long.toString(pid()))
                    .redirectErrorStream(true)
                    .start();
            if (kill.waitFor() != 0 && process.isAlive()) {
                throw new IllegalStateException("cannot send SIG" + signal + " to " + name);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private void closeInput() {
        synchronized (input) {
            try {
                input.close();
            } catch (IOException e) {
                // The other end is gone: closed is what it should be.
                return;
            }
        }
    }

    private @Nullable String takeUnread(Predicate<String> wanted) {
        while (!unread.isEmpty()) {
            String line = unread.removeFirst();
            if (wanted.test(line)) {
                return line;
            }
        }
        return null;
    }

    private String lastSaid() {
        return lastLine.isEmpty() ? "; it has said nothing" : "; the last it said is \"" + lastLine + "\"";
    }

    /** How a process whose output has ended went, as far as it can be told. */
    private String itsEnd() {
        String exit = process.isAlive() && !endsSoon() ? "; it still runs" : "; exit code " + process.exitValue();
        try (Stream<String> lines = Files.lines(errorFile, StandardCharsets.ISO_8859_1)) {
            return lines.filter(line -> !line.isBlank())
                    .reduce((first, second) -> second)
                    .map(last -> exit + ", and at the end of " + errorFile + " stands \"" + last + "\"")
                    .orElse(exit);
        } catch (IOException | UncheckedIOException e) {
            return exit;
        }
    }

    private boolean endsSoon() {
        try {
            return process.waitFor(ORDERLY_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @SuppressWarnings("WaitNotInLoop") // The caller loops.
    private void awaitMore(long millis) {
        try {
            lock.wait(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for " + name, e);
        }
    }

    private void pump(Path outputFile) {
        try (BufferedReader reader =
                        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
                Writer file =
                        Files.newBufferedWriter(outputFile, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            String line = reader.readLine();
            while (line != null) {
                file.write(line + "\n");
                file.flush();
                accept(line);
                line = reader.readLine();
            }
        } catch (IOException e) {
            // The pipe of a killed process breaks: that is the end of its output.
            accept("(output broke: " + e.getMessage() + ")");
        } finally {
            synchronized (lock) {
                outputEnded = true;
                lock.notifyAll();
            }
        }
    }

    private void accept(String line) {
        listeners.forEach(listener -> listener.accept(line));
        synchronized (lock) {
            if (unread.size() == KEPT_LINES) {
                unread.removeFirst();
            }
            unread.addLast(line);
            lastLine = line;
            lock.notifyAll();
        }
    }
}
