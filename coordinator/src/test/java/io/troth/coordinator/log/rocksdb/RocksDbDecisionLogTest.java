package io.troth.coordinator.log.rocksdb;

import static io.troth.coordinator.log.rocksdb.FaultyWriter.Fault;

import io.troth.coordinator.engine.DecisionLog;
import io.troth.coordinator.log.DecisionLogContract;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.io.TempDir;

/**
 * The contract on real files. A crash is a copy of the files as they are; a crash of the machine also cuts the log file
 * back to its length at the last forced write.
 */
class RocksDbDecisionLogTest extends DecisionLogContract {

    @TempDir
    Path temp;

    private FaultyWriter writer;
    private int process;
    private long forcedLength;

    int recordsPerBatchMax() {
        return 1_024;
    }

    private Path directory() {
        return temp.resolve("process" + process);
    }

    @Override
    protected DecisionLog open() {
        return RocksDbDecisionLog.open(
                Logs.settings(directory(), recordsPerBatchMax()),
                Logs.environment(this::written),
                store -> {
                    writer = new FaultyWriter(store);
                    return writer;
                },
                () -> Long.MAX_VALUE);
    }

    private void written(int records, boolean forced, long nanos) {
        if (forced) {
            try {
                forcedLength = Files.size(newestWal(directory()));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static Path newestWal(Path directory) throws IOException {
        var files = Logs.walFiles(directory);
        return files.get(files.size() - 1);
    }

    @Override
    protected void crash(boolean losesUnforced) {
        try {
            Path before = directory();
            process++;
            Logs.copy(before, directory());
            if (losesUnforced) {
                try (FileChannel wal = FileChannel.open(newestWal(directory()), StandardOpenOption.WRITE)) {
                    wal.truncate(forcedLength);
                }
            }
            log.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The log writes by itself: only what waits for the idle time is waited for, by the contract. */
    @Override
    protected void settle() {}

    @Override
    protected void failNextForcedWrite(boolean recordsSurvive) {
        writer.next(recordsSurvive ? Fault.FAILS_WRITTEN : Fault.FAILS_UNWRITTEN);
    }
}
