package io.troth.coordinator.log;

import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LogRecord;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * What a leader hands to a replicated log as one entry: records, or a purge, or nothing. Its bytes are
 *
 * <pre>version(1) kind(1) term(8) count(4) [kind(1) length(4) payload]... crc32c(4)</pre>
 *
 * <p>The term is that of the leader when it made the entry. A member applies the entry only if the log has it in the same
 * term: a leader that lost and regained its place can not append the decisions of its earlier epoch under the later one
 * (record fence, protocol 3).
 *
 * @param term of the leader that made it
 * @param records in the order of their appends
 * @param purge up to where ended COMMITs are deleted, then there are no records; else null
 */
public record ReplicatedEntry(long term, List<LogRecord> records, LogRecord.@Nullable Horizon purge) {

    private static final byte VERSION = 1;
    private static final byte RECORDS = 1;
    private static final byte PURGE = 2;
    private static final int HEADER_BYTES = 2 + Long.BYTES + Integer.BYTES;
    private static final int RECORD_HEADER_BYTES = 1 + Integer.BYTES;

    public ReplicatedEntry {
        records = List.copyOf(records);
        if (purge != null && !records.isEmpty()) {
            throw new IllegalArgumentException("a purge is an entry of its own");
        }
    }

    /** An entry of records. */
    public ReplicatedEntry(long term, List<LogRecord> records) {
        this(term, records, null);
    }

    /** Whether a member that finds it in the log in this term applies it (record fence). */
    public boolean hasEffectIn(long termInLog) {
        return term == termInLog;
    }

    /** How many bytes a record takes in an entry. */
    public static int bytes(LogRecord record) {
        return RECORD_HEADER_BYTES + PayloadCodec.size(record);
    }

    /** The bytes of this entry. */
    public byte[] encode() {
        List<LogRecord> written = purge == null ? records : List.of(purge);
        int size = HEADER_BYTES + Integer.BYTES;
        for (LogRecord record : written) {
            size += bytes(record);
        }
        ByteBuffer out = ByteBuffer.allocate(size);
        out.put(VERSION).put(purge == null ? RECORDS : PURGE).putLong(term).putInt(written.size());
        for (LogRecord record : written) {
            out.put(RecordKind.of(record).code()).putInt(PayloadCodec.size(record));
            PayloadCodec.write(record, out);
        }
        out.putInt(checksum(out.array(), out.position()));
        return out.array();
    }

    /**
     * The entry of these bytes.
     *
     * @throws DamagedRecordException when they are not what {@link #encode} gave, or {@link LaterFormatException}
     */
    public static ReplicatedEntry decode(byte[] bytes) {
        try {
            int checked = bytes.length - Integer.BYTES;
            ByteBuffer in = ByteBuffer.wrap(bytes);
            if (checked < HEADER_BYTES || in.getInt(checked) != checksum(bytes, checked)) {
                throw new DamagedRecordException("wrong checksum of an entry of " + bytes.length + " bytes");
            }
            in.limit(checked);
            byte version = in.get();
            if (version != VERSION) {
                throw new LaterFormatException("an entry", version, VERSION);
            }
            byte kind = in.get();
            long term = in.getLong();
            List<LogRecord> records = records(in.getInt(), in);
            return switch (kind) {
                case RECORDS -> new ReplicatedEntry(term, records, null);
                case PURGE -> new ReplicatedEntry(term, List.of(), onlyHorizon(records));
                default -> throw new DamagedRecordException("unknown kind of entry " + kind);
            };
        } catch (BufferUnderflowException | IllegalArgumentException e) {
            throw new DamagedRecordException("an entry of " + bytes.length + " bytes ends too early", e);
        }
    }

    private static List<LogRecord> records(int count, ByteBuffer in) {
        List<LogRecord> records = new ArrayList<>();
        SharedValues shared = new SharedValues();
        for (int i = 0; i < count; i++) {
            RecordKind kind = RecordKind.ofCode(in.get());
            ByteBuffer payload = in.slice(in.position() + Integer.BYTES, in.getInt(in.position()));
            in.position(in.position() + Integer.BYTES + payload.remaining());
            records.add(kind == RecordKind.END ? end(payload, shared) : PayloadCodec.read(kind, payload, shared));
        }
        if (in.hasRemaining()) {
            throw new DamagedRecordException(in.remaining() + " bytes too many in an entry");
        }
        return records;
    }

    /** In a store an END is the COMMIT that it ends; here it is its transaction. */
    private static LogRecord.End end(ByteBuffer in, SharedValues shared) {
        GlobalTxId tx = PayloadCodec.readTx(in, shared);
        if (in.hasRemaining()) {
            throw new DamagedRecordException(in.remaining() + " bytes too many in an END");
        }
        return new LogRecord.End(tx);
    }

    private static LogRecord.Horizon onlyHorizon(List<LogRecord> records) {
        if (records.size() == 1 && records.get(0) instanceof LogRecord.Horizon horizon) {
            return horizon;
        }
        throw new DamagedRecordException("a purge of " + records.size() + " records");
    }

    private static int checksum(byte[] bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, length);
        return (int) crc.getValue();
    }
}
