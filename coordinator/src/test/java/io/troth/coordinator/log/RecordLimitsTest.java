package io.troth.coordinator.log;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.troth.core.BranchId;
import io.troth.core.BranchList;
import io.troth.core.Decision;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.coordinator.LogRecord;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Goal: the log takes the largest record that the protocol can lead to, and purges up to the highest HORIZON. */
class RecordLimitsTest {

    private static final GlobalTxId TX = Records.tx(1, 1, 1);

    private static LogRecord.Commit commit(int branches) {
        Proof longest = Proof.of(new byte[64]);
        List<LogRecord.YesBranch> yes = LongStream.rangeClosed(1, branches)
                .mapToObj(i -> new LogRecord.YesBranch(new BranchId(7, i), "a".repeat(64), longest))
                .toList();
        return new LogRecord.Commit(TX, yes);
    }

    private static LogRecord.Heuristic heuristic(int reasonBytes) {
        return new LogRecord.Heuristic(TX, new BranchId(7, 1), Decision.ROLLBACK, "r".repeat(reasonBytes));
    }

    private static void assertTaken(LogRecord record) {
        assertDoesNotThrow(() -> PayloadCodec.checkSize(record));
        byte[] key = RecordKeys.tx(TX);
        StoredRecord stored = new StoredRecord(RecordKind.of(record), 1, 1, record);
        assertEquals(stored, RecordCodec.decode(key, RecordCodec.encode(key, stored)));
    }

    @Test
    void asManyBranchesAsATransactionMayHave() {
        assertTaken(commit(BranchList.BRANCHES_MAX));
        LogRecord tooMany = commit(BranchList.BRANCHES_MAX + 1);
        assertThrows(IllegalArgumentException.class, () -> PayloadCodec.checkSize(tooMany));
    }

    @Test
    void aReasonOfTheFullLength() {
        assertTaken(heuristic(PayloadCodec.REASON_BYTES_MAX));
        LogRecord tooLong = heuristic(PayloadCodec.REASON_BYTES_MAX + 1);
        assertThrows(IllegalArgumentException.class, () -> PayloadCodec.checkSize(tooLong));
    }

    @Test
    void aLaterHorizonMovesTheLimitOfPurgesAndAnEarlierOneDoesNot() {
        AppliedHorizon applied = new AppliedHorizon();
        assertThrows(IllegalArgumentException.class, () -> applied.checkPurge(Records.horizon(1, 1)));
        applied.applied(Records.horizon(1, 1));
        applied.applied(Records.horizon(2, 5));
        applied.applied(Records.horizon(2, 4));
        applied.applied(null);
        applied.checkPurge(Records.horizon(2, 5));
        assertThrows(IllegalArgumentException.class, () -> applied.checkPurge(Records.horizon(2, 6)));
    }
}
