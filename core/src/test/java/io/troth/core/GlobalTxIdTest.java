package io.troth.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Goals: a coordinator with a million transactions in its maps is not slowed down by ids that hash alike, and no two ids are
 * taken for one.
 */
class GlobalTxIdTest {

    private static final int SESSIONS = 100;
    private static final int SEQUENCES = 1_000;
    private static final int TABLE = 1 << 17;

    @Test
    void idsThatCountUpHaveDifferentHashesAndSpreadOverATable() {
        EpochId epoch = new EpochId(1, 2);
        Set<Integer> hashes = new HashSet<>();
        int[] buckets = new int[TABLE];
        int fullest = 0;
        for (int session = 1; session <= SESSIONS; session++) {
            for (int sequence = 1; sequence <= SEQUENCES; sequence++) {
                int hash = new GlobalTxId(0, epoch, session, sequence).hashCode();
                hashes.add(hash);
                // As java.util.HashMap does it.
                int bucket = (hash ^ (hash >>> 16)) & (TABLE - 1);
                fullest = Math.max(fullest, ++buckets[bucket]);
            }
        }
        int all = SESSIONS * SEQUENCES;
        assertTrue(hashes.size() > all - all / 1_000, hashes.size() + " different hashes of " + all);
        assertTrue(fullest <= 12, fullest + " ids in one bucket");
    }

    @Test
    void equalIdsHashAlike() {
        GlobalTxId tx = new GlobalTxId(1, new EpochId(2, 3), 4, 5);
        GlobalTxId same = new GlobalTxId(1, new EpochId(2, 3), 4, 5);
        assertEquals(tx, same);
        assertEquals(tx.hashCode(), same.hashCode());
        assertEquals(new BranchId(1, 2), new BranchId(1, 2));
        assertEquals(new BranchId(1, 2).hashCode(), new BranchId(1, 2).hashCode());
    }

    @Test
    void idsThatDifferInOnePartAreDifferent() {
        List<Object> all = List.of(
                new GlobalTxId(1, new EpochId(2, 3), 4, 5),
                new GlobalTxId(9, new EpochId(2, 3), 4, 5),
                new GlobalTxId(1, new EpochId(9, 3), 4, 5),
                new GlobalTxId(1, new EpochId(2, 9), 4, 5),
                new GlobalTxId(1, new EpochId(2, 3), 9, 5),
                new GlobalTxId(1, new EpochId(2, 3), 4, 9),
                new EpochId(2, 3),
                new EpochId(9, 3),
                new EpochId(2, 9),
                new BranchId(2, 3),
                new BranchId(9, 3),
                new BranchId(2, 9));
        assertEquals(all.size(), new HashSet<>(all).size());
        for (Object one : all) {
            for (Object other : all) {
                assertEquals(one == other, one.equals(other), one + " and " + other);
            }
        }
    }
}
