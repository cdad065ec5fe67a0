package io.troth.coordinator.log.rocksdb;

import static io.troth.coordinator.log.Records.commit;
import static io.troth.coordinator.log.Records.end;
import static io.troth.coordinator.log.Records.epoch;
import static io.troth.coordinator.log.Records.tx;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.troth.core.coordinator.LogRecord;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: what recovery need not read any more never hides a COMMIT without END (protocol 9.4). Method: compactions, which a
 * running log makes after very many ENDs only, between COMMITs of every age.
 */
class RecordWriterTest {

    @TempDir
    Path temp;

    private OpenLog log;
    private RecordWriter writer;

    @BeforeEach
    void open() throws Exception {
        log = OpenLog.open(Logs.settings(temp.resolve("data")), Logs.environment());
        writer = new RecordWriter(log.store(), log.store(), 1, 0, new byte[0]);
        writer.write(List.of(epoch(1)), true);
    }

    @AfterEach
    void close() {
        writer.close();
        log.close();
    }

    private List<LogRecord> recovered() {
        log.close();
        log = OpenLog.open(Logs.settings(temp.resolve("data")), Logs.environment());
        List<LogRecord> records = new ArrayList<>();
        new LogReader(log).replay(entry -> records.add(entry.record()));
        return records;
    }

    @Test
    void aCompactionHidesNoCommitOfAnEarlierEpochThatHasNotEnded() throws Exception {
        writer.write(List.of(commit(tx(1, 1, 1)), commit(tx(1, 1, 2))), true);
        writer.leads(2, null);
        writer.write(List.of(epoch(2), commit(tx(2, 1, 1)), end(tx(1, 1, 1)), end(tx(2, 1, 1))), true);
        writer.compact();
        assertEquals(List.of(epoch(1), epoch(2), commit(tx(1, 1, 2))), recovered());
    }

    @Test
    void aCompactionHidesNoCommitOfAnEarlierSessionThatComesAfterIt() throws Exception {
        writer.write(List.of(commit(tx(1, 5, 1))), true);
        writer.compact();
        writer.write(List.of(commit(tx(1, 3, 1))), true);
        assertEquals(List.of(epoch(1), commit(tx(1, 3, 1)), commit(tx(1, 5, 1))), recovered());
    }

    @Test
    void aCompactionWhileNothingIsOpenHidesNoCommitThatComesAfterIt() throws Exception {
        writer.write(List.of(commit(tx(1, 1, 1)), end(tx(1, 1, 1))), true);
        writer.compact();
        writer.write(List.of(commit(tx(1, 1, 2))), true);
        assertEquals(List.of(epoch(1), commit(tx(1, 1, 2))), recovered());
    }
}
