package io.troth.chaos.process;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Wall clocks of child processes that can be set while they run, each by itself: a library that is preloaded into a child
 * answers its questions about the time of day ({@code wall_clock.c}). Who may set the clock of the machine could not set one
 * process against another. Needs Linux and a C compiler. Thread-safe, except for {@link #set}, of which each clock takes one at
 * a time.
 */
public final class WallClocks {

    private static final String SOURCE = "/wall_clock.c";
    private static final String COMPILER = "cc";
    private static final long COMPILER_SECONDS = 60;

    private static final int PERMILLE = 1000;
    private static final int SINCE_AT = 0;
    private static final int SHOWN_AT = 8;
    private static final int PERMILLE_AT = 16;
    private static final int LOOKS_AT = 24;
    private static final int DIAL_BYTES = 32;

    private final Path directory;
    private final Path library;
    private final Map<String, MappedByteBuffer> dials = new ConcurrentHashMap<>();

    /**
     * Makes the library.
     *
     * @param directory where it and the dials go
     */
    public WallClocks(Path directory) throws IOException {
        this.directory = directory;
        this.library = directory.resolve("wall_clock.so");
        Path source = directory.resolve("wall_clock.c");
        try (InputStream text = Objects.requireNonNull(WallClocks.class.getResourceAsStream(SOURCE))) {
            Files.copy(text, source);
        }
        int exit = run(
                directory,
                List.of(
                        COMPILER,
                        "-Wall",
                        "-Werror",
                        "-O1",
                        "-shared",
                        "-fPIC",
                        "-o",
                        library.toString(),
                        source.toString()));
        if (exit != 0) {
            throw new IllegalStateException("no " + library + ": the compiler ended with exit code " + exit);
        }
    }

    /** Whether this machine has what is needed. */
    public static boolean canBeSet() {
        try {
            return "Linux".equals(System.getProperty("os.name"))
                    && run(Path.of("."), List.of(COMPILER, "--version")) == 0;
        } catch (IOException e) {
            return false;
        }
    }

    private static int run(Path directory, List<String> command) throws IOException {
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try {
            if (!process.waitFor(COMPILER_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IllegalStateException(command + " does not end");
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** What a child of this name needs in its environment. Its clock is right, or what the last child of this name had. */
    public Map<String, String> environment(String child) {
        dials.computeIfAbsent(child, this::dial);
        return Map.of(
                "LD_PRELOAD", library.toString(), "WALL_CLOCK_DIAL", file(child).toString());
    }

    private Path file(String child) {
        return directory.resolve(child + ".dial");
    }

    private MappedByteBuffer dial(String child) {
        try (FileChannel file = FileChannel.open(
                file(child), StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            MappedByteBuffer dial = file.map(FileChannel.MapMode.READ_WRITE, 0, DIAL_BYTES);
            dial.order(ByteOrder.nativeOrder());
            dial.putLong(PERMILLE_AT, PERMILLE);
            return dial;
        } catch (IOException e) {
            throw new UncheckedIOException("no clock for " + child, e);
        }
    }

    /**
     * Sets a child's clock.
     *
     * @param ahead how far it is ahead of the truth from now on; behind when negative
     * @param speed how fast it runs: 1 as it should, 0 when it stands still
     */
    public void set(String child, Duration ahead, double speed) {
        MappedByteBuffer dial = known(child);
        long now = ChronoUnit.NANOS.between(Instant.EPOCH, Instant.now());
        dial.putLong(SINCE_AT, now);
        dial.putLong(SHOWN_AT, now + ahead.toNanos());
        dial.putLong(PERMILLE_AT, Math.round(speed * PERMILLE));
    }

    /** How often a child has looked at its clock. */
    public long looks(String child) {
        return known(child).getLong(LOOKS_AT);
    }

    private MappedByteBuffer known(String child) {
        return Objects.requireNonNull(dials.get(child), child);
    }
}
