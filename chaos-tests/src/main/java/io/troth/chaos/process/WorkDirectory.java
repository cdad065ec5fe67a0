package io.troth.chaos.process;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;

/** A directory under the temp directory that holds everything a run writes, and is deleted with it. */
public final class WorkDirectory implements AutoCloseable {

    private static final Duration DELETE_LIMIT = Duration.ofSeconds(10);

    private final Path path;
    private boolean kept;

    private WorkDirectory(Path path) {
        this.path = path;
    }

    /** Makes a new, empty one. */
    public static WorkDirectory create(String prefix) {
        try {
            return new WorkDirectory(Files.createTempDirectory(prefix));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make a temp directory", e);
        }
    }

    public Path path() {
        return path;
    }

    /** A new directory in this one. */
    public Path directory(String name) {
        try {
            return Files.createDirectories(path.resolve(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Leaves everything in place at {@link #close()}, for somebody to look at. */
    public void keep() {
        kept = true;
    }

    @Override
    public void close() {
        if (!kept) {
            delete(path);
        }
    }

    /** Deletes a directory with all it contains; what is gone already is not an error. */
    public static void delete(Path directory) {
        long deadline = System.nanoTime() + DELETE_LIMIT.toNanos();
        boolean deleted = false;
        while (!deleted) {
            try {
                deleteOnce(directory);
                deleted = true;
            } catch (DirectoryNotEmptyException e) {
                // A process that was just killed has still written something.
                if (System.nanoTime() - deadline > 0) {
                    throw new UncheckedIOException("cannot delete " + directory, e);
                }
            } catch (IOException e) {
                throw new UncheckedIOException("cannot delete " + directory, e);
            }
        }
    }

    private static void deleteOnce(Path directory) throws IOException {
        Files.walkFileTree(directory, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.deleteIfExists(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
                if (e instanceof NoSuchFileException) {
                    return FileVisitResult.CONTINUE;
                }
                throw e;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path dir, IOException e) throws IOException {
                Files.deleteIfExists(dir);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
