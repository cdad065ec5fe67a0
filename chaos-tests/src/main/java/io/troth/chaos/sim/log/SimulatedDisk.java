package io.troth.chaos.sim.log;

import io.troth.coordinator.log.DamagedRecordException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * What is on the disk of a decision log, in bytes: sorted tables, and a write-ahead log of batches behind them. What no
 * flush has covered lives in the memory of the machine: the end of a process leaves it, a power loss keeps any first
 * part of it, which can end in the middle of a batch. One thread.
 *
 * <p>A batch is {@code length(4) crc32c(4) payload}, the payload {@code operation...}, each {@code family(1) put(1)
 * key-length(4) key [value-length(4) value]}.
 */
final class SimulatedDisk {

    /** The tables, as the real store has them. */
    enum Family {
        META('M'),
        EPOCH('E'),
        OPEN('O'),
        ENDED('F'),
        CONTROL('C');

        private final byte code;

        Family(char code) {
            this.code = (byte) code;
        }

        private static Family of(byte code) {
            for (Family family : values()) {
                if (family.code == code) {
                    return family;
                }
            }
            throw new DamagedRecordException("no table " + code);
        }
    }

    /** One batch in the making. */
    static final class Batch {
        private static final int SIZE_FIRST = 256;

        private ByteBuffer out = ByteBuffer.allocate(SIZE_FIRST);

        void put(Family family, byte[] key, byte[] value) {
            operation(family, 1, key, Integer.BYTES + value.length);
            out.putInt(value.length).put(value);
        }

        void delete(Family family, byte[] key) {
            operation(family, 0, key, 0);
        }

        private void operation(Family family, int put, byte[] key, int more) {
            int needed = 2 + Integer.BYTES + key.length + more;
            if (out.remaining() < needed) {
                ByteBuffer larger = ByteBuffer.allocate(2 * out.capacity() + needed);
                larger.put(out.flip());
                out = larger;
            }
            out.put(family.code).put((byte) put).putInt(key.length).put(key);
        }
    }

    private static final int HEADER_BYTES = 2 * Integer.BYTES;

    /** The sorted tables. */
    static final class Tables {
        private final Map<Family, NavigableMap<byte[], byte[]>> all = new EnumMap<>(Family.class);

        Tables() {
            for (Family family : Family.values()) {
                all.put(family, new TreeMap<>(Arrays::compareUnsigned));
            }
        }

        Tables copy() {
            Tables copy = new Tables();
            all.forEach((family, table) -> copy.of(family).putAll(table));
            return copy;
        }

        NavigableMap<byte[], byte[]> of(Family family) {
            return Objects.requireNonNull(all.get(family));
        }

        /** Carries out a batch. */
        void apply(Batch batch) {
            apply(batch.out.array(), 0, batch.out.position());
        }

        private void apply(byte[] bytes, int from, int end) {
            ByteBuffer in = ByteBuffer.wrap(bytes, from, end - from);
            while (in.hasRemaining()) {
                NavigableMap<byte[], byte[]> table = of(Family.of(in.get()));
                boolean put = in.get() == 1;
                byte[] key = bytes(in);
                if (put) {
                    table.put(key, bytes(in));
                } else {
                    table.remove(key);
                }
            }
        }

        private static byte[] bytes(ByteBuffer in) {
            byte[] bytes = new byte[in.getInt()];
            in.get(bytes);
            return bytes;
        }
    }

    private Tables base = new Tables();
    /** Written batches that are not in the tables yet. */
    private byte[] wal = new byte[1_024];

    private int written;
    private int synced;
    private @Nullable Rot rot;

    /** One flipped bit, and how to undo it. */
    private static final class Rot {
        private final byte[] bytes;
        private final int place;
        private final int bit;

        Rot(byte[] bytes, int place, int bit) {
            this.bytes = bytes;
            this.place = place;
            this.bit = bit;
        }

        void flip() {
            bytes[place] ^= (byte) (1 << bit);
        }
    }

    /**
     * What is safe on it now, as a backup takes it (docs/LOG.md). A copy of what no flush covers could bring a decision
     * back that a power loss has taken since.
     */
    SimulatedDisk copy() {
        SimulatedDisk copy = new SimulatedDisk();
        copy.base = base.copy();
        copy.wal = wal.clone();
        copy.written = synced;
        copy.synced = synced;
        return copy;
    }

