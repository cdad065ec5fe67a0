package io.troth.coordinator.log.rocksdb;

import static io.troth.coordinator.log.Records.epoch;
import static io.troth.coordinator.log.Records.epochId;
import static io.troth.coordinator.log.Records.tx;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.engine.Recovered;
import io.troth.coordinator.log.Incarnation;
import io.troth.coordinator.log.LogRefusal;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.coordinator.log.LogReport;
import io.troth.coordinator.log.RecordKind;
import io.troth.coordinator.log.RecordingListener;
import io.troth.coordinator.log.Records;
import io.troth.coordinator.log.StoredRecord;
import io.troth.coordinator.log.Watermark;
import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.coordinator.Action;
import io.troth.core.coordinator.AgentHello;
import io.troth.core.coordinator.CoordinatorLimits;
import io.troth.core.coordinator.CoordinatorStateMachine;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import io.troth.core.coordinator.Notice;
import io.troth.core.coordinator.StreamId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: nothing that was acknowledged is silently missing (pitfall 15). Method: a log of one EPOCH and four COMMITs, each
 * its own forced write, is copied as a crash leaves it; then its files are cut, flipped, deleted and swapped, and it is
 * opened with the settings of production.
 */
class DamagedLogTest {

    private static final int COMMITS = 4;
    private static final int WRITES = 1 + COMMITS;
    private static final int HEADER_BYTES = 7;

    @TempDir
    Path temp;

    private Path crashed;
    private Path stopped;
    private byte[] wal;

    /** Where in the log file each write ends. */
    private final List<Integer> ends = new ArrayList<>();

    @BeforeEach
    void crash() throws IOException {
        stopped = temp.resolve("stopped");
        crashed = temp.resolve("crashed");
        try (RocksDbDecisionLog log = Logs.open(stopped)) {
            RecordingListener heard = new RecordingListener();
            log.recover(entry -> {});
            log.start(1, heard);
            force(log, heard, epoch(1));
            for (int sequence = 1; sequence <= COMMITS; sequence++) {
                force(log, heard, commit(sequence));
            }
            Logs.copy(stopped, crashed);
        }
        wal = Files.readAllBytes(wal(crashed));
    }

    private void force(RocksDbDecisionLog log, RecordingListener heard, LogRecord record) throws IOException {
        log.append(record, true);
        Logs.eventually().until(() -> heard.records().contains(record));
        ends.add((int) Files.size(wal(stopped)));
    }

    private static LogRecord commit(long sequence) {
        return new LogRecord.Commit(
                tx(1, 1, sequence), List.of(new LogRecord.YesBranch(new BranchId(7, sequence), "accounts", null)));
    }

    private static Path wal(Path directory) throws IOException {
        List<Path> files = Logs.walFiles(directory);
        return files.get(files.size() - 1);
    }

    /** The number of the last batch, as recovery sees it; changes nothing in the directory. */
    private long lastBatch() throws IOException {
        try (OpenLog log = OpenLog.openReadOnly(crashed, Files.createDirectories(temp.resolve("scratch")))) {
            List<LogEntry> replayed = new ArrayList<>();
            new LogReader(log).replay(replayed::add);
            assertEquals(log.lastBatch().batch(), replayed.size());
            return replayed.size();
        }
    }

    private LogRefusedException refused(LogRefusal refusal) {
        LogRefusedException refused = assertThrows(LogRefusedException.class, () -> Logs.open(crashed));
        assertEquals(refusal, refused.refusal(), refused.getMessage());
        assertTrue(refused.getMessage().endsWith(refusal.advice()), refused.getMessage());
        return refused;
    }

    private LogReport inspect(List<StoredRecord> found) throws IOException {
        Path scratch = Files.createDirectories(temp.resolve("scratch"));
        return LogInspection.inspect(crashed, scratch, (place, stored) -> found.add(stored));
    }

    @Test
    void tornTailIsLeftOutWhereverTheFileIsCut() throws IOException {
        for (int cut = ends.get(WRITES - 4); cut <= wal.length; cut++) {
            Files.write(wal(crashed), Arrays.copyOf(wal, cut));
            int end = cut;
            assertEquals(ends.stream().filter(each -> each <= end).count(), lastBatch(), "cut at byte " + cut);
        }
    }

