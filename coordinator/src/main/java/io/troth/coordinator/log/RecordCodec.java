package io.troth.coordinator.log;

import io.troth.core.coordinator.LogRecord;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * The bytes of one value of the store, format 1:
 *
 * <pre>version(1) kind(1) batch(8) epoch(8) payload crc32c(4)</pre>
 *
 * <p>The checksum covers the key, a zero byte and everything before it, so that a value under another's key is noticed
 * too. It stands beside the store's own checksums: those end where the store hands the bytes out. Pure, thread-safe.
 */
public final class RecordCodec {

    /** The version this code writes; it reads versions up to this one. */
    public static final byte VERSION = 1;

    private static final int HEADER_BYTES = 2 + 2 * Long.BYTES;
    private static final int CHECKSUM_BYTES = Integer.BYTES;

    /** The largest value, in bytes. */
    public static final int VALUE_BYTES_MAX = HEADER_BYTES + PayloadCodec.BYTES_MAX + CHECKSUM_BYTES;

    private RecordCodec() {}

    /**
     * The value of a record. For {@link RecordKind#END} the record is the COMMIT that has ended.
     *
     * @throws IllegalArgumentException when the record is larger than a record may be
     */
    public static byte[] encode(byte[] key, StoredRecord stored) {
        LogRecord record = stored.record();
        ByteBuffer out = ByteBuffer.allocate(HEADER_BYTES + PayloadCodec.size(record) + CHECKSUM_BYTES);
        out.put(VERSION).put(stored.kind().code()).putLong(stored.batch()).putLong(stored.epochNumber());
        PayloadCodec.write(record, out);
        out.putInt(checksum(key, out.array(), out.position()));
        return out.array();
    }

    /** The record of a value, as {@link #decode(byte[], byte[], SharedValues)} reads it. */
    public static StoredRecord decode(byte[] key, byte[] value) {
        return decode(key, value, new SharedValues());
    }

    /**
     * The record of a value, one of many that are read and kept.
     *
     * @throws DamagedRecordException when key and value are not what {@link #encode} gave, or {@link LaterFormatException}
     */
    public static StoredRecord decode(byte[] key, byte[] value, SharedValues shared) {
        if (value.length < HEADER_BYTES + CHECKSUM_BYTES || value.length > VALUE_BYTES_MAX) {
            throw new DamagedRecordException("a record of " + value.length + " bytes");
        }
        int checked = value.length - CHECKSUM_BYTES;
        ByteBuffer in = ByteBuffer.wrap(value);
        if (in.getInt(checked) != checksum(key, value, checked)) {
            throw new DamagedRecordException("wrong checksum");
        }
        byte version = in.get();
        if (version != VERSION) {
            throw new LaterFormatException("a record", version, VERSION);
        }
        RecordKind kind = RecordKind.ofCode(in.get());
        long batch = in.getLong();
        long epochNumber = in.getLong();
        in.limit(checked);
        StoredRecord stored = new StoredRecord(kind, batch, epochNumber, PayloadCodec.read(kind, in, shared));
        if (batch < 1 || epochNumber < 1) {
            throw new DamagedRecordException("batch " + batch + ", epoch " + epochNumber);
        }
        return stored;
    }

    /** CRC32C over the key, a zero byte and the first {@code length} bytes of the value. */
    static int checksum(byte[] key, byte[] value, int length) {
        CRC32C crc = new CRC32C();
        crc.update(key, 0, key.length);
        crc.update(0);
        crc.update(value, 0, length);
        return (int) crc.getValue();
    }
}
