package io.troth.coordinator.log;

import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;

/**
 * One value of the store.
 *
 * @param kind {@link RecordKind#END} for a COMMIT that has ended
 * @param batch the number of the batch that wrote it
 * @param epochNumber the epoch of the leader that appended it (of the END, for an ended COMMIT)
 * @param record what it says; a {@link LogRecord.Commit} where the kind is END
 */
public record StoredRecord(RecordKind kind, long batch, long epochNumber, LogRecord record) {

    /** The record with its epoch, as it is replayed. */
    public LogEntry entry() {
        return new LogEntry(epochNumber, record);
    }
}
