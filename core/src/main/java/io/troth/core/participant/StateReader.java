package io.troth.core.participant;

import io.troth.core.BranchId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.Reason;
import org.jspecify.annotations.Nullable;

/** Reads what {@link StateWriter} wrote; anything else is an IllegalArgumentException. */
final class StateReader {

    private final byte[] bytes;
    private int at;

    StateReader(byte[] bytes) {
        this.bytes = bytes;
    }

    int byteValue() {
        if (at == bytes.length) {
            throw new IllegalArgumentException("the state ends too early, after " + at + " bytes");
        }
        return bytes[at++] & 0xff;
    }

    void end() {
        if (at != bytes.length) {
            throw new IllegalArgumentException("the state goes on after its end, from byte " + at);
        }
    }

    boolean booleanValue() {
        int value = byteValue();
        if (value > 1) {
            throw new IllegalArgumentException("not a boolean at byte " + (at - 1));
        }
        return value == 1;
    }

    int intValue() {
        int value = 0;
        for (int i = 0; i < Integer.BYTES; i++) {
            value = (value << 8) | byteValue();
        }
        return value;
    }

    /** A number of elements, each at least one byte long. */
    int count() {
        int value = intValue();
        if (value < 0 || value > bytes.length - at) {
            throw new IllegalArgumentException("an impossible count before byte " + at);
        }
        return value;
    }

    long longValue() {
        return ((long) intValue() << 32) | (intValue() & 0xffffffffL);
    }

    String text() {
        int chars = count();
        StringBuilder text = new StringBuilder(chars);
        for (int i = 0; i < chars; i++) {
            text.append((char) (byteValue() << 8 | byteValue()));
        }
        return text.toString();
    }

    <E extends Enum<E>> E enumValue(Class<E> type) {
        return Enum.valueOf(type, text());
    }

    BranchId branch() {
        return new BranchId(longValue(), longValue());
    }

    GlobalTxId tx() {
        int shard = intValue();
        EpochId epoch = epoch();
        if (epoch == null) {
            throw new IllegalArgumentException("a transaction without an epoch before byte " + at);
        }
        return new GlobalTxId(shard, epoch, longValue(), longValue());
    }

    @Nullable
    EpochId epoch() {
        return booleanValue() ? new EpochId(longValue(), longValue()) : null;
    }

    @Nullable
    Reason reason() {
        return booleanValue() ? new Reason(ErrorCode.valueOf(text()), text()) : null;
    }

    @Nullable
    Proof proof() {
        byte[] content = new byte[byteValue()];
        for (int i = 0; i < content.length; i++) {
            content[i] = (byte) byteValue();
        }
        return content.length == 0 ? null : Proof.of(content);
    }
}
