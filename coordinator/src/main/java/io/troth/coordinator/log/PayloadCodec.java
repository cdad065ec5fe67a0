package io.troth.coordinator.log;

import io.troth.core.BranchId;
import io.troth.core.BranchList;
import io.troth.core.Decision;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.coordinator.LogRecord;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of a record without frame and checksum, format 1: fixed-width big-endian numbers, counted lists. Every
 * length is checked before anything is allocated, and nothing may be left over. Pure, thread-safe.
 */
final class PayloadCodec {

    /** The most branches in one COMMIT. */
    static final int BRANCHES_MAX = BranchList.BRANCHES_MAX;

    /** The longest reason of a HEURISTIC, in bytes of UTF-8. */
    static final int REASON_BYTES_MAX = 4_096;

    /** The largest payload: {@link #BRANCHES_MAX} branches with the longest names and proofs fit. */
    static final int BYTES_MAX = 96 * 1_024;

    private static final int TX_BYTES = Integer.BYTES + 4 * Long.BYTES;
    private static final int BRANCH_ID_BYTES = 2 * Long.BYTES;

    private PayloadCodec() {}

    /** @throws IllegalArgumentException when the record is larger than a record may be */
    static void checkSize(LogRecord record) {
        record.accept(new Size());
    }

    /** The size of the payload in bytes; throws as {@link #checkSize}. */
    static int size(LogRecord record) {
        return record.accept(new Size());
    }

    /** Writes exactly {@link #size} bytes. */
    static void write(LogRecord record, ByteBuffer out) {
        record.accept(new Writer(out));
    }

    /**
     * Reads one record up to the end of the buffer. {@link RecordKind#END} gives the COMMIT that has ended.
     *
     * @param shared what may be the same object in many records
     * @throws DamagedRecordException when the bytes are anything but what {@link #write} wrote
     */
    static LogRecord read(RecordKind kind, ByteBuffer in, SharedValues shared) {
        try {
            LogRecord record = switch (kind) {
                case EPOCH -> new LogRecord.Epoch(readEpoch(in, shared));
                case COMMIT, END -> readCommit(in, shared);
                case HORIZON -> new LogRecord.Horizon(readEpoch(in, shared), in.getLong());
                case DISTRUST -> new LogRecord.Distrust(in.getLong());
                case HEURISTIC -> readHeuristic(in, shared);
            };
            if (in.hasRemaining()) {
                throw new DamagedRecordException(in.remaining() + " bytes too many in a record of kind " + kind);
            }
            return record;
        } catch (BufferUnderflowException e) {
            throw new DamagedRecordException("a record of kind " + kind + " ends too early", e);
        } catch (IllegalArgumentException e) {
            throw new DamagedRecordException("a record of kind " + kind + " holds " + e.getMessage(), e);
        }
    }

    static void writeTx(GlobalTxId tx, ByteBuffer out) {
        out.putInt(tx.shard());
        writeEpoch(tx.epoch(), out);
        out.putLong(tx.session()).putLong(tx.sequence());
    }

    private static void writeEpoch(EpochId epoch, ByteBuffer out) {
        out.putLong(epoch.number()).putLong(epoch.nonce());
    }

    static GlobalTxId readTx(ByteBuffer in, SharedValues shared) {
        return new GlobalTxId(in.getInt(), readEpoch(in, shared), in.getLong(), in.getLong());
    }

    private static EpochId readEpoch(ByteBuffer in, SharedValues shared) {
        return shared.epoch(in.getLong(), in.getLong());
    }

