package io.troth.coordinator.log.rocksdb;

import io.troth.coordinator.log.LogEnvironment;
import io.troth.coordinator.log.LogObserver;
import io.troth.coordinator.log.LogSettings;
import io.troth.coordinator.log.RecordCodec;
import io.troth.coordinator.log.RecordKeys;
import io.troth.coordinator.log.RecordKind;
import io.troth.coordinator.log.RecordingListener;
import io.troth.coordinator.log.Records;
import io.troth.coordinator.log.StoredRecord;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LogRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.rocksdb.Options;
import org.rocksdb.RocksDBException;
import org.rocksdb.SstFileReader;
import org.rocksdb.WriteBatch;

/** Settings, environment and files for tests of the log. */
public final class Logs {

    static final ClusterId CLUSTER = new ClusterId(0x1234_5678_9abc_def0L);

    private static final SecureRandom RANDOM = new SecureRandom();

    private Logs() {}

    public static LogEnvironment environment() {
        return environment(LogObserver.NONE);
    }

    public static LogEnvironment environment(LogObserver observer) {
        return new LogEnvironment(
                System::nanoTime,
                Clock.systemUTC(),
                RANDOM::nextLong,
                task -> {
                    Thread thread = new Thread(task, "log-test");
                    thread.setDaemon(true);
                    return thread;
                },
                observer);
    }

    static LogSettings settings(Path directory) {
        return settings(directory, 1_024);
    }

    public static LogSettings settings(Path directory, int recordsPerBatchMax) {
        return new LogSettings(directory, CLUSTER, recordsPerBatchMax, 20, 30_000, 0);
    }

    static LogSettings settings(Path directory, ClusterId cluster) {
        return new LogSettings(directory, cluster, 1_024, 20, 30_000, 0);
    }

    static RocksDbDecisionLog open(Path directory) {
        return RocksDbDecisionLog.open(settings(directory), environment());
    }

