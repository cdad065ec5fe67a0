package io.troth.chaos.sim.log;

import io.troth.chaos.sim.log.SimulatedDisk.Batch;
import io.troth.chaos.sim.log.SimulatedDisk.Family;
import io.troth.chaos.sim.log.SimulatedDisk.Tables;
import io.troth.coordinator.log.Meta;
import io.troth.coordinator.log.RecordCodec;
import io.troth.coordinator.log.RecordKeys;
import io.troth.coordinator.log.RecordKind;
import io.troth.coordinator.log.StoredRecord;
import io.troth.coordinator.log.Watermark;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LogRecord;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Writes records into the tables of a decision log, as the real writer does. One thread. */
final class TableWriter {

    private final Tables tables;
    private @Nullable EpochId ownEpoch;
    private long epochNumber;
    private long batchNumber;

    /** {@code batchNumber}: of the last batch that is in the tables. */
    TableWriter(Tables tables, long batchNumber) {
        this.tables = tables;
        this.batchNumber = batchNumber;
    }

    Tables tables() {
        return tables;
    }

    long batchNumber() {
        return batchNumber;
    }

    /** The same tables as they are now; nothing is written there. */
    TableWriter copy() {
        return new TableWriter(tables.copy(), batchNumber);
    }

    /** What comes now is of this epoch, whose EPOCH comes first. */
    void leads(long number) {
        epochNumber = number;
        ownEpoch = null;
    }

    /** Whether its transaction is one of the epoch that writes. */
    boolean isOwn(LogRecord.Commit commit) {
        return commit.tx().epoch().equals(ownEpoch);
    }

    /** COMMIT(T), ended or not. */
    LogRecord.@Nullable Commit find(GlobalTxId tx) {
        byte[] key = RecordKeys.tx(tx);
        byte[] value = tables.of(Family.OPEN).get(key);
        if (value == null) {
            value = tables.of(Family.ENDED).get(key);
        }
        return value == null
                ? null
                : (LogRecord.Commit) RecordCodec.decode(key, value).record();
    }

    /** Deletes what has ended up to there; the watcher hears of each. */
    Batch purge(LogRecord.Horizon horizon, LogWatcher watcher) {
        Batch batch = new Batch();
        batchNumber++;
        for (byte[] key : tables.of(Family.ENDED)
                .headMap(RecordKeys.afterSession(horizon), false)
                .keySet()) {
            byte[] value = Objects.requireNonNull(tables.of(Family.ENDED).get(key));
            watcher.purged(((LogRecord.Commit) RecordCodec.decode(key, value).record()).tx());
            batch.delete(Family.ENDED, key);
        }
        tables.of(Family.CONTROL)
                .subMap(RecordKeys.firstHeuristic(), true, RecordKeys.heuristicAfterSession(horizon), false)
                .forEach((key, value) -> {
                    LogRecord.Heuristic heuristic =
                            (LogRecord.Heuristic) RecordCodec.decode(key, value).record();
                    if (!tables.of(Family.OPEN).containsKey(RecordKeys.tx(heuristic.tx()))) {
                        batch.delete(Family.CONTROL, key);
                    }
                });
        finish(batch);
        return batch;
    }

    /** Writes records; one that has no effect leaves no trace. */
    Batch batch(List<LogRecord> records) {
        Batch batch = new Batch();
        batchNumber++;
        int index = 0;
        for (LogRecord record : records) {
            put(batch, record, index++);
        }
        finish(batch);
        return batch;
    }

    private void finish(Batch batch) {
        batch.put(Family.META, Meta.LAST_BATCH, Meta.lastBatch(new Watermark(batchNumber, epochNumber)));
        tables.apply(batch);
    }

    private void put(Batch batch, LogRecord record, int index) {
        RecordKind kind = RecordKind.of(record);
        switch (kind) {
            case EPOCH -> {
                EpochId epoch = ((LogRecord.Epoch) record).epoch();
                ownEpoch = epoch;
                put(batch, Family.EPOCH, RecordKeys.epoch(epoch), kind, record);
            }
            case COMMIT -> {
                GlobalTxId tx = ((LogRecord.Commit) record).tx();
                if (tx.epoch().equals(ownEpoch)) {
                    put(batch, Family.OPEN, RecordKeys.tx(tx), kind, record);
                    // An END in the same batch must find it.
                    tables.of(Family.OPEN).put(RecordKeys.tx(tx), encode(RecordKeys.tx(tx), kind, record));
                }
            }
            case END -> end(batch, RecordKeys.tx(((LogRecord.End) record).tx()));
            case HORIZON -> put(batch, Family.CONTROL, RecordKeys.horizon((LogRecord.Horizon) record), kind, record);
            case DISTRUST -> put(batch, Family.CONTROL, RecordKeys.distrust((LogRecord.Distrust) record), kind, record);
            case HEURISTIC ->
                put(
                        batch,
                        Family.CONTROL,
                        RecordKeys.heuristic((LogRecord.Heuristic) record, batchNumber, index),
                        kind,
                        record);
        }
    }

    private void end(Batch batch, byte[] key) {
        byte[] open = tables.of(Family.OPEN).remove(key);
        if (open != null) {
            batch.delete(Family.OPEN, key);
            put(
                    batch,
                    Family.ENDED,
                    key,
                    RecordKind.END,
                    RecordCodec.decode(key, open).record());
        }
    }

    private void put(Batch batch, Family family, byte[] key, RecordKind kind, LogRecord record) {
        batch.put(family, key, encode(key, kind, record));
    }

    private byte[] encode(byte[] key, RecordKind kind, LogRecord record) {
        return RecordCodec.encode(key, new StoredRecord(kind, batchNumber, epochNumber, record));
    }
}