    private static LogRecord.Commit readCommit(ByteBuffer in, SharedValues shared) {
        GlobalTxId tx = readTx(in, shared);
        int count = Short.toUnsignedInt(in.getShort());
        if (count > BRANCHES_MAX) {
            throw new DamagedRecordException(count + " branches in one COMMIT");
        }
        List<LogRecord.YesBranch> branches = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            BranchId branch = new BranchId(in.getLong(), in.getLong());
            String resource = new String(readCounted(in, Byte.toUnsignedInt(in.get())), StandardCharsets.US_ASCII);
            byte[] proof = readCounted(in, Byte.toUnsignedInt(in.get()));
            branches.add(
                    new LogRecord.YesBranch(branch, shared.name(resource), proof.length == 0 ? null : Proof.of(proof)));
        }
        return new LogRecord.Commit(tx, branches);
    }

    private static LogRecord.Heuristic readHeuristic(ByteBuffer in, SharedValues shared) {
        GlobalTxId tx = readTx(in, shared);
        BranchId branch = readFlag(in) ? new BranchId(in.getLong(), in.getLong()) : null;
        Decision decision = readFlag(in) ? Decision.ROLLBACK : Decision.COMMIT;
        int length = Short.toUnsignedInt(in.getShort());
        if (length > REASON_BYTES_MAX) {
            throw new DamagedRecordException("a reason of " + length + " bytes");
        }
        return new LogRecord.Heuristic(
                tx, branch, decision, new String(readCounted(in, length), StandardCharsets.UTF_8));
    }

    private static boolean readFlag(ByteBuffer in) {
        byte flag = in.get();
        if (flag != 0 && flag != 1) {
            throw new DamagedRecordException("a flag of value " + flag);
        }
        return flag == 1;
    }

    private static byte[] readCounted(ByteBuffer in, int length) {
        if (length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        byte[] bytes = new byte[length];
        in.get(bytes);
        return bytes;
    }

    private static final class Size implements LogRecord.Visitor<Integer> {
        @Override
        public Integer epoch(LogRecord.Epoch epoch) {
            return 2 * Long.BYTES;
        }

        @Override
        public Integer commit(LogRecord.Commit commit) {
            if (commit.branches().isEmpty() || commit.branches().size() > BRANCHES_MAX) {
                throw new IllegalArgumentException("a COMMIT has 1 to " + BRANCHES_MAX + " branches, found "
                        + commit.branches().size());
            }
            int size = TX_BYTES + Short.BYTES;
            for (LogRecord.YesBranch branch : commit.branches()) {
                size += BRANCH_ID_BYTES + 2 + branch.resource().length() + proofBytes(branch.proof()).length;
            }
            return size;
        }

        @Override
        public Integer end(LogRecord.End end) {
            return TX_BYTES;
        }

        @Override
        public Integer horizon(LogRecord.Horizon horizon) {
            return 3 * Long.BYTES;
        }

        @Override
        public Integer distrust(LogRecord.Distrust distrust) {
            return Long.BYTES;
        }

        @Override
        public Integer heuristic(LogRecord.Heuristic heuristic) {
            int reason = heuristic.reason().getBytes(StandardCharsets.UTF_8).length;
            if (reason > REASON_BYTES_MAX) {
                throw new IllegalArgumentException(
                        "the reason of a HEURISTIC has at most " + REASON_BYTES_MAX + " bytes, found " + reason);
            }
            return TX_BYTES + 2 + (heuristic.branch() == null ? 0 : BRANCH_ID_BYTES) + Short.BYTES + reason;
        }
    }

    private static byte[] proofBytes(@Nullable Proof proof) {
        return proof == null ? new byte[0] : proof.toByteArray();
    }

    private record Writer(ByteBuffer out) implements LogRecord.Visitor<ByteBuffer> {
        @Override
        public ByteBuffer epoch(LogRecord.Epoch epoch) {
            writeEpoch(epoch.epoch(), out);
            return out;
        }

        @Override
        public ByteBuffer commit(LogRecord.Commit commit) {
            writeTx(commit.tx(), out);
            out.putShort((short) commit.branches().size());
            for (LogRecord.YesBranch branch : commit.branches()) {
                writeBranch(branch.branch());
                byte[] resource = branch.resource().getBytes(StandardCharsets.US_ASCII);
                byte[] proof = proofBytes(branch.proof());
                out.put((byte) resource.length).put(resource);
                out.put((byte) proof.length).put(proof);
            }
            return out;
        }

        @Override
        public ByteBuffer end(LogRecord.End end) {
            writeTx(end.tx(), out);
            return out;
        }

        @Override
        public ByteBuffer horizon(LogRecord.Horizon horizon) {
            writeEpoch(horizon.epoch(), out);
            return out.putLong(horizon.session());
        }

        @Override
        public ByteBuffer distrust(LogRecord.Distrust distrust) {
            return out.putLong(distrust.epochNumber());
        }

        @Override
        public ByteBuffer heuristic(LogRecord.Heuristic heuristic) {
            writeTx(heuristic.tx(), out);
            BranchId branch = heuristic.branch();
            out.put((byte) (branch == null ? 0 : 1));
            if (branch != null) {
                writeBranch(branch);
            }
            out.put((byte) (heuristic.decision() == Decision.ROLLBACK ? 1 : 0));
            byte[] reason = heuristic.reason().getBytes(StandardCharsets.UTF_8);
            return out.putShort((short) reason.length).put(reason);
        }

        private void writeBranch(BranchId branch) {
            out.putLong(branch.instance()).putLong(branch.counter());
        }
    }
}
