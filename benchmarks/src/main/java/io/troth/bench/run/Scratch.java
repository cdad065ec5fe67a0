package io.troth.bench.run;

import io.troth.chaos.process.Children;
import io.troth.chaos.process.WorkDirectory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The processes and directories of one run. Both end with it, also when it is interrupted: first the processes, which would
 * otherwise go on writing. Thread-safe.
 */
public final class Scratch implements AutoCloseable {

    private static final Path MEMORY = Path.of("/dev/shm");

    private final String prefix;
    private final WorkDirectory directory;
    private final Children children;
    private final Thread hook = new Thread(this::end, "clean-up");

    // Guarded by this.
    private final List<Path> inMemory = new ArrayList<>();
    private boolean ended;

    /** Makes one without processes. */
    public Scratch(String prefix) {
        this.prefix = prefix;
        this.directory = WorkDirectory.create(prefix);
        this.children = new Children(directory.directory("output"));
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** Where everything is but what is in memory. */
    public WorkDirectory directory() {
        return directory;
    }

    public Children children() {
        return children;
    }

    /** A new directory on the disk. */
    synchronized Path newDirectory(String name) {
        checkOpen();
        return directory.directory(name);
    }

    /** A new, empty directory in memory. */
    synchronized Path newMemoryDirectory() {
        checkOpen();
        try {
            Path path = Files.createTempDirectory(MEMORY, prefix);
            inMemory.add(path);
            return path;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** After Ctrl-C the run goes on for a moment: what it made then would stay. */
    private void checkOpen() {
        if (ended) {
            throw new IllegalStateException("the run is over");
        }
    }

    @Override
    public void close() {
        end();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The JVM is ending: the hook runs or has run.
            return;
        }
    }

    private synchronized void end() {
        ended = true;
        children.close();
        inMemory.forEach(WorkDirectory::delete);
        directory.close();
    }
}
