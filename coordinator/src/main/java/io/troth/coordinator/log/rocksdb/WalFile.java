package io.troth.coordinator.log.rocksdb;

import io.troth.coordinator.log.DamagedRecordException;
import io.troth.coordinator.log.Meta;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongConsumer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Reads one write-ahead log file of RocksDB by itself. The store takes a fragment that seems to reach beyond the end of
 * the file as a torn tail and silently forgets whatever comes behind it; but one flipped bit in a length makes any
 * fragment seem so. This knows the difference, says where a file is damaged, and reads on behind it. One thread.
 *
 * <p>The format (RocksDB wiki, "Write Ahead Log File Format"): blocks of 32 KiB hold fragments of {@code masked crc32c(4)
 * length(2) type(1) payload}, little-endian; FULL, or FIRST, MIDDLE... LAST, make a write batch of {@code sequence(8)
 * count(4)} and that many operations. Files up to {@value #BYTES_MAX} bytes: the log's own limit is far below.
 */
final class WalFile {

    private static final int BYTES_MAX = 1 << 30;
    private static final int BLOCK_BYTES = 32 * 1_024;
    private static final int HEADER_BYTES = 7;
    private static final int FULL = 1;
    private static final int FIRST = 2;
    private static final int LAST = 4;
    /** The first type that says something about the file, not about data. */
    private static final int SET_COMPRESSION = 9;

    private static final int PREDECESSOR = 130;

    /** Hears what the file holds, in order. */
    interface Sink {
        /** A key was written; {@code family} counts from 0, the default one. */
        void put(long offset, int family, byte[] key, byte[] value);

        /** The bytes from this offset on are not what was written. */
        void damage(long offset, String what);
    }

    private final byte[] bytes;
    private final Sink sink;
    private final ByteArrayOutputStream batch = new ByteArrayOutputStream();
    private long batchOffset = -1;

    private WalFile(byte[] bytes, Sink sink) {
        this.bytes = bytes;
        this.sink = sink;
    }

    /**
     * Reads a file to its end, over damages.
     *
     * @return the offset of a torn tail: a last write that was never finished; or -1 when the file ends whole
     */
    static long read(Path file, Sink sink) throws IOException {
        if (Files.size(file) > BYTES_MAX) {
            throw new IOException(file + " is larger than any log file");
        }
        return new WalFile(Files.readAllBytes(file), sink).read();
    }

    /**
     * The first damage of a file as {@code at byte N: what}, or null. A torn tail is none.
     *
     * @param batches hears the numbers of the batches that are in it, in order
     */
    static @Nullable String firstDamage(Path file, LongConsumer batches) throws IOException {
        AtomicReference<@Nullable String> first = new AtomicReference<>();
        read(file, new Sink() {
            @Override
            public void put(long offset, int family, byte[] key, byte[] value) {
                if (family == 0 && Arrays.equals(key, Meta.LAST_BATCH)) {
                    try {
                        batches.accept(Meta.lastBatch(value).batch());
                    } catch (DamagedRecordException e) {
                        damage(offset, String.valueOf(e.getMessage()));
                    }
                }
            }

            @Override
            public void damage(long offset, String what) {
                first.compareAndSet(null, "at byte " + offset + ": " + what);
            }
        });
        return first.get();
    }

    private long read() {
        int position = 0;
        while (true) {
            position = skipTrailer(position);
            if (position >= bytes.length) {
                return batchOffset;
            }
            int length = fragmentLength(position);
            if (length < 0) {
                int next = nextFragment(position + 1);
                if (next < 0) {
                    return tail(position);
                }
                sink.damage(position, "bytes with a wrong checksum; good ones follow at byte " + next);
                batchOffset = -1;
                position = next;
                continue;
            }
            fragment(position, length);
            position += HEADER_BYTES + length;
        }
    }

    /** The rest of the file holds nothing good: a write that did not end, or damage. */
    private long tail(int position) {
        int left = bytes.length - position - HEADER_BYTES;
        boolean cut = left < 0 || unsigned(position + 4) > left;
        if (cut && (left < 0 || !hasChecksum(position, left))) {
            return batchOffset >= 0 ? batchOffset : position;
        }
        sink.damage(position, cut ? "a whole write with a wrong length" : "bytes with a wrong checksum up to the end");
        return -1;
    }

    /** Fewer bytes than a header at the end of a block are padding. */
    private static int skipTrailer(int position) {
        int left = BLOCK_BYTES - position % BLOCK_BYTES;
        return left < HEADER_BYTES ? position + left : position;
    }

    /** The payload's length, or -1 when there is no whole fragment of a known type with the right checksum. */
    private int fragmentLength(int position) {
        if (position + HEADER_BYTES > bytes.length) {
            return -1;
        }
        int length = unsigned(position + 4);
        int type = bytes[position + 6] & 0xff;
        int end = position % BLOCK_BYTES + HEADER_BYTES + length;
        boolean known = (type >= FULL && type <= LAST) || (type >= SET_COMPRESSION && type <= SET_COMPRESSION + 1);
        if ((!known && type != PREDECESSOR) || end > BLOCK_BYTES || position + HEADER_BYTES + length > bytes.length) {
            return -1;
        }
        return hasChecksum(position, length) ? length : -1;
    }

    private boolean hasChecksum(int position, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, position + 6, 1 + length);
        int checksum = (int) crc.getValue();
        int masked = ((checksum >>> 15) | (checksum << 17)) + 0xa282ead8;
        return masked == little(position).getInt();
    }

    /** Where the next good fragment begins, or -1. */
    private int nextFragment(int from) {
        for (int position = from; position < bytes.length; position++) {
            if (fragmentLength(position) >= 0) {
                return position;
            }
        }
        return -1;
    }

    private void fragment(int position, int length) {
        int type = bytes[position + 6] & 0xff;
        if (type >= SET_COMPRESSION) {
            return;
        }
        boolean begins = type == FULL || type == FIRST;
        if (begins == (batchOffset >= 0)) {
            sink.damage(position, begins ? "a write begins inside another" : "a write without its beginning");
            batchOffset = -1;
            if (!begins) {
                return;
            }
        }
        if (begins) {
            batchOffset = position;
            batch.reset();
        }
        batch.write(bytes, position + HEADER_BYTES, length);
        if (type == FULL || type == LAST) {
            long offset = batchOffset;
            batchOffset = -1;
            String wrong =
                    operations(offset, ByteBuffer.wrap(batch.toByteArray()).order(ByteOrder.LITTLE_ENDIAN));
            if (wrong != null) {
                sink.damage(offset, wrong);
            }
        }
    }

    /** What is wrong with a write, or null. Deletions are of no interest: what was deleted was written before. */
    private @Nullable String operations(long offset, ByteBuffer in) {
        try {
            in.position(Long.BYTES + Integer.BYTES);
            while (in.hasRemaining()) {
                int tag = in.get();
                switch (tag) {
                    case 0x1 -> sink.put(offset, 0, counted(in), counted(in));
                    case 0x5 -> sink.put(offset, varint(in), counted(in), counted(in));
                    case 0x0, 0x3, 0x7 -> counted(in);
                    case 0x4, 0x8 -> {
                        varint(in);
                        counted(in);
                    }
                    case 0xE -> {
                        varint(in);
                        counted(in);
                        counted(in);
                    }
                    case 0xF -> {
                        counted(in);
                        counted(in);
                    }
                    case 0xD -> {
                        // A mark without content.
                        continue;
                    }
                    default -> {
                        return "an operation of unknown kind " + tag;
                    }
                }
            }
            return null;
        } catch (BufferUnderflowException | IllegalArgumentException e) {
            return "a write that ends too early";
        }
    }

    private static byte[] counted(ByteBuffer in) {
        int length = varint(in);
        if (length < 0 || length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        byte[] result = new byte[length];
        in.get(result);
        return result;
    }

    private static int varint(ByteBuffer in) {
        int result = 0;
        for (int shift = 0; shift < Integer.SIZE; shift += 7) {
            byte next = in.get();
            result |= (next & 0x7f) << shift;
            if (next >= 0) {
                return result;
            }
        }
        throw new BufferUnderflowException();
    }

    private ByteBuffer little(int position) {
        return ByteBuffer.wrap(bytes, position, bytes.length - position).order(ByteOrder.LITTLE_ENDIAN);
    }

    private int unsigned(int position) {
        return Short.toUnsignedInt(little(position).getShort());
    }
}
