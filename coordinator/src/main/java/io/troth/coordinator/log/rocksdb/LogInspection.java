package io.troth.coordinator.log.rocksdb;

import io.troth.coordinator.log.DamagedRecordException;
import io.troth.coordinator.log.DirectoryLock;
import io.troth.coordinator.log.Incarnation;
import io.troth.coordinator.log.LogRefusal;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.coordinator.log.LogReport;
import io.troth.coordinator.log.Position;
import io.troth.coordinator.log.RecordCodec;
import io.troth.coordinator.log.RecordKind;
import io.troth.coordinator.log.ReplicatedState;
import io.troth.coordinator.log.StoredRecord;
import io.troth.coordinator.log.Watermark;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.SstFileReader;
import org.rocksdb.SstFileReaderIterator;

/**
 * Reads a data directory that no coordinator has open, and changes nothing in it. A log that opens is read as recovery
 * reads it, and further: every block, every ended COMMIT, every damage. One that is refused is read file by file, as far
 * as its files can be read. One thread, used once.
 */
public final class LogInspection {

    /** Hears of every record. */
    @FunctionalInterface
    public interface Sink {
        /** @param place the family of a log that opens; else the file, with the offset of the write */
        void record(String place, StoredRecord stored);
    }

    /** No report is larger than this, however much is broken. */
    private static final int DAMAGES_MAX = 100;

    private final Path directory;
    private final Sink sink;
    private final Map<RecordKind, Integer> counts = new EnumMap<>(RecordKind.class);
    private final List<String> notes = new ArrayList<>();
    private final List<String> damages = new ArrayList<>();
    private long highestEpoch;
    /** The store has given all there is: its files are looked at for what is wrong with them only. */
    private boolean heardAll;

    private @Nullable Incarnation incarnation;
    private @Nullable Watermark lastBatch;
    private @Nullable Position applied;

    private LogInspection(Path directory, Sink sink) {
        this.directory = directory;
        this.sink = sink;
    }

    /**
     * Inspects a data directory.
     *
     * @param scratch an empty directory elsewhere, for what RocksDB wants to write
     * @throws LogRefusedException {@link LogRefusal#IN_USE} or {@link LogRefusal#UNUSABLE}: there was nothing to inspect
     */
    public static LogReport inspect(Path directory, Path scratch, Sink sink) {
        LogInspection inspection = new LogInspection(directory, sink);
        try {
            inspection.inspect(scratch);
        } catch (IOException e) {
            throw new LogRefusedException(LogRefusal.UNUSABLE, directory, e.toString(), e);
        }
        return inspection.report();
    }

    private LogReport report() {
        return new LogReport(incarnation, lastBatch, applied, highestEpoch, counts, notes, damages);
    }

    private void inspect(Path scratch) throws IOException {
        if (!Files.isDirectory(directory)) {
            throw new LogRefusedException(LogRefusal.UNUSABLE, directory, "there is no such directory");
        }
        try (OpenLog log = OpenLog.openReadOnly(directory, scratch)) {
            readOpened(log);
            if (heardAll) {
                readWals();
            } else {
                readFiles();
            }
        } catch (LogRefusedException e) {
            if (e.refusal() == LogRefusal.IN_USE || e.refusal() == LogRefusal.UNUSABLE) {
                throw e;
            }
            damage(e.getMessage());
            DirectoryLock lock = DirectoryLock.shared(directory);
            try {
                readFiles();
            } finally {
                lock.close();
            }
        }
    }

    private void readOpened(OpenLog log) {
        incarnation = log.incarnation();
        lastBatch = log.lastBatch();
        ReplicatedState replicated = log.replicated();
        applied = replicated == null ? null : replicated.position();
        LogReader reader = new LogReader(log, damage -> damage(damage.getMessage()));
        try {
            reader.replayHead(stored -> heard("control", stored));
            reader.replayOpen(stored -> heard(Family.OPEN.toString(), stored));
            reader.replayEnded(stored -> heard(Family.ENDED.toString(), stored));
            heardAll = true;
        } catch (LogRefusedException e) {
            damage(e.getMessage());
        }
        highestEpoch = reader.highestEpoch();
        try {
            log.store().verifyChecksums();
        } catch (RocksDBException e) {
            damage(OpenLog.damaged(directory, e).getMessage());
        }
    }

    /** What can be read without the store: each file by itself. */
    private void readFiles() throws IOException {
        try {
            incarnation = Incarnation.read(directory);
        } catch (LogRefusedException e) {
            notes.add(e.getMessage());
        }
        for (Path table : files(".sst")) {
            readTable(table);
        }
        readWals();
    }

    private void readTable(Path table) {
        String name = table.getFileName().toString();
        try (Options options = new Options();
                ReadOptions read = new ReadOptions();
                SstFileReader reader = new SstFileReader(options)) {
            reader.open(table.toString());
            byte[] family = reader.getTableProperties().getColumnFamilyName();
            if (Family.META.toString().equals(new String(family, StandardCharsets.US_ASCII))) {
                return;
            }
            try (SstFileReaderIterator iterator = reader.newIterator(read)) {
                for (iterator.seekToFirst(); iterator.isValid(); iterator.next()) {
                    decode(name, iterator.key(), iterator.value());
                }
                iterator.status();
            }
        } catch (RocksDBException e) {
            damage("log/" + name + ": " + e.getMessage());
        }
    }

    private void readWals() throws IOException {
        for (Path file : files(".log")) {
            String name = file.getFileName().toString();
            long torn = WalFile.read(file, new WalFile.Sink() {
                @Override
                public void put(long offset, int family, byte[] key, byte[] value) {
                    if (family != 0) {
                        decode(name + " at byte " + offset, key, value);
                    }
                }

                @Override
                public void damage(long offset, String what) {
                    LogInspection.this.damage("log/" + name + " at byte " + offset + ": " + what);
                }
            });
            if (torn >= 0) {
                notes.add("log/" + name + " at byte " + torn
                        + ": a last write that was never finished; recovery leaves it out");
            }
        }
    }

    private void decode(String place, byte[] key, byte[] value) {
        StoredRecord stored;
        try {
            stored = RecordCodec.decode(key, value);
        } catch (DamagedRecordException e) {
            damage("log/" + place + ", key " + HexFormat.of().formatHex(key) + ": " + e.getMessage());
            return;
        }
        if (!heardAll) {
            highestEpoch = Math.max(highestEpoch, stored.epochNumber());
            heard(place, stored);
        }
    }

    private void heard(String place, StoredRecord stored) {
        counts.merge(stored.kind(), 1, Integer::sum);
        sink.record(place, stored);
    }

    private void damage(@Nullable String what) {
        if (damages.stream().anyMatch(known -> known.contains(String.valueOf(what)))) {
            return;
        }
        if (damages.size() < DAMAGES_MAX) {
            damages.add(String.valueOf(what));
        } else if (damages.size() == DAMAGES_MAX) {
            damages.add("and more; these are the first " + DAMAGES_MAX);
        }
    }

    private List<Path> files(String end) throws IOException {
        return Files.isDirectory(OpenLog.database(directory)) ? OpenLog.files(directory, end) : List.of();
    }
}
