package io.troth.coordinator.log.rocksdb;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.rocksdb.NativeLibraryLoader;
import org.rocksdb.RocksDB;

/**
 * RocksDB's native code, which lies in its jar and has to be a file to be loaded. Left to itself RocksDB deletes that
 * file when the JVM exits, so each kill leaves 17 MB in the temporary directory. Here it is gone as soon as it is loaded:
 * the mapping keeps it alive.
 */
final class NativeLibrary {

    private static boolean loaded;

    private NativeLibrary() {}

    /**
     * Loads it once in the life of the JVM; only reads when {@code ROCKSDB_SHAREDLIB_DIR} names a copy.
     *
     * @throws IOException when it cannot be written or loaded, with what to do
     */
    static synchronized void load() throws IOException {
        if (loaded) {
            return;
        }
        try {
            if (System.getenv("ROCKSDB_SHAREDLIB_DIR") == null) {
                loadFromJar();
            }
            RocksDB.loadLibrary();
            loaded = true;
        } catch (UnsatisfiedLinkError e) {
            throw unusable("loaded from", "is it mounted noexec?", e);
        } catch (IOException e) {
            throw unusable("unpacked into", "may it be written, and is there room for 17 MB?", e);
        }
    }

    private static IOException unusable(String what, String question, Throwable cause) {
        return new IOException(
                "RocksDB's native code cannot be " + what + " " + System.getProperty("java.io.tmpdir") + ": " + question
                        + " Name another directory with -Djava.io.tmpdir (" + cause.getMessage() + ")",
                cause);
    }

    private static void loadFromJar() throws IOException {
        Path directory = Files.createTempDirectory("troth-rocksdb");
        try {
            NativeLibraryLoader.getInstance().loadLibrary(directory.toString());
        } finally {
            for (Path file : OpenLog.deepestFirst(directory)) {
                // A loaded library cannot be deleted everywhere.
                if (!file.toFile().delete()) {
                    file.toFile().deleteOnExit();
                }
            }
        }
    }
}
