package io.troth.core;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** Goal: the bytes by which a branch is found again in its database (protocol 2) never change, and only they are ours. */
class XidCodecTest {

    private static final ClusterId CLUSTER = new ClusterId(0x0102_0304_0506_0708L);
    private static final GlobalTxId TX = new GlobalTxId(
            0x1112_1314,
            new EpochId(0x2122_2324_2526_2728L, 0xf1f2_f3f4_f5f6_f7f8L),
            0x3132_3334_3536_3738L,
            0x4142_4344_4546_4748L);
    private static final BranchId BRANCH = new BranchId(0xe1e2_e3e4_e5e6_e7e8L, 0x5152_5354_5556_5758L);
    private static final byte[] GTRID = HexFormat.of()
            .parseHex("01" + "0102030405060708" + "11121314" + "2122232425262728" + "f1f2f3f4f5f6f7f8"
                    + "3132333435363738" + "4142434445464748");
    private static final byte[] BQUAL = HexFormat.of().parseHex("e1e2e3e4e5e6e7e8" + "5152535455565758");

    @Test
    void theBytesAreThese() {
        assertArrayEquals(GTRID, XidCodec.gtrid(CLUSTER, TX));
        assertArrayEquals(BQUAL, XidCodec.bqual(BRANCH));
    }

    @Test
    void theyAreReadBack() {
        assertEquals(new XidCodec.Gtrid(CLUSTER, TX), XidCodec.parseGtrid(GTRID));
        assertEquals(BRANCH, XidCodec.parseBqual(BQUAL));
    }

    @Test
    void nothingElseIs() {
        byte[] otherVersion = GTRID.clone();
        otherVersion[0] = 2;
        assertThrows(IllegalArgumentException.class, () -> XidCodec.parseGtrid(otherVersion));
        assertThrows(IllegalArgumentException.class, () -> XidCodec.parseGtrid(Arrays.copyOf(GTRID, 44)));
        assertThrows(IllegalArgumentException.class, () -> XidCodec.parseGtrid(Arrays.copyOf(GTRID, 46)));
        assertThrows(IllegalArgumentException.class, () -> XidCodec.parseBqual(Arrays.copyOf(BQUAL, 15)));
        assertThrows(IllegalArgumentException.class, () -> XidCodec.parseBqual(Arrays.copyOf(BQUAL, 17)));
        assertTrue(XidCodec.hasTrothForm(0x54524F54, GTRID, BQUAL));
        assertFalse(XidCodec.hasTrothForm(0x54524F55, GTRID, BQUAL));
        assertFalse(XidCodec.hasTrothForm(0x54524F54, otherVersion, BQUAL));
        assertFalse(XidCodec.hasTrothForm(0x54524F54, Arrays.copyOf(GTRID, 46), BQUAL));
        assertFalse(XidCodec.hasTrothForm(0x54524F54, GTRID, Arrays.copyOf(BQUAL, 15)));
    }
}
