package io.troth.chaos.db;

import io.troth.chaos.process.WorkDirectory;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Locale;
import java.util.Set;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;

/**
 * The PostgreSQL programs, unpacked from the jar that Maven Central offers.
 *
 * @param directory holds {@code bin}, {@code lib} and {@code share}
 */
public record PostgresBinaries(Path directory) {

    private static final int EXECUTABLE_BITS = 0111;

    /**
     * Unpacks them below a directory, unless somebody has done so already. Several processes, and threads, may do this at
     * once.
     *
     * @throws IllegalStateException when no programs for this operating system are on the class path
     */
    public static synchronized PostgresBinaries in(Path parent) {
        // The monitor is between threads, the file's lock between processes: it refuses a second thread.
        try {
            Files.createDirectories(parent);
            Path directory = parent.resolve("postgresql");
            try (FileChannel channel = FileChannel.open(
                            parent.resolve("postgresql.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock lock = channel.lock()) {
                if (lock.isValid() && !Files.isDirectory(directory)) {
                    Path half = parent.resolve("postgresql.half");
                    WorkDirectory.delete(half);
                    unpack(half);
                    Files.move(half, directory, StandardCopyOption.ATOMIC_MOVE);
                }
            }
            return new PostgresBinaries(directory);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot unpack PostgreSQL into " + parent, e);
        }
    }

    /** The path of one program, such as {@code initdb}. */
    public String program(String name) {
        return directory.resolve("bin").resolve(name).toString();
    }

    private static void unpack(Path directory) throws IOException {
        String archive = archive();
        try (InputStream resource = PostgresBinaries.class.getResourceAsStream(archive)) {
            if (resource == null) {
                throw new IllegalStateException("no PostgreSQL for this machine on the class path: " + archive
                        + " (see docs/TESTING.md for the platforms)");
            }
            try (TarArchiveInputStream tar =
                    new TarArchiveInputStream(new XZCompressorInputStream(new BufferedInputStream(resource)))) {
                TarArchiveEntry entry = tar.getNextEntry();
                while (entry != null) {
                    unpack(tar, entry, directory);
                    entry = tar.getNextEntry();
                }
            }
        }
    }

    private static void unpack(TarArchiveInputStream tar, TarArchiveEntry entry, Path directory) throws IOException {
        Path target = directory.resolve(entry.getName()).normalize();
        if (!target.startsWith(directory)) {
            throw new IOException("the archive leaves its directory: " + entry.getName());
        }
        if (entry.isDirectory()) {
            Files.createDirectories(target);
            return;
        }
        Path parent = target.getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
        if (entry.isSymbolicLink()) {
            Files.createSymbolicLink(target, Path.of(entry.getLinkName()));
            return;
        }
        Files.copy(tar, target);
        if ((entry.getMode() & EXECUTABLE_BITS) != 0) {
            Files.setPosixFilePermissions(
                    target,
                    Set.of(
                            PosixFilePermission.OWNER_READ,
                            PosixFilePermission.OWNER_WRITE,
                            PosixFilePermission.OWNER_EXECUTE,
                            PosixFilePermission.GROUP_READ,
                            PosixFilePermission.GROUP_EXECUTE,
                            PosixFilePermission.OTHERS_READ,
                            PosixFilePermission.OTHERS_EXECUTE));
        }
    }

    /** The names that the archives have in their jars. */
    private static String archive() {
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String machine = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
        String architecture = machine.equals("aarch64") || machine.equals("arm64") ? "arm_64" : "x86_64";
        return "/postgres-" + (system.contains("mac") ? "darwin" : "linux") + "-" + architecture + ".txz";
    }
}
