package io.troth.bench.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The floor must be a sane one: every record is there, one alone costs one force, and many at once do not cost more. */
class GroupCommitFileTest {

    private static final int CALLERS = 8;
    private static final int RECORDS = 20;

    @TempDir
    Path directory;

    @Test
    void aRecordAloneCostsOneForce() throws Exception {
        try (GroupCommitFile log = new GroupCommitFile(directory.resolve("log"))) {
            for (int i = 1; i <= RECORDS; i++) {
                log.force(record("record " + i));
                assertEquals(i, log.forces());
            }
        }
    }

    @Test
    void everyRecordIsThereOnceAndNoneCostsMoreThanOne() throws Exception {
        ExecutorService callers = Executors.newFixedThreadPool(CALLERS);
        Path file = directory.resolve("log");
        try (GroupCommitFile log = new GroupCommitFile(file)) {
            List<Future<?>> running = new ArrayList<>();
            for (int caller = 0; caller < CALLERS; caller++) {
                String name = "caller " + caller + " record ";
                running.add(callers.submit(() -> {
                    for (int i = 0; i < RECORDS; i++) {
                        log.force(record(name + i));
                    }
                    return null;
                }));
            }
            for (Future<?> each : running) {
                each.get();
            }
            assertTrue(log.forces() >= RECORDS && log.forces() <= CALLERS * RECORDS, () -> log.forces() + " forces");
        } finally {
            callers.shutdown();
        }
        List<String> lines = Files.readAllLines(file);
        assertEquals(CALLERS * RECORDS, lines.size());
        assertEquals(CALLERS * RECORDS, new HashSet<>(lines).size());
    }

    @Test
    void afterAFailureNothingIsSaidToBeDurable() throws Exception {
        GroupCommitFile log = new GroupCommitFile(directory.resolve("log"));
        log.close();

        assertThrows(IOException.class, () -> log.force(record("one")));
        assertThrows(IOException.class, () -> log.force(record("two")));
        assertEquals(0, log.forces());
    }

    private static ByteBuffer record(String text) {
        return ByteBuffer.wrap((text + "\n").getBytes(StandardCharsets.US_ASCII));
    }
}
