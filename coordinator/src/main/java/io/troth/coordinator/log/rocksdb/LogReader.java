package io.troth.coordinator.log.rocksdb;

import io.troth.coordinator.log.AppliedHorizon;
import io.troth.coordinator.log.DamagedRecordException;
import io.troth.coordinator.log.LaterFormatException;
import io.troth.coordinator.log.LogRefusal;
import io.troth.coordinator.log.LogRefusedException;
import io.troth.coordinator.log.Meta;
import io.troth.coordinator.log.RecordCodec;
import io.troth.coordinator.log.RecordKeys;
import io.troth.coordinator.log.RecordKind;
import io.troth.coordinator.log.SharedValues;
import io.troth.coordinator.log.StoredRecord;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;

/**
 * Reads a log as recovery does and checks what it reads: every checksum, that no record is newer than the last batch,
 * that every COMMIT belongs to its entry's epoch and that epoch has its EPOCH record. One thread.
 */
final class LogReader {

    private final OpenLog log;
    private final Consumer<LogRefusedException> damages;
    private final SharedValues shared = new SharedValues();
    private final Set<EpochId> epochs = new HashSet<>();
    private long highestEpoch;
    private LogRecord.@Nullable Horizon horizon;

    /** For recovery: the first damage ends it. */
    LogReader(OpenLog log) {
        this(log, damage -> {
            throw damage;
        });
    }

    /** For an inspection: {@code damages} hears of each damaged record, which is then passed over. */
    LogReader(OpenLog log, Consumer<LogRefusedException> damages) {
        this.log = log;
        this.damages = damages;
    }

    /**
     * Hands over EPOCHs, DISTRUSTs, HORIZONs, HEURISTICs and open COMMITs, in this order.
     *
     * @throws LogRefusedException when something is damaged
     */
    void replay(Consumer<LogEntry> applier) {
        replayHead(stored -> applier.accept(stored.entry()));
        scan(Family.OPEN, lowWater(), stored -> applier.accept(stored.entry()));
    }

    /** Hands over everything but COMMITs: EPOCHs, DISTRUSTs, HORIZONs, HEURISTICs. */
    void replayHead(Consumer<StoredRecord> consumer) {
        scan(Family.EPOCH, null, stored -> {
            epochRead(stored);
            consumer.accept(stored);
        });
        Map<RecordKind, List<StoredRecord>> control = new EnumMap<>(RecordKind.class);
        scan(Family.CONTROL, null, stored -> {
            controlRead(stored);
            control.computeIfAbsent(stored.kind(), kind -> new ArrayList<>()).add(stored);
        });
        for (RecordKind kind : List.of(RecordKind.DISTRUST, RecordKind.HORIZON, RecordKind.HEURISTIC)) {
            control.getOrDefault(kind, List.of()).forEach(consumer);
        }
    }

    /** Hands over the COMMITs that have ended, as records of kind END. */
    void replayEnded(Consumer<StoredRecord> consumer) {
        scan(Family.ENDED, null, consumer);
    }

    /** Hands over every COMMIT without END, from the very first key on. */
    void replayOpen(Consumer<StoredRecord> consumer) {
        scan(Family.OPEN, null, consumer);
    }

    /**
     * Looks whether the files that hold the COMMITs without END can be read, with no look at what is in them: in a small
     * part of the time that {@link #replay} takes.
     *
     * @throws LogRefusedException when something is damaged
     */
    void verifyOpen() {
        try {
            log.store().verifyChecksums(Family.OPEN);
        } catch (RocksDBException e) {
            throw OpenLog.damaged(log.directory(), e);
        }
    }

    /**
     * Reads all of a log, and every block of its files.
     *
     * @return who has read it
     * @throws LogRefusedException when something is damaged
     */
    static LogReader verified(OpenLog log) {
        LogReader reader = new LogReader(log);
        reader.replayHead(stored -> {});
        reader.replayOpen(stored -> {});
        reader.replayEnded(stored -> {});
        try {
            log.store().verifyChecksums();
        } catch (RocksDBException e) {
            throw OpenLog.damaged(log.directory(), e);
        }
        return reader;
    }

    /** The highest epoch number that was read, of EPOCH and DISTRUST records. */
    long highestEpoch() {
        return highestEpoch;
    }

