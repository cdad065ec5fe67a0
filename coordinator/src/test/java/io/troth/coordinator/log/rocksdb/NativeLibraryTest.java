package io.troth.coordinator.log.rocksdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.rocksdb.RocksDB;

/**
 * Goal: a coordinator that is killed leaves nothing in the temporary directory. Method: load, and look while it runs; this
 * JVM, like one that was killed, has had no chance to clean up.
 */
class NativeLibraryTest {

    @Test
    void leavesNoFileBehindWhileItIsInUse() throws IOException {
        NativeLibrary.load();
        NativeLibrary.load();
        assertNotNull(RocksDB.rocksdbVersion());
        assertEquals(List.of(), left());
    }

    private static List<Path> left() throws IOException {
        Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
        long me = ProcessHandle.current().pid();
        try (Stream<String> maps = Files.lines(Path.of("/proc/" + me + "/maps"))) {
            return maps.filter(line -> line.contains("librocksdbjni"))
                    .map(line -> Path.of(line.substring(line.indexOf('/')).replace(" (deleted)", "")))
                    .filter(path -> path.startsWith(temporary) && Files.exists(path))
                    .toList();
        }
    }
}
