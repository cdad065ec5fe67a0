package io.troth.core.coordinator;

import io.troth.core.BranchId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Proof;
import io.troth.core.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Reads what {@link StateWriter} writes of either machine; anything else is an {@link IllegalArgumentException}. */
public final class StateReader {

    private final byte[] bytes;
    private int at;

    public StateReader(byte[] bytes) {
        this.bytes = bytes;
    }

    public void end() {
        if (at != bytes.length) {
            throw new IllegalArgumentException((bytes.length - at) + " bytes are left over");
        }
    }

    public int octet() {
        if (at == bytes.length) {
            throw new IllegalArgumentException("the state ends too early, after " + at + " bytes");
        }
        return bytes[at++] & 0xff;
    }

    public boolean bool() {
        int value = octet();
        if (value > 1) {
            throw new IllegalArgumentException("not a flag at byte " + (at - 1));
        }
        return value == 1;
    }

    public int int32() {
        int value = 0;
        for (int i = 0; i < Integer.BYTES; i++) {
            value = (value << 8) | octet();
        }
        return value;
    }

    public long int64() {
        long value = 0;
        for (int i = 0; i < Long.BYTES; i++) {
            value = (value << 8) | octet();
        }
        return value;
    }

    /** A count of things that take at least one byte each. */
    public int count() {
        int value = int32();
        if (value < 0 || value > bytes.length - at) {
            throw new IllegalArgumentException("an impossible count before byte " + at);
        }
        return value;
    }

    public String text() {
        int length = count();
        StringBuilder value = new StringBuilder(length);
        for (int i = 0; i < length; i++) {
            value.append((char) ((octet() << 8) | octet()));
        }
        return value.toString();
    }

    public <T extends Enum<T>> T constant(T[] values) {
        int ordinal = octet();
        if (ordinal >= values.length) {
            throw new IllegalArgumentException("no such constant: " + ordinal);
        }
        return values[ordinal];
    }

    public EpochId epoch() {
        return new EpochId(int64(), int64());
    }

    public GlobalTxId tx() {
        return new GlobalTxId(int32(), epoch(), int64(), int64());
    }

    public BranchId branch() {
        return new BranchId(int64(), int64());
    }

    public StreamId stream() {
        return new StreamId(int64());
    }

    public RequestId request() {
        return new RequestId(stream(), int64());
    }

    public Reason reason() {
        return new Reason(ErrorCode.valueOf(text()), text());
    }

    public Proof proof() {
        byte[] content = new byte[octet()];
        for (int i = 0; i < content.length; i++) {
            content[i] = (byte) octet();
        }
        return Proof.of(content);
    }

    public <T> @Nullable T optional(Supplier<T> reader) {
        return bool() ? reader.get() : null;
    }

    public <T> List<T> all(Supplier<T> reader) {
        int count = count();
        List<T> values = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            values.add(reader.get());
        }
        return values;
    }
}
