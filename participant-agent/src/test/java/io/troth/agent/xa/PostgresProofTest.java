package io.troth.agent.xa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Goal: a proof names one transaction of one history (protocol 7.1). Method: ids, and servers, at their limits. */
class PostgresProofTest {

    @Test
    void aProofKeepsEveryOidAndId() {
        PostgresProof largest = new PostgresProof(-1, -1, -1, 0xffff_fffeL, -1);
        assertEquals(largest, PostgresProof.decode(largest.encode()));
    }

    @Test
    void aLifeThatTheServerDoesNotTellProvesNothing() {
        ServerFacts silent = new ServerFacts(1, 1, 1, 0, "bank", "agent", SessionTimeouts.NONE, "probe");
        assertTrue(PostgresProof.of(5, silent).isFrom(silent));
        assertFalse(PostgresProof.of(5, silent).isFromThisLifeOf(silent));
        ServerFacts known = new ServerFacts(1, 1, 1, 9, "bank", "agent", SessionTimeouts.NONE, "probe");
        assertTrue(PostgresProof.of(5, known).isFromThisLifeOf(known));
    }

    @Test
    void aListShowsTheLowerHalfOfATransactionId() {
        long third = 3L << 32;
        assertEquals(third + 7, PostgresDriver.fullId(7, third + 9));
        assertEquals(third + 9, PostgresDriver.fullId(9, third + 7), "given since the snapshot");
        assertEquals(third - 2, PostgresDriver.fullId(0xFFFF_FFFEL, third + 9), "before the wraparound");
        assertEquals(third + 3, PostgresDriver.fullId(3, third - 2), "behind the wraparound");
    }
}
