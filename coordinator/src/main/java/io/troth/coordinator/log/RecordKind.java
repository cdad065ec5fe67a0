package io.troth.coordinator.log;

import io.troth.core.coordinator.LogRecord;

/** The kinds of records and their codes in format 1. A code is never given a second meaning. */
public enum RecordKind {
    EPOCH(1, false),
    COMMIT(2, false),
    /** Stored as the COMMIT it ends, so that the COMMIT can be found until the purge. */
    END(3, true),
    HORIZON(4, true),
    DISTRUST(5, false),
    HEURISTIC(6, false);

    private static final LogRecord.Visitor<RecordKind> OF = new Of();

    private final byte code;
    private final boolean mayBeLazy;

    RecordKind(int code, boolean mayBeLazy) {
        this.code = (byte) code;
        this.mayBeLazy = mayBeLazy;
    }

    byte code() {
        return code;
    }

    /** True when losing the last records of this kind with the machine is harmless: the protocol appends them anew. */
    public boolean mayBeLazy() {
        return mayBeLazy;
    }

    /** The kind of a record. */
    public static RecordKind of(LogRecord record) {
        return record.accept(OF);
    }

    /**
     * The kind with this code.
     *
     * @throws DamagedRecordException when there is none
     */
    static RecordKind ofCode(byte code) {
        for (RecordKind kind : values()) {
            if (kind.code == code) {
                return kind;
            }
        }
        throw new DamagedRecordException("unknown kind of record " + code);
    }

    private static final class Of implements LogRecord.Visitor<RecordKind> {
        @Override
        public RecordKind epoch(LogRecord.Epoch epoch) {
            return EPOCH;
        }

        @Override
        public RecordKind commit(LogRecord.Commit commit) {
            return COMMIT;
        }

        @Override
        public RecordKind end(LogRecord.End end) {
            return END;
        }

        @Override
        public RecordKind horizon(LogRecord.Horizon horizon) {
            return HORIZON;
        }

        @Override
        public RecordKind distrust(LogRecord.Distrust distrust) {
            return DISTRUST;
        }

        @Override
        public RecordKind heuristic(LogRecord.Heuristic heuristic) {
            return HEURISTIC;
        }
    }
}