    /** The highest HORIZON that was read, or null. */
    LogRecord.@Nullable Horizon horizon() {
        return horizon;
    }

    /** The key under which no open COMMIT lies; empty when there is none. */
    byte[] lowWater() {
        try {
            byte[] value = log.store().get(Family.META, Meta.LOW_WATER);
            return value == null ? new byte[0] : Meta.lowWaterKey(value);
        } catch (RocksDBException e) {
            throw OpenLog.damaged(log.directory(), e);
        } catch (DamagedRecordException e) {
            throw damaged(Family.META, Meta.LOW_WATER, e.getMessage());
        }
    }

    private void scan(Family family, byte @Nullable [] from, Consumer<StoredRecord> consumer) {
        try {
            log.store().scan(family, from, null, (key, value) -> {
                StoredRecord stored;
                try {
                    stored = read(family, key, value);
                } catch (LogRefusedException e) {
                    damages.accept(e);
                    return;
                }
                consumer.accept(stored);
            });
        } catch (RocksDBException e) {
            throw OpenLog.damaged(log.directory(), e);
        }
    }

    private StoredRecord read(Family family, byte[] key, byte[] value) {
        StoredRecord stored;
        try {
            stored = RecordCodec.decode(key, value, shared);
        } catch (LaterFormatException e) {
            throw refused(LogRefusal.FORMAT_UNKNOWN, family, key, e.getMessage());
        } catch (DamagedRecordException e) {
            throw damaged(family, key, e.getMessage());
        }
        if (stored.batch() > log.lastBatch().batch()) {
            throw damaged(
                    family,
                    key,
                    "batch " + stored.batch() + " although the last batch is "
                            + log.lastBatch().batch());
        }
        String wrong = misplaced(family, key, stored);
        if (wrong != null) {
            throw damaged(family, key, wrong);
        }
        return stored;
    }

    /** What is wrong with this record at this place, or null. */
    private @Nullable String misplaced(Family family, byte[] key, StoredRecord stored) {
        boolean known = switch (family) {
            case META -> false;
            case EPOCH -> stored.kind() == RecordKind.EPOCH;
            case OPEN -> stored.kind() == RecordKind.COMMIT;
            case ENDED -> stored.kind() == RecordKind.END;
            case CONTROL ->
                stored.kind() == RecordKind.HORIZON
                        || stored.kind() == RecordKind.DISTRUST
                        || stored.kind() == RecordKind.HEURISTIC;
        };
        if (!known) {
            return "a record of kind " + stored.kind();
        }
        if (stored.record() instanceof LogRecord.Commit commit) {
            GlobalTxId tx = commit.tx();
            if (!Arrays.equals(key, RecordKeys.tx(tx))) {
                return "the COMMIT of " + tx + " under another key";
            }
            if (stored.kind() == RecordKind.COMMIT && tx.epoch().number() != stored.epochNumber()) {
                return "COMMIT(" + tx + ") in an entry of epoch " + stored.epochNumber() + " (record fence)";
            }
            if (!epochs.contains(tx.epoch())) {
                return "COMMIT(" + tx + ") without the EPOCH record of its epoch";
            }
        }
        return null;
    }

    private void epochRead(StoredRecord stored) {
        EpochId epoch = ((LogRecord.Epoch) stored.record()).epoch();
        if (epoch.number() <= highestEpoch) {
            throw damaged(Family.EPOCH, RecordKeys.epoch(epoch), "epoch " + epoch + " after epoch " + highestEpoch);
        }
        highestEpoch = epoch.number();
        epochs.add(epoch);
    }

    private void controlRead(StoredRecord stored) {
        if (stored.record() instanceof LogRecord.Distrust distrust) {
            highestEpoch = Math.max(highestEpoch, distrust.epochNumber());
        }
        if (stored.record() instanceof LogRecord.Horizon read
                && (horizon == null || AppliedHorizon.ORDER.compare(read, horizon) > 0)) {
            horizon = read;
        }
    }

    private LogRefusedException damaged(Family family, byte[] key, @Nullable String what) {
        return refused(LogRefusal.DAMAGED, family, key, what);
    }

    private LogRefusedException refused(LogRefusal why, Family family, byte[] key, @Nullable String what) {
        return new LogRefusedException(
                why,
                log.directory(),
                "in " + family + " at key " + HexFormat.of().formatHex(key) + ": " + what);
    }
}
