package io.troth.coordinator.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.troth.core.BranchId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LogRecord;
import java.util.List;
import org.junit.jupiter.api.Test;

/** COMMITs that are read together share what is equal in them, and are equal to what was written all the same. */
class SharedValuesTest {

    private static final EpochId EPOCH = new EpochId(3, 0xfeedL);

    private final SharedValues shared = new SharedValues();

    @Test
    void equalNamesAndEpochsAreOneObject() {
        LogRecord.Commit first = read(new GlobalTxId(0, EPOCH, 1, 1), "bank-a");
        LogRecord.Commit second = read(new GlobalTxId(0, EPOCH, 1, 2), "bank-a");
        assertSame(first.tx().epoch(), second.tx().epoch());
        assertSame(first.branches().get(0).resource(), second.branches().get(0).resource());
    }

    @Test
    void differentOnesAreNot() {
        EpochId sameNumber = new EpochId(EPOCH.number(), EPOCH.nonce() + 1);
        assertEquals(EPOCH, shared.epoch(EPOCH.number(), EPOCH.nonce()));
        assertEquals(sameNumber, shared.epoch(sameNumber.number(), sameNumber.nonce()));
        assertEquals(new EpochId(4, EPOCH.nonce()), shared.epoch(4, EPOCH.nonce()));
        assertEquals("bank-a", shared.name("bank-a"));
        assertEquals("bank-b", shared.name("bank-b"));
    }

    @Test
    void namesWithoutEndAreNotKept() {
        for (int i = 0; i < 20_000; i++) {
            assertEquals("name-" + i, shared.name("name-" + i));
        }
        assertNotSame(shared.name(new String("late")), shared.name(new String("late")));
    }

    private LogRecord.Commit read(GlobalTxId tx, String resource) {
        LogRecord.Commit commit =
                new LogRecord.Commit(tx, List.of(new LogRecord.YesBranch(new BranchId(7, 1), resource, null)));
        byte[] key = RecordKeys.tx(tx);
        byte[] value = RecordCodec.encode(
                key, new StoredRecord(RecordKind.COMMIT, 1, tx.epoch().number(), commit));
        LogRecord read = RecordCodec.decode(key, value, shared).record();
        assertEquals(commit, read);
        return (LogRecord.Commit) read;
    }
}
