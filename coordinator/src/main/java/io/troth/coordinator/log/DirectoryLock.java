package io.troth.coordinator.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The exclusive lock on a data directory, held for the life of the process: two leaders on one log would break L3. The
 * operating system releases it with the process, however that ends. Thread-safe.
 */
public final class DirectoryLock implements AutoCloseable {

    private static final String FILE = "LOCK";

    /**
     * The directories this process has locked. A POSIX lock belongs to the process and is lost when <em>any</em>
     * channel on the file is closed, so a second attempt of the same process must not even open the file. This is the
     * one thing here that is as global as the process itself.
     */
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path directory;
    private final @Nullable FileChannel channel;

    private DirectoryLock(Path directory, @Nullable FileChannel channel) {
        this.directory = directory;
        this.channel = channel;
    }

    /**
     * Takes the lock.
     *
     * @throws LogRefusedException {@link LogRefusal#IN_USE} when another holds it
     */
    public static DirectoryLock exclusive(Path directory) throws IOException {
        return take(directory, false);
    }

    /**
     * Makes sure that nobody writes, as long as the answer is not closed, and changes nothing in the directory: a copy
     * without a lock file, or on a read-only medium, is fine.
     *
     * @throws LogRefusedException {@link LogRefusal#IN_USE} when a process holds the lock
     */
    public static DirectoryLock shared(Path directory) throws IOException {
        return take(directory, true);
    }

    private static DirectoryLock take(Path directory, boolean shared) throws IOException {
        Path real = directory.toRealPath();
        if (!HELD.add(real)) {
            throw new LogRefusedException(LogRefusal.IN_USE, directory, "this process has it open already");
        }
        boolean taken = false;
        FileChannel channel = null;
        try {
            Path file = real.resolve(FILE);
            if (shared && !Files.exists(file)) {
                taken = true;
                return new DirectoryLock(real, null);
            }
            channel = shared
                    ? FileChannel.open(file, StandardOpenOption.READ)
                    : FileChannel.open(
                            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            FileLock lock = channel.tryLock(0, Long.MAX_VALUE, shared);
            if (lock == null) {
                throw new LogRefusedException(
                        LogRefusal.IN_USE, directory, "another process" + holder(channel) + " uses it");
            }
            if (!shared) {
                String holder = "pid " + ProcessHandle.current().pid() + "\n";
                channel.truncate(0).write(ByteBuffer.wrap(holder.getBytes(StandardCharsets.US_ASCII)), 0);
            }
            taken = true;
            return new DirectoryLock(real, channel);
        } finally {
            if (!taken) {
                HELD.remove(real);
                if (channel != null) {
                    channel.close();
                }
            }
        }
    }

    /** Who wrote the lock file last, for the message only. */
    private static String holder(FileChannel channel) throws IOException {
        ByteBuffer text = ByteBuffer.allocate(32);
        channel.read(text, 0);
        String holder = new String(text.array(), 0, text.position(), StandardCharsets.US_ASCII).trim();
        return holder.isEmpty() ? "" : " (" + holder + ")";
    }

    /** Gives the directory free. The file stays: deleting it would let two processes lock two files of one name. */
    @Override
    public void close() throws IOException {
        if (channel != null) {
            channel.close();
        }
        HELD.remove(directory);
    }
}
