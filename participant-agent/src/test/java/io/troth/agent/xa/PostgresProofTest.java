package io.troth.agent.xa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.core.Proof;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** Goal: a proof names one transaction of one history (protocol 7.1). Method: ids, and servers, at their limits. */
class PostgresProofTest {

    @Test
    void aProofKeepsEveryOidAndId() {
        PostgresProof largest = new PostgresProof(-1, -1, -1, 0xffff_fffeL, -1);
        assertEquals(largest, PostgresProof.decode(largest.encode()));
    }

    /** The log keeps it, and an agent of another version reads it: other bytes are another version. */
    @Test
    void aProofHasTheBytesOfVersion1() {
        PostgresProof proof = new PostgresProof(
                0x0102_0304_0506_0708L, 0x1112_1314_1516_1718L, 0x2122_2324, 0x3132_3334L, 0x4142_4344_4546_4748L);
        String bytes = "01" + "0102030405060708" + "1112131415161718" + "21222324" + "31323334" + "4142434445464748";
        assertEquals(bytes, HexFormat.of().formatHex(proof.encode().toByteArray()));
        assertEquals(proof, PostgresProof.decode(Proof.of(HexFormat.of().parseHex(bytes))));
        String later = "02" + bytes.substring(2);
        assertNull(PostgresProof.decode(Proof.of(HexFormat.of().parseHex(later))));
    }

    /** The coordinator takes an agent that names it otherwise for one of another database, and refuses it. */
    @Test
    void everyVersionNamesADatabaseTheSame() {
        ServerFacts server = new ServerFacts(-4_711, 2, 5, 9, "bank", "agent", SessionTimeouts.NONE, "probe");
        assertEquals("system=18446744073709546905;database=bank;oid=5", server.identity());
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