    /** Copies a data directory as a crash of the machine at this moment would leave it, lock and messages aside. */
    public static void copy(Path from, Path to) throws IOException {
        List<Path> files;
        try (Stream<Path> walk = Files.walk(from)) {
            files = walk.toList();
        }
        for (Path file : files) {
            Path target = to.resolve(from.relativize(file).toString());
            if (Files.isDirectory(file)) {
                Files.createDirectories(target);
            } else if (!isLockOrMessages(file.getFileName().toString())) {
                Files.copy(file, target, StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    private static boolean isLockOrMessages(String name) {
        return name.startsWith("LO") || name.equals("in_use.lock");
    }

    /** Keeps a data directory in a file. */
    public static void zip(Path directory, Path target) throws IOException {
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(target));
                Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                zip.putNextEntry(new ZipEntry(directory.relativize(file).toString()));
                Files.copy(file, zip);
            }
        }
    }

    /** The other way round. */
    public static void unzip(Path stored, Path directory) throws IOException {
        try (ZipInputStream zip = new ZipInputStream(Files.newInputStream(stored))) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                Path file = directory.resolve(entry.getName());
                Files.createDirectories(file.getParent());
                Files.copy(zip, file);
            }
        }
    }

    /** The log files of the database, oldest first. */
    static List<Path> walFiles(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory.resolve("log"))) {
            return files.filter(file -> file.toString().endsWith(".log"))
                    .sorted()
                    .toList();
        }
    }

    /** Waits in short steps, at most a minute. */
    static ConditionFactory eventually() {
        return Awaitility.await()
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(1))
                .atMost(Duration.ofSeconds(60));
    }

    static List<Path> filesOf(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.toList();
        }
    }

    /** Changes a text file of the log and gives it the checksum that belongs to it. */
    public static void rewrite(Path file, UnaryOperator<String> change) throws IOException {
        String text = Files.readString(file);
        String changed = change.apply(text.substring(0, text.lastIndexOf("crc32c=")));
        CRC32C crc = new CRC32C();
        crc.update(changed.getBytes(StandardCharsets.UTF_8));
        Files.writeString(file, changed + "crc32c=" + Long.toHexString(crc.getValue()) + "\n");
    }

    /** Makes a log with an EPOCH that was appended by the leader of another epoch: good checksums, and impossible. */
    public static void forgeImpossibleEpoch(Path directory) throws RocksDBException {
        LogSettings settings = new LogSettings(directory, null, 1_024, 20, 30_000, 0);
        try (RocksDbDecisionLog log = RocksDbDecisionLog.open(settings, environment())) {
            log.recover(entry -> {});
            log.start(1, new RecordingListener());
            log.append(new LogRecord.Epoch(new EpochId(1, 1)), true);
        }
        LogRecord epoch = new LogRecord.Epoch(new EpochId(7, 1));
        forge(directory, Family.EPOCH, new StoredRecord(RecordKind.EPOCH, 1, 8, epoch));
    }

    /** Makes a log as a leader leaves it that was killed between a decision and its end. */
    public static GlobalTxId leaveUnended(Path directory) {
        LogSettings settings = new LogSettings(directory, null, 1_024, 20, 30_000, 0);
        LogRecord.Epoch epoch = Records.epoch(1);
        GlobalTxId tx = new GlobalTxId(0, epoch.epoch(), 1, 1);
        try (RocksDbDecisionLog log = RocksDbDecisionLog.open(settings, environment())) {
            log.recover(entry -> {});
            log.start(1, new RecordingListener());
            log.append(epoch, true);
            log.append(Records.commit(tx), true);
        }
        return tx;
    }

    /** Flips a bit in the middle of the newest log file. */
    public static void damage(Path directory) throws IOException {
        List<Path> files = walFiles(directory);
        Path wal = files.get(files.size() - 1);
        byte[] bytes = Files.readAllBytes(wal);
        bytes[bytes.length / 2] ^= 1;
        Files.write(wal, bytes);
    }

    /** Puts a record with a good checksum where it was never written. */
    static void forge(Path directory, Family family, StoredRecord stored) throws RocksDBException {
        byte[] key = stored.record() instanceof LogRecord.Epoch epoch
                ? RecordKeys.epoch(epoch.epoch())
                : RecordKeys.tx(((LogRecord.Commit) stored.record()).tx());
        put(directory, family, key, RecordCodec.encode(key, stored));
    }

    /** Makes an open COMMIT one that the next version of this program has written. */
    static void makeLater(Path directory, GlobalTxId tx) throws RocksDBException {
        byte[] key = RecordKeys.tx(tx);
        byte[] value = RecordCodec.encode(key, new StoredRecord(RecordKind.COMMIT, 1, 1, Records.commit(tx)));
        value[0]++;
        CRC32C crc = new CRC32C();
        crc.update(key);
        crc.update(0);
        crc.update(value, 0, value.length - Integer.BYTES);
        ByteBuffer.wrap(value).putInt(value.length - Integer.BYTES, (int) crc.getValue());
        put(directory, Family.OPEN, key, value);
    }

    /** The table file of a family that was written first. */
    static Path oldestTableOf(Path directory, Family family) throws IOException, RocksDBException {
        for (Path table : OpenLog.files(directory, ".sst")) {
            try (Options options = new Options();
                    SstFileReader reader = new SstFileReader(options)) {
                reader.open(table.toString());
                if (Arrays.equals(reader.getTableProperties().getColumnFamilyName(), family.nameBytes())) {
                    return table;
                }
            }
        }
        throw new IllegalStateException("no table of " + family + " in " + directory);
    }

    private static void put(Path directory, Family family, byte[] key, byte[] value) throws RocksDBException {
        try (RocksStore store = RocksStore.open(OpenLog.database(directory));
                WriteBatch batch = new WriteBatch()) {
            batch.put(store.handle(family), key, value);
            store.write(batch, true);
        }
    }
}