    @Test
    void goesOnAfterATornTail() throws IOException {
        Files.write(wal(crashed), Arrays.copyOf(wal, wal.length - 3));
        LogReport report = inspect(new ArrayList<>());
        assertTrue(report.isGood(), report.toString());
        assertTrue(report.notes().get(0).contains("at byte " + ends.get(WRITES - 2)), report.toString());
        try (RocksDbDecisionLog log = Logs.open(crashed)) {
            RecordingListener heard = new RecordingListener();
            assertEquals(new Recovered(1, WRITES - 1), log.recover(entry -> {}));
            log.start(2, heard);
            log.append(epoch(2), true);
            Logs.eventually().until(() -> heard.durableBatch() == WRITES);
        }
    }

    @Test
    void aFlippedBitIsRefusedAndNeverHidesARecord() throws IOException {
        SplittableRandom random = new SplittableRandom(4711);
        int refused = 0;
        for (int at = 0; at < wal.length; at += isHeader(at + 1) ? 1 : 3) {
            for (int bit : isHeader(at) ? new int[] {0, 1, 2, 3, 4, 5, 6, 7} : new int[] {random.nextInt(8)}) {
                byte[] bad = wal.clone();
                bad[at] ^= (byte) (1 << bit);
                Files.write(wal(crashed), bad);
                try {
                    assertEquals(WRITES, lastBatch(), "bit " + bit + " of byte " + at + " hides records");
                } catch (LogRefusedException e) {
                    refused++;
                }
            }
        }
        assertTrue(refused > wal.length / 4, "refused " + refused);
    }

    private boolean isHeader(int at) {
        return at < HEADER_BYTES || ends.stream().anyMatch(end -> at >= end && at < end + HEADER_BYTES);
    }

    @Test
    void saysWhereTheDamageIsAndReadsOnBehindIt() throws IOException {
        byte[] bad = wal.clone();
        bad[ends.get(1) + 40] ^= 1;
        Files.write(wal(crashed), bad);
        String where = "log/" + wal(crashed).getFileName() + " at byte " + ends.get(1);
        assertTrue(refused(LogRefusal.DAMAGED).getMessage().contains(where));
        List<StoredRecord> found = new ArrayList<>();
        LogReport report = inspect(found);
        assertFalse(report.isGood());
        assertTrue(report.damages().get(0).contains(where), report.toString());
        assertEquals(1, report.damages().size(), report.toString());
        assertEquals(
                List.of(epoch(1), commit(1), commit(3), commit(4)),
                found.stream().map(StoredRecord::record).toList());
    }

    private void damageTableOfOpen() throws Exception {
        try (RocksStore store = RocksStore.open(OpenLog.database(crashed))) {
            store.flush();
        }
        Path table = Logs.oldestTableOf(crashed, Family.OPEN);
        byte[] bad = Files.readAllBytes(table);
        bad[10] ^= 1;
        Files.write(table, bad);
    }

    /** What reads it just ends there, as if no COMMIT were open. */
    @Test
    void nobodyLeadsOnADamagedTable() throws Exception {
        damageTableOfOpen();
        List<LogEntry> replayed = new ArrayList<>();
        LogRefusedException refused = assertThrows(LogRefusedException.class, () -> {
            try (RocksDbDecisionLog log = Logs.open(crashed)) {
                log.recover(replayed::add);
            }
        });
        assertEquals(LogRefusal.DAMAGED, refused.refusal());
        assertEquals(1, replayed.size(), "the EPOCH, and no part of the COMMITs");
    }

    @Test
    void readsOnBehindADamagedTable() throws Exception {
        try (RocksDbDecisionLog log = Logs.open(crashed)) {
            RecordingListener heard = new RecordingListener();
            log.recover(entry -> {});
            log.start(2, heard);
            log.append(epoch(2), true);
            log.append(new LogRecord.End(tx(1, 1, 1)), false);
            Logs.eventually().until(() -> heard.records().size() == 2);
        }
        damageTableOfOpen();
        List<StoredRecord> found = new ArrayList<>();
        LogReport report = inspect(found);
        assertTrue(report.damages().toString().contains("checksum"), report.toString());
        assertEquals(2, report.highestEpoch());
        assertEquals(
                Set.of(RecordKind.EPOCH, RecordKind.END),
                found.stream().map(StoredRecord::kind).collect(Collectors.toSet()),
                report.toString());
    }

    @Test
    void inspectionChangesNoFile() throws IOException {
        Map<String, Long> before = checksums();
        assertTrue(inspect(new ArrayList<>()).isGood());
        assertEquals(before, checksums());
        Files.write(wal(crashed), Arrays.copyOf(wal, 200));
        before = checksums();
        inspect(new ArrayList<>());
        assertEquals(before, checksums());
    }

