package io.troth.coordinator.log.rocksdb;

import static io.troth.coordinator.log.Records.commit;
import static io.troth.coordinator.log.Records.end;
import static io.troth.coordinator.log.Records.epoch;
import static io.troth.coordinator.log.Records.heuristic;
import static io.troth.coordinator.log.Records.horizon;
import static io.troth.coordinator.log.Records.tx;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.engine.Recovered;
import io.troth.coordinator.log.RecordingListener;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: a log that an earlier version wrote is read by every later one. Method: {@code stored-logs/format-1.zip} is a data
 * directory as version 0.1 left it, killed and not stopped; it is never made anew. A new format gets a file of its own:
 * {@code -Dtroth.rewrite=true} makes it while there is none.
 */
class StoredFormatTest {

    private static final Path STORED = Path.of("src", "test", "resources", "stored-logs", "format-1.zip");
    private static final Set<LogRecord> ENDED = Set.of(commit(tx(1, 2, 1)));

    @TempDir
    Path temp;

    @Test
    void theLogOfFormat1IsStillReadWhole() throws IOException {
        Path data = temp.resolve("data");
        if (!Files.exists(STORED) && Boolean.getBoolean("troth.rewrite")) {
            store();
        }
        unzip(data);
        List<LogEntry> replayed = new ArrayList<>();
        try (RocksDbDecisionLog log = Logs.open(data)) {
            assertEquals(new Recovered(Logs.CLUSTER, 41, 11), log.recover(replayed::add));
            assertEquals(
                    List.of(
                            new LogEntry(1, epoch(1)),
                            new LogEntry(2, epoch(2)),
                            new LogEntry(2, new LogRecord.Distrust(41)),
                            new LogEntry(2, horizon(1, 1)),
                            new LogEntry(2, heuristic(tx(1, 1, 2))),
                            new LogEntry(1, commit(tx(1, 1, 2))),
                            new LogEntry(2, commit(tx(2, 1, 1)))),
                    replayed);
            for (LogRecord ended : ENDED) {
                assertEquals(ended, log.find(((LogRecord.Commit) ended).tx()));
            }
            RecordingListener heard = new RecordingListener();
            log.start(42, heard);
            log.append(epoch(42), true);
            Logs.eventually().until(() -> heard.entries().size() == 1);
        }
        assertTrue(LogInspection.inspect(data, Files.createDirectories(temp.resolve("scratch")), (place, stored) -> {})
                .isGood());
    }

    private void store() throws IOException {
        Path alive = temp.resolve("alive");
        append(
                alive,
                1,
                List.of(commit(tx(1, 1, 1)), commit(tx(1, 1, 2)), commit(tx(1, 2, 1)), end(tx(1, 1, 1))),
                null);
        Path killed = temp.resolve("killed");
        append(
                alive,
                2,
                List.of(
                        end(tx(1, 2, 1)),
                        commit(tx(2, 1, 1)),
                        heuristic(tx(1, 1, 2)),
                        horizon(1, 1),
                        new LogRecord.Distrust(41)),
                killed);
        Files.createDirectories(STORED.getParent());
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(STORED));
                var files = Files.walk(killed)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                zip.putNextEntry(new ZipEntry(killed.relativize(file).toString()));
                Files.copy(file, zip);
            }
        }
    }

    /** Each record in a batch of its own; then the process is killed, when a place for what it leaves is given. */
    private static void append(Path directory, long epoch, List<LogRecord> records, Path killed) throws IOException {
        try (RocksDbDecisionLog log = RocksDbDecisionLog.open(Logs.settings(directory, 1), Logs.environment())) {
            RecordingListener heard = new RecordingListener();
            log.recover(entry -> {});
            log.start(epoch, heard);
            log.append(epoch(epoch), true);
            for (LogRecord record : records) {
                log.append(record, !(record instanceof LogRecord.End) && !(record instanceof LogRecord.Horizon));
            }
            Logs.eventually().until(() -> heard.entries().size() == 1 + records.size());
            if (killed != null) {
                Logs.copy(directory, killed);
            }
        }
    }

    private static void unzip(Path directory) throws IOException {
        try (InputStream stored = Files.newInputStream(STORED);
                ZipInputStream zip = new ZipInputStream(stored)) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                Path file = directory.resolve(entry.getName());
                Files.createDirectories(file.getParent());
                Files.copy(zip, file);
            }
        }
    }
}
