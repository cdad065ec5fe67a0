package io.troth.core;

/**
 * The byte form of the two parts of a Troth Xid (protocol 2): {@code gtrid = version(1) | clusterId(8) | shard(4) |
 * epoch(8) | nonce(8) | session(8) | sequence(8)} and {@code bqual = instance(8) | counter(8)}, all big-endian.
 *
 * <p>An Xid with another format id, version or cluster id is not ours: it is never touched and never reported as in
 * doubt.
 */
public final class XidCodec {

    /** "TROT" in ASCII: positive, which every database accepts. */
    public static final int FORMAT_ID = 0x54524F54;

    /** The version byte of the gtrid. */
    public static final byte VERSION = 1;

    public static final int GTRID_BYTES = 45;
    public static final int BQUAL_BYTES = 16;

    /** A parsed gtrid: the transaction, and the cluster it belongs to. */
    public record Gtrid(ClusterId cluster, GlobalTxId tx) {}

    private XidCodec() {}

    /** The 45 bytes of the gtrid. */
    public static byte[] gtrid(ClusterId cluster, GlobalTxId tx) {
        byte[] bytes = new byte[GTRID_BYTES];
        bytes[0] = VERSION;
        putLong(bytes, 1, cluster.value());
        putInt(bytes, 9, tx.shard());
        putLong(bytes, 13, tx.epoch().number());
        putLong(bytes, 21, tx.epoch().nonce());
        putLong(bytes, 29, tx.session());
        putLong(bytes, 37, tx.sequence());
        return bytes;
    }

    /** The 16 bytes of the bqual. */
    public static byte[] bqual(BranchId branch) {
        byte[] bytes = new byte[BQUAL_BYTES];
        putLong(bytes, 0, branch.instance());
        putLong(bytes, 8, branch.counter());
        return bytes;
    }

    /** True when the three fields have the form that Troth gives to an Xid, whatever the cluster. */
    public static boolean hasTrothForm(int formatId, byte[] gtrid, byte[] bqual) {
        return formatId == FORMAT_ID
                && gtrid.length == GTRID_BYTES
                && gtrid[0] == VERSION
                && bqual.length == BQUAL_BYTES;
    }

    /**
     * Reads what {@link #gtrid} writes.
     *
     * @throws IllegalArgumentException when the bytes do not have that form, or name an impossible transaction
     */
    public static Gtrid parseGtrid(byte[] gtrid) {
        if (gtrid.length != GTRID_BYTES || gtrid[0] != VERSION) {
            throw new IllegalArgumentException("not a Troth gtrid of version " + VERSION);
        }
        EpochId epoch = new EpochId(getLong(gtrid, 13), getLong(gtrid, 21));
        GlobalTxId tx = new GlobalTxId(getInt(gtrid, 9), epoch, getLong(gtrid, 29), getLong(gtrid, 37));
        return new Gtrid(new ClusterId(getLong(gtrid, 1)), tx);
    }

    /**
     * Reads what {@link #bqual} writes.
     *
     * @throws IllegalArgumentException when there are not 16 bytes
     */
    public static BranchId parseBqual(byte[] bqual) {
        if (bqual.length != BQUAL_BYTES) {
            throw new IllegalArgumentException("a Troth bqual has " + BQUAL_BYTES + " bytes, found " + bqual.length);
        }
        return new BranchId(getLong(bqual, 0), getLong(bqual, 8));
    }

    private static void putInt(byte[] bytes, int offset, int value) {
        for (int i = 0; i < Integer.BYTES; i++) {
            bytes[offset + i] = (byte) (value >>> (24 - 8 * i));
        }
    }

    private static void putLong(byte[] bytes, int offset, long value) {
        for (int i = 0; i < Long.BYTES; i++) {
            bytes[offset + i] = (byte) (value >>> (56 - 8 * i));
        }
    }

    private static int getInt(byte[] bytes, int offset) {
        int value = 0;
        for (int i = 0; i < Integer.BYTES; i++) {
            value = (value << 8) | (bytes[offset + i] & 0xff);
        }
        return value;
    }

    private static long getLong(byte[] bytes, int offset) {
        long value = 0;
        for (int i = 0; i < Long.BYTES; i++) {
            value = (value << 8) | (bytes[offset + i] & 0xff);
        }
        return value;
    }
}
