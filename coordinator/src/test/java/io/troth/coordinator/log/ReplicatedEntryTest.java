package io.troth.coordinator.log;

import static io.troth.coordinator.log.Records.commit;
import static io.troth.coordinator.log.Records.end;
import static io.troth.coordinator.log.Records.epoch;
import static io.troth.coordinator.log.Records.heuristic;
import static io.troth.coordinator.log.Records.horizon;
import static io.troth.coordinator.log.Records.tx;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.troth.core.coordinator.LogRecord;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Goal: an entry is what its leader made, or refused. Method: every kind of record; then every bit and every length. */
class ReplicatedEntryTest {

    private static final List<LogRecord> RECORDS = List.of(
            epoch(7),
            commit(tx(7, 1, 1)),
            end(tx(7, 1, 1)),
            horizon(7, 1),
            new LogRecord.Distrust(9),
            heuristic(tx(7, 1, 1)));

    @Test
    void bringsBackWhatWasPutIn() {
        for (ReplicatedEntry entry : List.of(
                new ReplicatedEntry(3, RECORDS, null),
                new ReplicatedEntry(3, List.of(), null),
                new ReplicatedEntry(Long.MAX_VALUE, List.of(), horizon(7, 5)))) {
            assertEquals(entry, ReplicatedEntry.decode(entry.encode()));
        }
    }

    /**
     * Members of two versions send each other entries and keep them, so other bytes are another version ({@code
     * docs/LOG.md}, "A new format").
     */
    @Test
    void hasTheBytesOfVersion1() {
        String header = "0101" + "0000000000000003";
        String tx = "00000000" + "0000000000000007e000000000000007" + "0000000000000001" + "0000000000000001";
        String records = "00000006"
                + ("01" + "00000010" + "0000000000000007e000000000000007")
                + ("02" + "0000005b" + tx + "0002")
                + ("0000000000000007" + "0000000000000001" + "08" + "6163636f756e7473" + "03" + "010203")
                + ("0000000000000008" + "0000000000000001" + "06" + "6f7264657273" + "00")
                + ("03" + "00000024" + tx)
                + ("04" + "00000018" + "0000000000000007e000000000000007" + "0000000000000001")
                + ("05" + "00000008" + "0000000000000009")
                + ("06" + "00000043" + tx + "01" + "0000000000000007" + "0000000000000001")
                + ("01" + "000b" + "7469636b65742034373131");
        String purge = "0102" + "0000000000000003" + "00000001"
                + ("04" + "00000018" + "0000000000000007e000000000000007" + "0000000000000005");
        Map<String, ReplicatedEntry> stored = Map.of(
                header + records + "3446bcdf", new ReplicatedEntry(3, RECORDS, null),
                header + "00000000" + "5a8dea26", new ReplicatedEntry(3, List.of(), null),
                purge + "9781addc", new ReplicatedEntry(3, List.of(), horizon(7, 5)));
        stored.forEach((bytes, entry) -> {
            assertEquals(bytes, HexFormat.of().formatHex(entry.encode()));
            assertEquals(entry, ReplicatedEntry.decode(HexFormat.of().parseHex(bytes)));
        });
    }

    @Test
    void saysHowLongItIs() {
        int records = RECORDS.stream().mapToInt(ReplicatedEntry::bytes).sum();
        int empty = new ReplicatedEntry(3, List.of(), null).encode().length;
        assertEquals(empty + records, new ReplicatedEntry(3, RECORDS, null).encode().length);
    }

    @Test
    void refusesEveryFlippedBitAndEveryLength() {
        byte[] bytes = new ReplicatedEntry(3, RECORDS, null).encode();
        for (int bit = 0; bit < bytes.length * Byte.SIZE; bit++) {
            byte[] flipped = bytes.clone();
            flipped[bit / Byte.SIZE] ^= (byte) (1 << bit % Byte.SIZE);
            assertThrows(DamagedRecordException.class, () -> ReplicatedEntry.decode(flipped));
        }
        for (int length = 0; length < bytes.length; length++) {
            byte[] cut = Arrays.copyOf(bytes, length);
            assertThrows(DamagedRecordException.class, () -> ReplicatedEntry.decode(cut));
        }
        assertThrows(
                DamagedRecordException.class, () -> ReplicatedEntry.decode(Arrays.copyOf(bytes, bytes.length + 1)));
    }

    @Test
    void isAPurgeOrRecords() {
        assertThrows(IllegalArgumentException.class, () -> new ReplicatedEntry(3, RECORDS, horizon(7, 5)));
    }
}
