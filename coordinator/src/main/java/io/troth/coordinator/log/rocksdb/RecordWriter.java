package io.troth.coordinator.log.rocksdb;

import io.troth.coordinator.log.Meta;
import io.troth.coordinator.log.RecordCodec;
import io.troth.coordinator.log.RecordKeys;
import io.troth.coordinator.log.RecordKind;
import io.troth.coordinator.log.StoredRecord;
import io.troth.coordinator.log.Watermark;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LogRecord;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;

/**
 * Turns records into batches of the store: one reused {@link WriteBatch}, one batch number each, and the number written
 * with it. Log thread only.
 */
final class RecordWriter implements AutoCloseable {

    /** So many COMMITs are remembered from one batch to the next. */
    private static final int RECENT_MAX = 4_096;

    private final RocksStore store;
    private final BatchWriter writer;
    private final WriteBatch batch = new WriteBatch();
    /**
     * COMMITs without an END, the oldest first: those of the batch in the making, where the store cannot find them yet, and
     * the last ones before. Most ENDs come soon, and to read a COMMIT again costs more than to write its END.
     */
    private final Map<GlobalTxId, LogRecord.Commit> recent = new LinkedHashMap<>();

    private long epochNumber;
    private @Nullable EpochId ownEpoch;
    private long batchNumber;
    private int index;
    private byte[] lowWater;
    private boolean lowWaterChanged;
    private int endsSinceCompaction;

    RecordWriter(RocksStore store, BatchWriter writer, long epochNumber, long lastBatch, byte[] lowWater) {
        this.store = store;
        this.writer = writer;
        this.epochNumber = epochNumber;
        this.batchNumber = lastBatch;
        this.lowWater = lowWater.clone();
    }

    /**
     * On a member of a replicated log, which applies what one leader after the other has appended: from now on records
     * are those of this epoch.
     *
     * @param epoch null until its EPOCH is written
     */
    void leads(long number, @Nullable EpochId epoch) {
        epochNumber = number;
        ownEpoch = epoch;
    }

    /** The number of the batch written last. */
    long batchNumber() {
        return batchNumber;
    }

    /** How many COMMITs have ended since the last {@link #compact}. */
    int endsSinceCompaction() {
        return endsSinceCompaction;
    }

    /** Writes the records as one batch. A COMMIT of another epoch than its entry's is dropped (record fence). */
    void write(List<LogRecord> records, boolean sync) throws RocksDBException {
        begin();
        for (LogRecord record : records) {
            put(record);
            index++;
        }
        finish(sync);
    }

    /** Deletes ended COMMITs and HEURISTICs up to the horizon. Not forced: what comes back is deleted once more. */
    void purge(LogRecord.Horizon horizon) throws RocksDBException {
        begin();
        batch.deleteRange(store.handle(Family.ENDED), new byte[0], RecordKeys.afterSession(horizon));
        List<byte[]> heuristics = new ArrayList<>();
        store.scan(
                Family.CONTROL,
                RecordKeys.firstHeuristic(),
                RecordKeys.heuristicAfterSession(horizon),
                (key, value) -> {
                    LogRecord.Heuristic heuristic =
                            (LogRecord.Heuristic) RecordCodec.decode(key, value).record();
                    if (!isOpen(heuristic.tx())) {
                        heuristics.add(key);
                    }
                });
        for (byte[] key : heuristics) {
            batch.delete(store.handle(Family.CONTROL), key);
        }
        finish(false);
    }

    /** Moves the low-water key up to the first open COMMIT and frees what was deleted below it. May take long. */
    void compact() throws RocksDBException {
        endsSinceCompaction = 0;
        byte[] first = store.firstKey(Family.OPEN, lowWater);
        byte[] upTo = first != null ? first : ownEpochKey();
        if (Arrays.compareUnsigned(upTo, lowWater) <= 0) {
            return;
        }
        begin();
        moveLowWater(upTo);
        finish(false);
        store.compactOpen(upTo);
    }

    private byte[] ownEpochKey() {
        return ownEpoch == null ? new byte[0] : RecordKeys.epoch(ownEpoch);
    }

    private boolean isOpen(GlobalTxId tx) {
        try {
            return store.get(Family.OPEN, RecordKeys.tx(tx)) != null;
        } catch (RocksDBException e) {
            throw new IllegalStateException(e);
        }
    }

    private void begin() {
        batch.clear();
        Iterator<GlobalTxId> oldest = recent.keySet().iterator();
        for (int tooMany = recent.size() - RECENT_MAX; tooMany > 0; tooMany--) {
            oldest.next();
            oldest.remove();
        }
        lowWaterChanged = false;
        index = 0;
        batchNumber++;
    }

    private void finish(boolean sync) throws RocksDBException {
        if (lowWaterChanged) {
            batch.put(Meta.LOW_WATER, Meta.lowWater(lowWater));
        }
        batch.put(Meta.LAST_BATCH, Meta.lastBatch(new Watermark(batchNumber, epochNumber)));
        writer.write(batch, sync);
    }

    private void put(LogRecord record) throws RocksDBException {
        switch (RecordKind.of(record)) {
            case EPOCH -> {
                LogRecord.Epoch epoch = (LogRecord.Epoch) record;
                ownEpoch = epoch.epoch();
                put(Family.EPOCH, RecordKeys.epoch(epoch.epoch()), record);
            }
            case COMMIT -> commit((LogRecord.Commit) record);
            case END -> end(((LogRecord.End) record).tx());
            case HORIZON -> put(Family.CONTROL, RecordKeys.horizon((LogRecord.Horizon) record), record);
            case DISTRUST -> put(Family.CONTROL, RecordKeys.distrust((LogRecord.Distrust) record), record);
            case HEURISTIC ->
                put(Family.CONTROL, RecordKeys.heuristic((LogRecord.Heuristic) record, batchNumber, index), record);
        }
    }

    private void commit(LogRecord.Commit commit) throws RocksDBException {
        if (!commit.tx().epoch().equals(ownEpoch)) {
            return;
        }
        byte[] key = RecordKeys.tx(commit.tx());
        if (Arrays.compareUnsigned(key, lowWater) < 0) {
            moveLowWater(key);
        }
        recent.put(commit.tx(), commit);
        put(Family.OPEN, key, commit);
    }

    private void moveLowWater(byte[] key) {
        lowWater = key;
        lowWaterChanged = true;
    }

    /** Both in one batch: a COMMIT is in exactly one of the two families at any time. An unknown END has no effect. */
    private void end(GlobalTxId tx) throws RocksDBException {
        byte[] key = RecordKeys.tx(tx);
        LogRecord ended = recent.remove(tx);
        if (ended == null) {
            byte[] open = store.get(Family.OPEN, key);
            if (open == null) {
                return;
            }
            ended = RecordCodec.decode(key, open).record();
        }
        batch.delete(store.handle(Family.OPEN), key);
        batch.put(store.handle(Family.ENDED), key, encode(key, RecordKind.END, ended));
        endsSinceCompaction++;
    }

    private void put(Family family, byte[] key, LogRecord record) throws RocksDBException {
        batch.put(store.handle(family), key, encode(key, RecordKind.of(record), record));
    }

    private byte[] encode(byte[] key, RecordKind kind, LogRecord record) {
        return RecordCodec.encode(key, new StoredRecord(kind, batchNumber, epochNumber, record));
    }

    @Override
    public void close() {
        batch.close();
    }
}
