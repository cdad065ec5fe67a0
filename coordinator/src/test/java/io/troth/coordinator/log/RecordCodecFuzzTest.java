package io.troth.coordinator.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.troth.core.BranchId;
import io.troth.core.Decision;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.coordinator.LogRecord;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

/**
 * Goal: no bytes crash the codec, make it allocate without bound, or pass for a record that was not written. Method:
 * seeded random records, changed in every way a disk or an attacker changes bytes; {@code -Dtroth.seed=N} repeats a run.
 */
class RecordCodecFuzzTest {

    private static final int INPUTS = 60_000;
    private static final List<RecordKind> KINDS = List.of(RecordKind.values());

    private final long seed = Long.getLong("troth.seed", 20_261_125L);
    private final SplittableRandom random = new SplittableRandom(seed);

    @Test
    void everyRecordComesBackAsItWas() {
        for (int i = 0; i < INPUTS; i++) {
            Encoded encoded = encoded();
            assertEquals(encoded.stored, RecordCodec.decode(encoded.key, encoded.value), "seed " + seed);
        }
    }

    @Test
    void changedBytesAreNeverTakenForARecord() {
        for (int i = 0; i < INPUTS; i++) {
            Encoded encoded = encoded();
            boolean changesKey = random.nextInt(8) == 0;
            byte[] key = changesKey ? changed(encoded.key) : encoded.key;
            byte[] value = changesKey ? encoded.value : changed(encoded.value);
            boolean same = Arrays.equals(key, encoded.key) && Arrays.equals(value, encoded.value);
            try {
                StoredRecord read = RecordCodec.decode(key, value);
                assertTrue(same, "seed " + seed + ": changed bytes were read as " + read);
            } catch (DamagedRecordException e) {
                assertTrue(!same, "seed " + seed + ": unchanged bytes were refused: " + e.getMessage());
            }
        }
    }

    /** A checksum only keeps out accidents: whoever computes it anew must still not get anything but a sound record in. */
    @Test
    void changedBytesWithARightChecksumAreRefusedOrAreARecordThatEncodesToThem() {
        int read = 0;
        int refused = 0;
        for (int i = 0; i < INPUTS; i++) {
            Encoded encoded = encoded();
            byte[] value = changed(encoded.value);
            if (value.length < Integer.BYTES) {
                continue;
            }
            seal(encoded.key, value);
            try {
                StoredRecord stored = RecordCodec.decode(encoded.key, value);
                assertTrue(isCanonical(encoded.key, stored, value), "seed " + seed + ": " + stored);
                read++;
            } catch (DamagedRecordException e) {
                refused++;
            } catch (RuntimeException e) {
                fail("seed " + seed + ": input " + i + " is neither read nor refused", e);
            }
        }
        assertTrue(read > 0, "a changed number is a sound record, too");
        assertTrue(refused > read, "most changes make no sound record");
    }

    private static boolean isCanonical(byte[] key, StoredRecord stored, byte[] value) {
        // Bytes that are not UTF-8 are read as replacement characters: the one text that people wrote.
        return stored.record() instanceof LogRecord.Heuristic || Arrays.equals(RecordCodec.encode(key, stored), value);
    }

    @Test
    void randomBytesAreRefused() {
        int refused = 0;
        for (int i = 0; i < INPUTS; i++) {
            byte[] value = bytes(random.nextInt(200));
            if (random.nextBoolean() && value.length >= 18 + Integer.BYTES) {
                value[0] = RecordCodec.VERSION;
                value[1] = (byte) (1 + random.nextInt(6));
                seal(new byte[0], value);
            }
            try {
                StoredRecord stored = RecordCodec.decode(new byte[0], value);
                assertTrue(isCanonical(new byte[0], stored, value), "seed " + seed + ": " + stored);
            } catch (DamagedRecordException e) {
                refused++;
            } catch (RuntimeException e) {
                fail("seed " + seed + ": input " + i + " is neither read nor refused", e);
            }
        }
        assertTrue(refused > INPUTS / 2, "most random bytes are no record");
    }

    private static void seal(byte[] key, byte[] value) {
        int checked = value.length - Integer.BYTES;
        CRC32C crc = new CRC32C();
        crc.update(key);
        crc.update(0);
        crc.update(value, 0, checked);
        ByteBuffer.wrap(value).putInt(checked, (int) crc.getValue());
    }

    /** One of: flipped bits, cut, longer, a part overwritten, a part doubled. */
    private byte[] changed(byte[] bytes) {
        byte[] changed = bytes.clone();
        switch (random.nextInt(5)) {
            case 0 -> {
                for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
                    changed[random.nextInt(changed.length)] ^= (byte) (1 << random.nextInt(8));
                }
            }
            case 1 -> changed = Arrays.copyOf(bytes, random.nextInt(bytes.length));
            case 2 -> changed = Arrays.copyOf(bytes, bytes.length + 1 + random.nextInt(20));
            case 3 -> {
                byte[] other = bytes(1 + random.nextInt(Math.min(8, changed.length)));
                System.arraycopy(other, 0, changed, random.nextInt(changed.length - other.length + 1), other.length);
            }
            default -> {
                int length = random.nextInt(changed.length / 2 + 1);
                System.arraycopy(bytes, 0, changed, bytes.length - length, length);
            }
        }
        return changed;
    }

    private byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) random.nextInt();
        }
        return bytes;
    }

    private static final class Encoded {
        final StoredRecord stored;
        final byte[] key;
        final byte[] value;

        Encoded(StoredRecord stored, byte[] key) {
            this.stored = stored;
            this.key = key;
            this.value = RecordCodec.encode(key, stored);
        }
    }

    private Encoded encoded() {
        RecordKind kind = KINDS.get(random.nextInt(KINDS.size()));
        StoredRecord stored = new StoredRecord(kind, positive(), positive(), record(kind));
        byte[] key = bytes(1 + random.nextInt(40));
        return new Encoded(stored, key);
    }

    private LogRecord record(RecordKind kind) {
        return switch (kind) {
            case EPOCH -> new LogRecord.Epoch(epoch());
            case COMMIT, END -> new LogRecord.Commit(tx(), branches());
            case HORIZON -> new LogRecord.Horizon(epoch(), positive());
            case DISTRUST -> new LogRecord.Distrust(positive());
            case HEURISTIC ->
                new LogRecord.Heuristic(
                        tx(),
                        random.nextBoolean() ? branch() : null,
                        random.nextBoolean() ? Decision.COMMIT : Decision.ROLLBACK,
                        "reason \u00e9 " + random.nextInt());
        };
    }

    private List<LogRecord.YesBranch> branches() {
        List<LogRecord.YesBranch> branches = new ArrayList<>();
        for (int count = 1 + random.nextInt(4); count > 0; count--) {
            Proof proof = random.nextBoolean() ? Proof.of(bytes(1 + random.nextInt(Proof.BYTES_MAX))) : null;
            branches.add(new LogRecord.YesBranch(branch(), "resource" + random.nextInt(1_000), proof));
        }
        return branches;
    }

    private BranchId branch() {
        return new BranchId(random.nextLong(), random.nextLong());
    }

    private GlobalTxId tx() {
        return new GlobalTxId(random.nextInt(3), epoch(), positive(), positive());
    }

    private EpochId epoch() {
        return new EpochId(positive(), random.nextLong());
    }

    private long positive() {
        return 1 + (random.nextLong() >>> 2);
    }
}