    /** Writes the batch into the memory of the machine. */
    void write(Batch batch) {
        append(batch, Integer.MAX_VALUE);
    }

    /** A write that fails: any first part of it is there. Returns true when all of it is. */
    boolean writePart(Batch batch, SplittableRandom random) {
        int whole = HEADER_BYTES + batch.out.position();
        int kept = part(whole, random);
        append(batch, kept);
        return kept == whole;
    }

    /** Nothing, everything, or anything in between. */
    private static int part(int whole, SplittableRandom random) {
        return switch (random.nextInt(3)) {
            case 0 -> 0;
            case 1 -> whole;
            default -> random.nextInt(whole + 1);
        };
    }

    private void append(Batch batch, int bytesMax) {
        int length = batch.out.position();
        byte[] payload = batch.out.array();
        byte[] frame = ByteBuffer.allocate(HEADER_BYTES + length)
                .putInt(length)
                .putInt(checksum(payload, 0, length))
                .put(payload, 0, length)
                .array();
        int kept = Math.min(frame.length, bytesMax);
        if (written + kept > wal.length) {
            wal = Arrays.copyOf(wal, Math.max(2 * wal.length, written + kept));
        }
        System.arraycopy(frame, 0, wal, written, kept);
        written += kept;
    }

    /** What is written is safe. */
    void sync() {
        synced = written;
    }

    /** Whether the end is the first part of a batch only. */
    boolean isTorn() {
        int position = 0;
        while (position >= 0 && position < written) {
            position = batchEnd(position);
        }
        return position < 0;
    }

    /** The machine loses its power: any first part of what was not flushed is there, to the byte. True when not all is. */
    boolean losePower(SplittableRandom random) {
        int before = written;
        written = synced + part(written - synced, random);
        return written < before;
    }

    /**
     * Opens the disk after the last process: what was written goes into the tables, a torn end is cut off.
     *
     * @return a copy of the tables for the process to work on
     * @throws DamagedRecordException when a batch that was flushed is not what was written
     */
    Tables open() {
        int position = 0;
        while (position < written) {
            int end = batchEnd(position);
            if (end < 0) {
                if (position < synced) {
                    throw new DamagedRecordException("wrong checksum at byte " + position + " of the log");
                }
                break;
            }
            base.apply(wal, position + HEADER_BYTES, end);
            position = end;
        }
        written = 0;
        synced = 0;
        return base.copy();
    }

    /** Where the batch ends; -1 when no whole one is here. */
    private int batchEnd(int position) {
        if (position + HEADER_BYTES > written) {
            return -1;
        }
        ByteBuffer in = ByteBuffer.wrap(wal, position, HEADER_BYTES);
        int length = in.getInt();
        int checksum = in.getInt();
        int from = position + HEADER_BYTES;
        boolean whole = length >= 0 && length <= written - from;
        return whole && checksum == checksum(wal, from, length) ? from + length : -1;
    }

    private static int checksum(byte[] bytes, int from, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, from, length);
        return (int) crc.getValue();
    }

    /** Flips one bit of a record, or of what was flushed to the write-ahead log. False when there is nothing to flip. */
    boolean decay(SplittableRandom random) {
        boolean inWal = synced > 0 && random.nextBoolean();
        if (!inWal) {
            // What the next opening would overwrite does not count.
            Tables unused = open();
        }
        List<byte[]> values = new ArrayList<>();
        for (Family family : List.of(Family.EPOCH, Family.OPEN, Family.CONTROL)) {
            values.addAll(base.of(family).values());
        }
        if (!inWal && values.isEmpty()) {
            return false;
        }
        byte[] bytes = inWal ? wal : values.get(random.nextInt(values.size()));
        Rot fresh = new Rot(bytes, random.nextInt(inWal ? synced : bytes.length), random.nextInt(Byte.SIZE));
        fresh.flip();
        rot = fresh;
        return true;
    }

    /** Puts the flipped bit right, as from a good copy. */
    void restore() {
        if (rot != null) {
            rot.flip();
            rot = null;
        }
    }
}
