package io.troth.coordinator.log;

import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.coordinator.LogRecord;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The keys of the store, format 1. Numbers are big-endian and not negative (the nonce compares unsigned), so the order
 * of the bytes is the order of (epoch, session, sequence). Pure, thread-safe.
 */
public final class RecordKeys {

    /** First byte of a HORIZON's, DISTRUST's and HEURISTIC's key: they share one family. */
    static final byte DISTRUST = 'D';

    static final byte HORIZON = 'H';
    static final byte HEURISTIC = 'R';

    private static final int TX_BYTES = 4 * Long.BYTES + Integer.BYTES;

    private RecordKeys() {}

    /** {@code number(8) nonce(8)}. */
    public static byte[] epoch(EpochId epoch) {
        return ByteBuffer.allocate(2 * Long.BYTES)
                .putLong(epoch.number())
                .putLong(epoch.nonce())
                .array();
    }

    /** {@code epoch(8) nonce(8) session(8) sequence(8) shard(4)}: a log has one shard, so it never decides the order. */
    public static byte[] tx(GlobalTxId tx) {
        return putTx(ByteBuffer.allocate(TX_BYTES), tx).array();
    }

    /** The first key after every transaction of (epoch, session) and of those before it. */
    public static byte[] afterSession(LogRecord.Horizon horizon) {
        return putAfterSession(ByteBuffer.allocate(TX_BYTES + 1), horizon).array();
    }

    /** {@code 'D' epoch(8)}. */
    public static byte[] distrust(LogRecord.Distrust distrust) {
        return ByteBuffer.allocate(1 + Long.BYTES)
                .put(DISTRUST)
                .putLong(distrust.epochNumber())
                .array();
    }

    /** {@code 'H' epoch(8) nonce(8) session(8)}. */
    public static byte[] horizon(LogRecord.Horizon horizon) {
        return ByteBuffer.allocate(1 + 3 * Long.BYTES)
                .put(HORIZON)
                .putLong(horizon.epoch().number())
                .putLong(horizon.epoch().nonce())
                .putLong(horizon.session())
                .array();
    }

    /** {@code 'R' tx batch(8) index(4)}: an operator may decide twice, and no decision overwrites another. */
    public static byte[] heuristic(LogRecord.Heuristic heuristic, long batch, int index) {
        return putTx(
                        ByteBuffer.allocate(1 + TX_BYTES + Long.BYTES + Integer.BYTES)
                                .put(HEURISTIC),
                        heuristic.tx())
                .putLong(batch)
                .putInt(index)
                .array();
    }

    /** The first key of the HEURISTICs. */
    public static byte[] firstHeuristic() {
        return new byte[] {HEURISTIC};
    }

    /** The first HEURISTIC key after every transaction of the horizon. */
    public static byte[] heuristicAfterSession(LogRecord.Horizon horizon) {
        return putAfterSession(ByteBuffer.allocate(TX_BYTES + 2).put(HEURISTIC), horizon)
                .array();
    }

    /** A key behind that of every transaction. */
    public static byte[] afterAll() {
        byte[] key = new byte[TX_BYTES + 1];
        Arrays.fill(key, (byte) 0xff);
        return key;
    }

    private static ByteBuffer putTx(ByteBuffer out, GlobalTxId tx) {
        return out.putLong(tx.epoch().number())
                .putLong(tx.epoch().nonce())
                .putLong(tx.session())
                .putLong(tx.sequence())
                .putInt(tx.shard());
    }

    private static ByteBuffer putAfterSession(ByteBuffer out, LogRecord.Horizon horizon) {
        return out.putLong(horizon.epoch().number())
                .putLong(horizon.epoch().nonce())
                .putLong(horizon.session())
                .putLong(Long.MAX_VALUE)
                .putInt(Integer.MAX_VALUE)
                .put((byte) 0);
    }
}