    private Map<String, Long> checksums() throws IOException {
        Map<String, Long> sums = new TreeMap<>();
        try (Stream<Path> files = Files.walk(crashed)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
                crc.update(Files.readAllBytes(file));
                sums.put(crashed.relativize(file).toString(), crc.getValue());
            }
        }
        return sums;
    }

    @Test
    void aCutExactlyBetweenTwoRecordsIsNoticedByTheAgentsThatHeardOfMore() throws IOException {
        Files.write(wal(crashed), Arrays.copyOf(wal, ends.get(WRITES - 2)));
        CoordinatorStateMachine machine = new CoordinatorStateMachine(0, CoordinatorLimits.DEFAULTS);
        try (RocksDbDecisionLog log = Logs.open(crashed)) {
            Recovered recovered = log.recover(machine::apply);
            assertEquals(WRITES - 1, recovered.durableBatch(), "the log itself notices nothing");
            EpochId own = epochId(2);
            machine.step(new Event.LeadershipStarted(own, recovered.durableBatch()));
            machine.apply(new LogEntry(2, new LogRecord.Epoch(own)));
        }
        assertTrue(machine.view().ready());
        List<Action> actions = machine.step(new Event.AgentConnected(new StreamId(1), helloThatHeard(WRITES)));
        assertTrue(machine.view().distrusted());
        assertTrue(actions.stream().anyMatch(DamagedLogTest::isDistrustAlarm), actions.toString());
    }

    private static AgentHello helloThatHeard(long batch) {
        return new AgentHello(
                7,
                epochId(1),
                batch,
                List.of(new AgentHello.AgentResource("accounts", "postgresql", "db", "role", null)));
    }

    private static boolean isDistrustAlarm(Action action) {
        return action instanceof Action.Notify notify
                && notify.notice() instanceof Notice.Alarm alarm
                && alarm.reason().code() == ErrorCode.LOG_DISTRUSTED;
    }

    @Test
    void aCutAfterAnOrderlyStopIsNoticedByTheWatermark() throws IOException {
        assertEquals(new Watermark(WRITES, 1), Watermark.read(stopped));
        Files.copy(
                stopped.resolve("WATERMARK"),
                crashed.resolve("WATERMARK"),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        Files.write(wal(crashed), Arrays.copyOf(wal, ends.get(WRITES - 2)));
        assertTrue(refused(LogRefusal.TAIL_LOST)
                .getMessage()
                .contains("ends with batch " + (WRITES - 1) + ", but batch " + WRITES));
    }

    /** Between two writes of it the log would be one that starts, and takes what it has lost for rolled back. */
    @Test
    void aRestoreIsOneWrite() throws IOException {
        LogRestore.restore(Logs.settings(crashed, 1), Logs.environment(), 0);
        List<StoredRecord> found = new ArrayList<>();
        assertTrue(inspect(found).isGood());
        Map<RecordKind, Long> batches = found.stream()
                .filter(stored -> stored.batch() > WRITES)
                .collect(Collectors.toMap(StoredRecord::kind, StoredRecord::batch));
        assertEquals(Map.of(RecordKind.EPOCH, WRITES + 1L, RecordKind.DISTRUST, WRITES + 1L), batches);
    }

    /** Every epoch that the log knows is distrusted, whatever an operator asks for (protocol 10.5). */
    @Test
    void aRestoreDistrustsNoLessThanTheLogKnows() throws IOException {
        LogRestore.restore(Logs.settings(crashed), Logs.environment(), 50);
        LogRestore.Restored second = LogRestore.restore(Logs.settings(crashed), Logs.environment(), 3);
        assertEquals(50, second.highestEpoch());
        assertEquals(50, second.distrusted());
    }

    /** A backup that is copied over what is there, and not into its place, leaves files of both. */
    @Test
    void anOlderCopyLaidOverANewerLogIsNoticed() throws IOException {
        for (long number = 2; number <= 3; number++) {
            try (RocksDbDecisionLog log = Logs.open(stopped)) {
                RecordingListener heard = new RecordingListener();
                log.recover(entry -> {});
                log.start(number, heard);
                log.append(epoch(number), true);
                log.append(Records.commit(tx(number, 1, 1)), true);
                Logs.eventually().until(() -> heard.records().size() == 2);
            }
        }
        Logs.copy(crashed, stopped);
        Logs.copy(stopped, crashed);
        String missing = "batch " + (WRITES + 1) + " is missing, and batch ";
        LogReport report = inspect(new ArrayList<>());
        assertTrue(report.damages().toString().contains(missing), report.toString());
        assertTrue(refused(LogRefusal.DAMAGED).getMessage().contains(missing));
    }

    @Test
    void aMissingLogFileIsNoticed() throws IOException {
        Files.delete(wal(crashed));
        assertThrows(LogRefusedException.class, () -> Logs.open(crashed));
    }

    @Test
    void aMissingOrEmptiedDatabaseIsNeverMadeAnew() throws IOException {
        for (Path file : Logs.filesOf(crashed.resolve("log"))) {
            Files.delete(file);
        }
        refused(LogRefusal.DATABASE_MISSING);
        Files.delete(crashed.resolve("log"));
        refused(LogRefusal.DATABASE_MISSING);
        assertFalse(Files.exists(crashed.resolve("log")));
    }

    @Test
    void aFreshDatabaseInThePlaceOfTheRightOneIsRefused() throws IOException {
        Path other = temp.resolve("other");
        Logs.open(other).close();
        for (Path file : Logs.filesOf(crashed.resolve("log"))) {
            Files.delete(file);
        }
        Logs.copy(other.resolve("log"), crashed.resolve("log"));
        refused(LogRefusal.INCARNATION_DIFFERS);
    }

    @Test
    void theIncarnationFileMustBeThereAndWhole() throws IOException {
        Path file = crashed.resolve("INCARNATION");
        byte[] good = Files.readAllBytes(file);
        for (int at = 0; at < good.length; at += 5) {
            byte[] bad = good.clone();
            bad[at] ^= 4;
            Files.write(file, bad);
            refused(LogRefusal.INCARNATION_UNREADABLE);
        }
        Files.delete(file);
        refused(LogRefusal.INCARNATION_MISSING);
    }

    @Test
    void aLogOfAnotherClusterOrFormatIsRefused() throws IOException {
        LogRefusedException foreign = assertThrows(
                LogRefusedException.class,
                () -> RocksDbDecisionLog.open(Logs.settings(crashed, new ClusterId(0xabcL)), Logs.environment()));
        assertEquals(LogRefusal.FOREIGN_CLUSTER, foreign.refusal());
        assertTrue(foreign.getMessage().contains("belongs to cluster " + Logs.CLUSTER), foreign.getMessage());
        assertTrue(foreign.getMessage().contains("configured is cluster 0000000000000abc"), foreign.getMessage());
        assertEquals(Logs.CLUSTER, Incarnation.read(crashed).cluster());
        Logs.rewrite(crashed.resolve("INCARNATION"), text -> text.replace("format=1", "format=2"));
        assertTrue(refused(LogRefusal.FORMAT_UNKNOWN).getMessage().contains("format 2"));
    }

    @Test
    void aRecordWhereItCannotBeIsRefused() throws Exception {
        LogRecord.Commit commit = (LogRecord.Commit) commit(9);
        forged(Family.OPEN, new StoredRecord(RecordKind.COMMIT, 1, 2, commit), "record fence");
        forged(
                Family.OPEN,
                new StoredRecord(RecordKind.COMMIT, 99, 1, commit),
                "batch 99 although the last batch is 5");
        forged(Family.CONTROL, new StoredRecord(RecordKind.COMMIT, 1, 1, commit), "a record of kind COMMIT");
        LogRecord.Commit unknown =
                new LogRecord.Commit(new io.troth.core.GlobalTxId(0, new EpochId(1, 5), 1, 1), commit.branches());
        forged(Family.OPEN, new StoredRecord(RecordKind.COMMIT, 1, 1, unknown), "without the EPOCH record");
        LogRecord.Epoch again = new LogRecord.Epoch(new EpochId(1, -1));
        forged(Family.EPOCH, new StoredRecord(RecordKind.EPOCH, 1, 1, again), "after epoch 1");
    }

    @Test
    void aRecordOfALaterVersionIsRefusedAsSuch() throws Exception {
        Logs.makeLater(crashed, ((LogRecord.Commit) commit(9)).tx());
        try (RocksDbDecisionLog log = Logs.open(crashed)) {
            LogRefusedException refused = assertThrows(LogRefusedException.class, () -> log.recover(entry -> {}));
            assertEquals(LogRefusal.FORMAT_UNKNOWN, refused.refusal(), refused::getMessage);
            assertTrue(refused.getMessage().contains("a record of version 2"), refused.getMessage());
        }
    }

    private void forged(Family family, StoredRecord record, String message) throws Exception {
        Path forged = temp.resolve("forged" + message.length());
        Logs.copy(crashed, forged);
        Logs.forge(forged, family, record);
        try (RocksDbDecisionLog log = Logs.open(forged)) {
            LogRefusedException refused = assertThrows(LogRefusedException.class, () -> log.recover(entry -> {}));
            assertEquals(LogRefusal.DAMAGED, refused.refusal());
            assertTrue(refused.getMessage().contains(message), refused.getMessage());
        }
    }
}
