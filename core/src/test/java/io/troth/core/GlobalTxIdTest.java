package io.troth.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Goal: a coordinator with a million transactions in its maps is not slowed down by ids that hash alike. */
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
        assertEquals(
                new GlobalTxId(1, new EpochId(2, 3), 4, 5).hashCode(),
                new GlobalTxId(1, new EpochId(2, 3), 4, 5).hashCode());
    }
}
