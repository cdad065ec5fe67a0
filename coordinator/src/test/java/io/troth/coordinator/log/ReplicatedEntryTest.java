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
import java.util.List;
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
