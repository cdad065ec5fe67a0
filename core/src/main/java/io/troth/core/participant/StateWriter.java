package io.troth.core.participant;

import io.troth.core.BranchId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.Reason;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Writes the canonical form of a state: equal states give equal bytes. */
final class StateWriter {

    private byte[] bytes = new byte[256];
    private int length;

    byte[] toByteArray() {
        return Arrays.copyOf(bytes, length);
    }

    void putByte(int value) {
        if (length == bytes.length) {
            bytes = Arrays.copyOf(bytes, 2 * length);
        }
        bytes[length++] = (byte) value;
    }

    void putBoolean(boolean value) {
        putByte(value ? 1 : 0);
    }

    void putInt(int value) {
        for (int shift = 24; shift >= 0; shift -= 8) {
            putByte(value >>> shift);
        }
    }

    void putLong(long value) {
        putInt((int) (value >>> 32));
        putInt((int) value);
    }

    void putText(String text) {
        putInt(text.length());
        for (int i = 0; i < text.length(); i++) {
            putByte(text.charAt(i) >>> 8);
            putByte(text.charAt(i));
        }
    }

    void putEnum(Enum<?> value) {
        putText(value.name());
    }

    void putBranch(BranchId branch) {
        putLong(branch.instance());
        putLong(branch.counter());
    }

    void putTx(GlobalTxId tx) {
        putInt(tx.shard());
        putEpoch(tx.epoch());
        putLong(tx.session());
        putLong(tx.sequence());
    }

    void putEpoch(@Nullable EpochId epoch) {
        putBoolean(epoch != null);
        if (epoch != null) {
            putLong(epoch.number());
            putLong(epoch.nonce());
        }
    }

    void putReason(@Nullable Reason reason) {
        putBoolean(reason != null);
        if (reason != null) {
            putText(reason.code().name());
            putText(reason.detail());
        }
    }

    void putProof(@Nullable Proof proof) {
        byte[] content = proof == null ? new byte[0] : proof.toByteArray();
        putByte(content.length);
        for (byte b : content) {
            putByte(b);
        }
    }
}
