package io.troth.coordinator.log;

import io.troth.core.ClusterId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;

/** The values of the store's own bookkeeping, each with a checksum over key and value. Pure, thread-safe. */
public final class Meta {

    /** Key of the incarnation. */
    public static final byte[] INCARNATION = "incarnation".getBytes(StandardCharsets.US_ASCII);

    /** Key of the number of the last batch: every batch writes it. */
    public static final byte[] LAST_BATCH = "last-batch".getBytes(StandardCharsets.US_ASCII);

    /** Key of the low-water key: no COMMIT without END lies below, so a scan need not wade through what was deleted. */
    public static final byte[] LOW_WATER = "low-water".getBytes(StandardCharsets.US_ASCII);

    /** Key of the {@link ReplicatedState}: only a member of a replicated log has it. */
    public static final byte[] REPLICATED = "replicated".getBytes(StandardCharsets.US_ASCII);

    private Meta() {}

    /** Who this database is. */
    public static byte[] incarnation(Incarnation incarnation) {
        return seal(
                INCARNATION,
                ByteBuffer.allocate(Integer.BYTES + 2 * Long.BYTES)
                        .putInt(Incarnation.FORMAT)
                        .putLong(incarnation.cluster().value())
                        .putLong(incarnation.id())
                        .array());
    }

    /**
     * Reads what {@link #incarnation} wrote; the time of creation is not kept here.
     *
     * @throws DamagedRecordException when the bytes are anything else
     */
    public static Incarnation incarnation(byte[] value) {
        ByteBuffer in = open(INCARNATION, value, Integer.BYTES + 2 * Long.BYTES);
        int format = in.getInt();
        if (format != Incarnation.FORMAT) {
            throw new DamagedRecordException("format " + format);
        }
        return new Incarnation(new ClusterId(in.getLong()), in.getLong(), Instant.EPOCH, true);
    }

    /** The last batch and the epoch of the leader that wrote it. */
    public static byte[] lastBatch(Watermark last) {
        return seal(
                LAST_BATCH,
                ByteBuffer.allocate(2 * Long.BYTES)
                        .putLong(last.batch())
                        .putLong(last.epochNumber())
                        .array());
    }

    /**
     * Reads what {@link #lastBatch(Watermark)} wrote.
     *
     * @throws DamagedRecordException when the bytes are anything else
     */
    public static Watermark lastBatch(byte[] value) {
        ByteBuffer in = open(LAST_BATCH, value, 2 * Long.BYTES);
        return new Watermark(in.getLong(), in.getLong());
    }

    /** The low-water key. */
    public static byte[] lowWater(byte[] key) {
        return seal(LOW_WATER, key);
    }

    /**
     * Reads what {@link #lowWater} wrote.
     *
     * @throws DamagedRecordException when the bytes are anything else
     */
    public static byte[] lowWaterKey(byte[] value) {
        ByteBuffer in = open(LOW_WATER, value, -1);
        byte[] key = new byte[in.remaining()];
        in.get(key);
        return key;
    }

    /** How far a member of a replicated log has come. */
    public static byte[] replicated(ReplicatedState state) {
        return seal(
                REPLICATED,
                ByteBuffer.allocate(4 * Long.BYTES)
                        .putLong(state.position().term())
                        .putLong(state.position().index())
                        .putLong(state.epochBase())
                        .putLong(state.epochTerm())
                        .array());
    }

    /**
     * Reads what {@link #replicated(ReplicatedState)} wrote.
     *
     * @throws DamagedRecordException when the bytes are anything else
     */
    public static ReplicatedState replicated(byte[] value) {
        ByteBuffer in = open(REPLICATED, value, 4 * Long.BYTES);
        return new ReplicatedState(new Position(in.getLong(), in.getLong()), in.getLong(), in.getLong());
    }

    private static byte[] seal(byte[] key, byte[] content) {
        return ByteBuffer.allocate(content.length + Integer.BYTES)
                .put(content)
                .putInt(RecordCodec.checksum(key, content, content.length))
                .array();
    }

    /** @param length what the content must have, or -1 for any */
    private static ByteBuffer open(byte[] key, byte[] value, int length) {
        int content = value.length - Integer.BYTES;
        String name = new String(key, StandardCharsets.US_ASCII);
        if (content < 0 || (length >= 0 && content != length)) {
            throw new DamagedRecordException(name + " has " + value.length + " bytes");
        }
        ByteBuffer in = ByteBuffer.wrap(value);
        if (in.getInt(content) != RecordCodec.checksum(key, value, content)) {
            throw new DamagedRecordException(name + " has a wrong checksum");
        }
        in.limit(content);
        return in;
    }
}
